"""`octo classifier`: train, evaluate, score, from a manifest and files as a user has them."""

import json
import random
import sys
from pathlib import Path

import pytest

import octo
from classifiers.shipped import find_model, shipped_models
from classifiers.train import train_classifier
from manifests.errors import ClassifierError, IdentityError, NotFound, OctoError
from manifests.layout import DataFolder
from manifests.load import load_manifest

WORDS = {"math": "theorem proof lemma integral group", "nonmath": "bread butter river holiday music"}
MANIFEST = """
kind: classifier
name: tiny
version: 1
training:
  files: [texts.jsonl]
  exclude: {source: [left-out]}
  augment: [windows]
model: {dim: 4, min_count: 1, bucket: 100000}
quantise: {cutoff: 1000}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a manifest and its labelled texts."""
    rng = random.Random(0)
    rows = [
        {
            "text": " ".join(rng.choices(WORDS[label].split(), k=40)),
            "label": label,
            "source": "left-out" if number % 10 == 0 else f"{label}|book",
            "licence": "CC0-1.0",
        }
        for number in range(200)
        for label in WORDS
    ]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "tiny.yaml").write_text(MANIFEST, "utf-8")
    return tmp_path


def _octo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> tuple[str, str]:
    """stdout and stderr of one command."""
    monkeypatch.setattr(sys, "argv", ["octo", *map(str, arguments)])
    octo.main()
    return capsys.readouterr()


def test_the_road_from_texts_to_scores(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, data = home / "tiny.yaml", home / "data"
    out, err = _octo(capsys, monkeypatch, "classifier", "train", manifest, "--data", data)
    model = Path(out.strip())
    assert model == data / "classifiers" / "tiny@1" / "model.ftz"
    assert "training on" in err
    card = json.loads(model.with_suffix(".json").read_text("utf-8"))
    assert card["left_out"] == {"source: left-out": 40}
    assert sum(row["train"] + row["valid"] for row in card["sources"]) == 360
    assert "| math | math\\|book | CC0-1.0 |" in model.with_suffix(".md").read_text("utf-8")

    out, err = _octo(capsys, monkeypatch, "classifier", "evaluate", manifest, "--data", data, "--format", "json")
    assert {row["label"] for row in json.loads(out)} == {"positive", "negative"}
    assert "accuracy 1.0000" in err
    texts = home / "texts.jsonl"
    out, _ = _octo(capsys, monkeypatch, "classifier", "evaluate", manifest, texts, "--data", data, "--format", "csv")
    assert "left-out" in out  # what was left out of training may be measured
    out, _ = _octo(
        capsys,
        monkeypatch,
        "classifier",
        "evaluate",
        manifest,
        texts,
        "--histogram",
        "--data",
        data,
        "--format",
        "json",
    )
    assert sum(row[key] for row in json.loads(out) for key in row if key[0] in "01") == 400

    out, _ = _octo(capsys, monkeypatch, "classifier", "score", manifest, texts, "--data", data, "--format", "json")
    scores = [row["score"] for row in json.loads(out)]
    assert min(scores[::2]) > 0.5 > max(scores[1::2])

    out, err = _octo(capsys, monkeypatch, "classifier", "train", manifest, "--data", data)
    assert "already trained from this recipe, nothing to do" in err


def test_a_changed_recipe_is_refused_and_replaced_on_request(home: Path) -> None:
    data = DataFolder(home / "data")
    first = train_classifier(load_manifest(home / "tiny.yaml").manifest, home, data).read_bytes()
    (home / "tiny.yaml").write_text(MANIFEST.replace("dim: 4", "dim: 6"), "utf-8")
    changed = load_manifest(home / "tiny.yaml").manifest
    with pytest.raises(IdentityError, match=r"model\.dim: 4 → 6"):
        train_classifier(changed, home, data)
    assert train_classifier(changed, home, data, replace=True).read_bytes() != first


def test_a_bad_model_leaves_nothing(home: Path) -> None:
    rows = (home / "texts.jsonl").read_text("utf-8").splitlines(keepends=True)
    mixed = [row.replace('"nonmath"', '"math"') if number % 3 else row for number, row in enumerate(rows)]
    (home / "texts.jsonl").write_text("".join(mixed), "utf-8")
    data = DataFolder(home / "data")
    with pytest.raises(
        ClassifierError, match=r"accuracy on \d+ validation texts is 0\.\d+; expected 0\.9 \(min_accuracy"
    ):
        train_classifier(load_manifest(home / "tiny.yaml").manifest, home, data)
    assert list((home / "data" / "classifiers").iterdir()) == []


def test_a_data_folder_that_cannot_be_written_is_explained(home: Path) -> None:
    (home / "data").write_text("a file", "utf-8")
    with pytest.raises(OctoError, match=r"tiny@1: cannot be written \(.*\)\. Check the folder and its permissions"):
        train_classifier(load_manifest(home / "tiny.yaml").manifest, home, DataFolder(home / "data"))


def test_models_are_found_by_name_version_and_path(home: Path) -> None:
    data = DataFolder(home / "data")
    trained = train_classifier(load_manifest(home / "tiny.yaml").manifest, home, data)
    assert find_model("tiny@1", home, data) == trained
    assert find_model("data/classifiers/tiny@1/model.ftz", home, data) == trained
    assert find_model("math-web", home, data) == find_model("math-web@1", home, data) == shipped_models()["math-web"]
    with pytest.raises(NotFound, match=r"math-wep: no model of this name \(did you mean 'math-web'\?\)"):
        find_model("math-wep", home, data)
