"""Labelled rows: every one is read, left out by a counted rule, or an error that names file and line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from classifiers.labelled import LabelledTexts, read_file, read_plain, read_training
from manifests.errors import InputError
from manifests.kinds.classifier import Labels, Training

ROW = {"text": "a proof", "label": "math", "source": "one", "licence": "MIT", "split": "train"}


def _write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def _read(path: Path, training: Training) -> LabelledTexts:
    found = LabelledTexts()
    read_file(path, training, Labels(), found)
    return found


def test_rows_are_read_from_plain_and_gzip_files(tmp_path: Path) -> None:
    plain = _write(tmp_path / "a.jsonl", [ROW, ROW | {"label": "nonmath", "split": "valid"}])
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    found = read_training(Training(files=["a.jsonl", "b.jsonl.gz"]), Labels(), tmp_path)
    assert [text.label for text in found.texts] == ["math", "nonmath"] * 2
    assert len(found.part("train")) == 2


def test_left_out_rows_are_counted_by_rule(tmp_path: Path) -> None:
    rows = [ROW | {"source": source} for source in ("manual-1", "manual-2", "novel", "kept")]
    training = Training(files=["a.jsonl"], exclude={"source": ["manual-*", "novel"]})
    found = _read(_write(tmp_path / "a.jsonl", rows), training)
    assert [text.source for text in found.texts] == ["kept"]
    assert found.left_out == {"source: manual-*": 2, "source: novel": 1}


def test_a_file_of_one_label_needs_no_label_and_no_split(tmp_path: Path) -> None:
    rows = [{"text": f"recipe {number}", "source": "web"} for number in range(300)]
    _write(tmp_path / "a.jsonl", [ROW])
    _write(tmp_path / "b.jsonl", rows)
    training = Training(files=["a.jsonl"], one_label_files={"b.jsonl": "nonmath"})
    found = read_training(training, Labels(), tmp_path)
    web = [text for text in found.texts if text.source == "web"]
    assert {text.label for text in web} == {"nonmath"}
    assert 10 <= sum(text.split == "valid" for text in web) <= 60


def test_files_of_one_commit_are_one_source(tmp_path: Path) -> None:
    commit = "github:a/b@" + "0" * 40
    rows = [ROW | {"source": f"{commit}:{path}"} for path in ("one.tex", "two.tex")]
    assert {text.source for text in _read(_write(tmp_path / "a.jsonl", rows), Training(files=["x"])).texts} == {commit}


def test_a_null_label_is_kept_to_look_at(tmp_path: Path) -> None:
    found = _read(_write(tmp_path / "a.jsonl", [ROW | {"label": None}]), Training(files=["x"]))
    assert found.texts[0].label is None
    assert found.part("train") == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1], r"a\.jsonl:1: is list; expected one JSON object a line"),
        (ROW | {"text": 5}, r"a\.jsonl:1: 'text' is 5; expected the text"),
        (ROW | {"label": "maths"}, r"a\.jsonl:1: 'label' is 'maths'; expected 'math', 'nonmath' or null"),
        (ROW | {"label": ["math"]}, r"a\.jsonl:1: 'label' is \['math'\]; expected 'math', 'nonmath' or null"),
        (ROW | {"split": "dev"}, r"a\.jsonl:1: 'split' is 'dev'; expected 'train' or 'valid'"),
    ],
)
def test_wrong_rows_name_file_and_line(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _read(_write(tmp_path / "a.jsonl", [row]), Training(files=["a.jsonl"]))


def test_broken_files_are_explained(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": ', "utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:1: is not JSON"):
        _read(tmp_path / "a.jsonl", Training(files=["a.jsonl"]))
    packed = gzip.compress(b'{"text": "a proof", "label": "math"}\n' * 1000)
    (tmp_path / "b.jsonl").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match=r"b\.jsonl:\d+: cannot be read"):
        _read(tmp_path / "b.jsonl", Training(files=["a.jsonl"]))


def test_missing_files_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no a\.jsonl, b\.jsonl; expected JSONL files.*--files DIR"):
        read_training(Training(files=["a.jsonl"], one_label_files={"b.jsonl": "math"}), Labels(), tmp_path)


def test_plain_texts_and_rows_are_read_for_scoring(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# One\ntext", "utf-8")
    assert list(read_plain(tmp_path / "page.md", "text")) == ["# One\ntext"]
    assert list(read_plain(_write(tmp_path / "a.jsonl", [ROW, ROW]), "text")) == ["a proof", "a proof"]
    with pytest.raises(InputError, match=r"a\.jsonl:1: 'body' is None; expected the text"):
        list(read_plain(tmp_path / "a.jsonl", "body"))
