"""Real files: a sample of 4,415 pages, a damaged file, and the test files of other WARC libraries."""

import gzip
import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from curation.read.read import read_records
from curation.read.records import InputFile
from manifests.errors import InputError


def manifest_lines(path: Path) -> list[dict]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_every_page_of_the_sample_comes_back_byte_for_byte(shared_data):
    manifest = manifest_lines(shared_data / "webmath-sample.manifest.jsonl.gz")
    pages = {page["record_id"].strip("<>"): page for page in manifest}
    path = shared_data / "webmath-sample.warc.gz"
    kinds, place = Counter(), 0
    for one in read_records(InputFile(str(path), "warc", 0, "")):
        kinds[one.kind] += 1
        assert (one.offset, one.problem) == (place, None)
        place += one.length_bytes
        if one.kind == "response":
            page = pages.pop(one.id)
            assert (one.url, one.http_status) == (page["url"], page["http_status"])
            assert hashlib.sha1(one.body).hexdigest() == page["sha1"], one.url
    assert place == path.stat().st_size
    assert not pages
    assert kinds == {"response": 4415, "request": 74, "metadata": 74, "warcinfo": 1, "revisit": 1, "resource": 1}


def test_places_and_headers_agree_with_fastwarc(shared_data):
    from fastwarc import ArchiveIterator

    path = shared_data / "webmath-sample.warc.gz"
    ours = read_records(InputFile(str(path), "warc", 0, ""))
    with path.open("rb") as stream:
        for theirs in ArchiveIterator(stream, parse_http=True):
            one = next(ours)
            assert (one.offset, one.id) == (theirs.stream_pos, (theirs.record_id or "").strip("<>"))
            if one.kind == "response":
                assert one.http_status == theirs.http_headers.status_code
                assert one.charset == theirs.http_charset
    assert next(ours, None) is None


def test_the_damaged_file(shared_data):
    path = shared_data / "webmath-damaged.warc.gz"
    entries = manifest_lines(shared_data / "webmath-damaged.manifest.jsonl")
    sums = {page["url"]: page["sha1"] for page in manifest_lines(shared_data / "webmath-sample.manifest.jsonl.gz")}
    found = list(read_records(InputFile(str(path), "warc", 0, "")))
    assert [0, *(one.offset + one.length_bytes for one in found)] == [one.offset for one in found] + [
        path.stat().st_size
    ]

    usable = [one for one in found if one.kind == "response" and not one.problem]
    headers_alone = [entry["url"] for entry in entries if "HTTP" in entry["state"]]
    assert [one.url for one in usable if one.http_status is None] == headers_alone
    intact = [entry["url"] for entry in entries if entry["state"].startswith("intact")]
    assert [one.url for one in usable if one.http_status] == intact
    assert len(intact) == 21
    assert [hashlib.sha1(one.body).hexdigest() for one in usable] == [sums[one.url] for one in usable]

    unusable = [entry["url"] for entry in entries if entry["url"] not in [*intact, *headers_alone]]
    problems = [(one.problem, one.url) for one in found if one.problem]
    names = ["corrupt_member", "bad_length", "bad_version", "truncated"]
    assert problems == [("garbage", None), *zip(names, unusable, strict=True)]


def test_the_conformance_files(shared_data):
    """What each file of other libraries' test suites gives: its records by type, and its problems."""
    expected = {
        "jwarc-cc.warc.gz": {"response": 1},
        "resiliparse-block-sized-records.warc.gz": {"unknown": 3},
        "warcio-example-bad-non-chunked.warc.gz": {"warcinfo": 2, "response": 1, "request": 2, "revisit": 1},
        "warcio-example-bad.warc.gz.bad": {"warcinfo": 1, "response": 2, "request": 2, "revisit": 1},
        "warcio-example-digest.warc": {"request": 4},
        "warcio-example-iana.org-chunked.warc": {"warcinfo": 1, "response": 1, "request": 1},
        "warcio-example-resource.warc.gz": {"warcinfo": 2, "resource": 1},
        "warcio-example-space-in-target-uri.warc.gz": {"warcinfo": 1, "resource": 1},
        "warcio-example-trunc.warc": {"warcinfo": 2, "request": 1, "bad_length": 1},
        "warcio-example-wget-bad-target-uri.warc.gz": {
            "warcinfo": 1, "request": 1, "response": 1, "metadata": 1, "resource": 2,
        },
        "warcio-example-wrong-chunks.warc.gz": {"response": 1, "request": 1},
        "warcio-example.warc": {"warcinfo": 2, "response": 1, "request": 2, "revisit": 1},
        "warcio-example.warc.gz": {"warcinfo": 2, "response": 1, "request": 2, "revisit": 1},
        "warcio-post-test.warc.gz": {"response": 3, "request": 3},
        "whirlwind.warc.gz": {"warcinfo": 1, "request": 1, "response": 1, "metadata": 1},
        "whirlwind.warc.wat.gz": {"warcinfo": 1, "metadata": 1},
        "whirlwind.warc.wet.gz": {"warcinfo": 1, "conversion": 1},
    }  # fmt: skip
    folder = shared_data / "warc-conformance"
    found = {}
    for name in expected:
        records = read_records(InputFile(str(folder / name), "warc", 0, ""))
        found[name] = Counter(one.problem or one.kind for one in records)
    assert found == expected
    with pytest.raises(InputError, match="ARC"):
        list(read_records(InputFile(str(folder / "warcio-example.arc.gz"), "warc", 0, "")))
