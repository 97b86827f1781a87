"""Listing inputs: patterns, folders, links and URLs, formats and digests, and every mistake at once."""

import hashlib
import os
from pathlib import Path

import fsspec
import pytest

from curation.read.inputs import format_of, list_inputs
from curation.read.read import read_records
from curation.read.records import InputFile
from manifests.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.warc.gz", "a.warc", "c.wet.gz", "pages/x.html", "pages/deep/y.HTM", "pages/.hidden.html", "pages/notes.txt",
        "rows.jsonl", "rows[1].jsonl", "table.parquet", ".git/z.html",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def names(files: list[InputFile], folder: Path) -> list[str]:
    return [str(Path(file.path).relative_to(folder)) for file in files]


def test_a_folder_stands_for_what_lies_below_it(folder):
    files = list_inputs(["."], str(folder))
    assert names(files, folder) == [
        "a.warc", "b.warc.gz", "c.wet.gz", "pages/deep/y.HTM", "pages/x.html", "rows.jsonl", "rows[1].jsonl",
        "table.parquet",
    ]  # fmt: skip
    assert [file.format for file in files] == ["warc", "warc", "wet", "html", "html", "jsonl", "jsonl", "parquet"]
    assert [file.size_bytes for file in files[:2]] == [6, 9]
    assert files[0].digest == "sha256:" + hashlib.sha256(b"a.warc").hexdigest()
    assert names(list_inputs([str(folder)], "/", format="html"), folder) == ["pages/deep/y.HTM", "pages/x.html"]


def test_patterns_come_together_sorted_and_once(folder):
    files = list_inputs(["pages/**/*.htm*", "pages/**/*.HTM", "*.warc*", "a.warc", str(folder / "a.warc")], str(folder))
    assert names(files, folder) == ["a.warc", "b.warc.gz", "pages/deep/y.HTM", "pages/x.html"]
    assert files == list_inputs(["a.warc", "pages/../b.warc.gz", "file://" + str(folder / "pages")], str(folder))


def test_signs_of_globs_in_names_and_folders(folder):
    assert names(list_inputs(["rows[1].jsonl"], str(folder)), folder) == ["rows[1].jsonl"]
    odd = folder / "odd[ab]*"
    odd.mkdir()
    (odd / "x.jsonl").write_text("{}")
    assert names(list_inputs(["*.jsonl"], str(odd)), odd) == ["x.jsonl"]


def test_the_root_of_a_page_is_the_folder_that_was_named(folder):
    def roots(*patterns: str) -> dict[str, str]:
        files = list_inputs(patterns, str(folder))
        return {Path(file.path).name: str(Path(file.root).relative_to(folder)) for file in files}

    assert roots("pages") == {"x.html": "pages", "y.HTM": "pages"}
    assert roots("pages/**/*.HTM", "pages/*.html") == {"x.html": "pages", "y.HTM": "pages"}
    assert roots("pages/deep/y.HTM") == {"y.HTM": "pages/deep"}
    assert roots("pages/deep/y.HTM", "pages") == roots("pages", "pages/deep") == roots("pages")
    assert list_inputs(["a.warc"], str(folder))[0].root == ""


def test_links(folder):
    (folder / "link.warc").symlink_to(folder / "a.warc")
    assert names(list_inputs(["link.warc"], str(folder)), folder) == ["link.warc"]
    assert names(list_inputs(["*.warc"], str(folder)), folder) == ["a.warc"]
    (folder / "pages" / "loop").symlink_to(folder / "pages")
    assert len(list_inputs(["pages"], str(folder))) == 2


def test_a_folder_that_is_called_like_a_file(folder):
    (folder / "x.warc.gz").mkdir()
    with pytest.raises(InputError, match=r"x\.warc\.gz: matches nothing"):
        list_inputs(["x.warc.gz"], str(folder))
    (folder / "x.warc.gz" / "inner.warc.gz").write_bytes(b"x")
    assert names(list_inputs(["x.warc.gz"], str(folder)), folder) == ["x.warc.gz/inner.warc.gz"]


def test_every_mistake_at_once(folder):
    (folder / "empty.warc").touch()
    (folder / "old.arc.gz").write_bytes(b"x")
    (folder / "gone.warc").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.warc")
    patterns = ["*.nothing", "empty.warc", "pages/notes.txt", "old.arc.gz", "gone.warc", "pipe.warc", "ftp2://x/y.warc"]
    with pytest.raises(InputError) as caught:
        list_inputs([*patterns, "a.warc"], str(folder))
    lines = str(caught.value).splitlines()
    assert lines[0] == "inputs: cannot be used:"
    said = {line.strip().partition(": ")[0].removeprefix(f"{folder}/"): line.partition(": ")[2] for line in lines[1:-1]}
    assert said.keys() == set(patterns)
    assert said["*.nothing"].startswith(f"matches nothing in {folder}; expected files ending in .wet, .warc")
    assert said["empty.warc"] == "is empty; expected at least one record"
    assert said["pages/notes.txt"].startswith("its name tells no format; expected files ending in")
    assert said["old.arc.gz"].startswith("is an ARC file; expected WARC")
    assert said["gone.warc"] == "cannot be read (No such file or directory); expected a readable file"
    assert said["pipe.warc"] == "is a named pipe; expected a regular file"
    assert said["ftp2://x/y.warc"].startswith("cannot be listed (ValueError: Protocol not known: ftp2")


def test_names_that_no_encoding_can_write(folder):
    odd = os.fsencode(folder) + b"/pages/caf\xe9.html"
    with open(odd, "wb") as file:
        file.write(b"<p>")
    with pytest.raises(InputError, match=r"caf\\udce9\.html: its name is no UTF-8"):
        list_inputs(["pages"], str(folder))
    with pytest.raises(InputError, match="matches nothing"):
        list_inputs(["a\0*.warc", "~nobody-of-this-name/*.warc"], str(folder))


def test_a_thousand_mistakes_are_counted(folder):
    with pytest.raises(InputError, match="and 981 more"):
        list_inputs([f"{number}.warc" for number in range(1001)], str(folder))


def test_nothing_named_and_no_such_format(folder):
    with pytest.raises(InputError, match="nothing is named; expected at least one file"):
        list_inputs([], str(folder))
    with pytest.raises(InputError, match="no format 'pdf'; expected auto, wet, warc, html, jsonl, parquet"):
        list_inputs(["a.warc"], str(folder), format="pdf")


def test_a_named_format_wins_over_the_name(folder):
    assert list_inputs(["pages/notes.txt"], str(folder), format="jsonl")[0].format == "jsonl"


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("CC-MAIN-00000.warc.wet.gz", "wet"),
        ("CC-MAIN-00000.warc.wat.gz", "warc"),
        ("x.WARC.GZ", "warc"),
        ("x.warc.zst", "warc"),
        ("x.jsonl.zst", "jsonl"),
        ("x.xhtml", "html"),
        ("x.pq", "parquet"),
        ("x.json", None),
        ("warc", None),
    ],
)
def test_the_format_of_a_name(name, format):
    assert format_of(name) == format


def test_files_elsewhere_through_fsspec(record):
    store = fsspec.filesystem("memory")
    store.pipe("/octo-inputs/a.warc", record(1) + record(2))
    store.pipe("/octo-inputs/sub/b.jsonl", b'{"text": "x"}')
    try:
        files = list_inputs(["memory://octo-inputs"], "/")
        assert [(file.path, file.format) for file in files] == [
            ("memory:///octo-inputs/a.warc", "warc"),
            ("memory:///octo-inputs/sub/b.jsonl", "jsonl"),
        ]
        assert files[0].digest == "sha256:" + hashlib.sha256(record(1) + record(2)).hexdigest()
        assert list_inputs(["memory://octo-inputs/*.warc"], "/") == files[:1]
        found = [*read_records(files[0]), *read_records(files[1])]
        assert [one.id for one in found[:2]] == ["urn:uuid:1", "urn:uuid:2"]
        assert list(read_records(files[0], start=found[1].offset)) == found[1:2]
        with pytest.raises(InputError, match=r"memory://octo-inputs/\*\.wet: matches nothing"):
            list_inputs(["memory://octo-inputs/*.wet"], "/")
    finally:
        store.rm("/octo-inputs", recursive=True)


def test_files_that_cannot_be_opened(tmp_path):
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, reason in [
        ("missing", r"cannot be opened \(No such file or directory\); expected a readable file"),
        ("", "is a folder; expected a regular file"),
        ("pipe", "is a named pipe; expected a regular file"),
        ("empty", "is empty; expected at least one record"),
    ]:
        for format in ("warc", "jsonl", "html"):
            with pytest.raises(InputError, match=reason):
                list(read_records(InputFile(str(tmp_path / name), format, 0, "")))
