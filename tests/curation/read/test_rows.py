"""JSONL, Parquet and HTML: rows and pages as records, bad ones as problems, and places that find them again."""

import base64
import datetime
import decimal
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from curation.read.read import read_records
from curation.read.records import InputFile
from manifests.errors import InputError

LINES = [
    b'{"text": "first", "url": "https://example.org/", "more": [1, {"a": null}]}',
    b"",
    b'{"text": 1}',
    b'{"words": "x"}',
    b"no json",
    b"[1]",
    b'{"text": "x", "n": NaN}',
    b'{"text": "x", "n": "\\ud800"}',
    b'{"text": "\xff"}',
    b'{"text": "' + b"y" * 900 + b'"}',
    b'{"text": "' + b"z" * 9000 + b'"}',
    b"[" * 3000,
    b'{"text": "windows"}\r',
    '{"text": "∑", "url": 5}'.encode(),
]
PACKS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("pack", PACKS)
def test_every_line_has_a_record_and_bad_ones_say_why(read, pack):
    data = PACKS[pack](b"\xef\xbb\xbf" + b"\n".join(LINES))
    found = read(data, format="jsonl", max_body_bytes=800)
    assert [one.offset for one in found] == [number for number, line in enumerate(LINES) if line]
    usable = [(one.offset, one.body.decode(), one.url, one.metadata) for one in found if not one.problem]
    assert usable == [
        (0, "first", "https://example.org/", {"more": [1, {"a": None}]}),
        (12, "windows", None, {}),
        (13, "∑", None, {"url": 5}),
    ]
    assert {one.problem for one in found if one.offset in (9, 10)} == {"body_too_large"}
    bad = [one for one in found if 2 <= one.offset <= 11 and one.offset not in (9, 10)]
    assert {one.problem for one in bad} == {"bad_row"}
    assert bad[0].detail == "row 3: its column 'text' holds int; expected text"
    assert all(one.detail.startswith(f"row {one.offset + 1}: ") for one in bad)
    assert all(one.is_text and one.kind == "row" for one in found if not one.problem)
    assert len({one.id for one in found}) == len(found)


def test_lengths_of_plain_lines_fill_the_file(read):
    data = b"\n".join(line for line in LINES if line)
    assert sum(one.length_bytes for one in read(data, format="jsonl", max_body_bytes=800)) == len(data)


def test_a_line_finds_its_record_again(read):
    data = gzip.compress(b"\n".join(LINES))
    found = read(data, format="jsonl")
    for index, one in enumerate(found):
        assert read(data, start=one.offset, format="jsonl") == found[index:]


def test_the_id_of_a_row(read):
    rows = [b'{"text": "a", "n": 1}', b'{"n":1,   "text":"a"}', b'{"text": "a", "n": 2}', b'{"text": "a", "n": true}']
    first, same, other, bad = read(b"\n".join(rows), format="jsonl")
    assert first.id == same.id != other.id
    named = read(b"\n".join(rows), format="jsonl", id_column="n")
    assert [one.id for one in named[:3]] == ["1", "1", "2"]
    assert (named[3].problem, named[3].detail) == (
        "bad_row",
        "row 4: its column 'n' holds 'True'; expected text or a whole number",
    )
    assert bad.problem is None


def test_other_columns_for_text_and_address(read):
    data = b'{"content": "a", "link": "https://example.org/", "text": "b"}'
    (one,) = read(data, format="jsonl", text_column="content", url_column="link")
    assert (one.body, one.url, one.metadata) == (b"a", "https://example.org/", {"text": "b"})


def test_a_broken_jsonl_gzip_file(read):
    rows = [b'{"text": "%d"}\n' % number for number in range(40)]
    members = [gzip.compress(b"".join(rows[begin : begin + 10])) for begin in range(0, 40, 10)]
    data = members[0] + b"garbage" + members[1][:-8] + bytes(8) + members[2] + members[3][:-20]
    found = read(data, format="jsonl")
    assert [one.problem for one in found if one.problem] == ["garbage", "corrupt_member", "truncated"]
    assert [one.offset for one in found] == sorted({one.offset for one in found})
    assert {one.body for one in found} >= {str(number).encode() for number in [*range(10), *range(20, 30)]}


def table() -> pa.Table:
    moment = datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.UTC)
    return pa.table(
        {
            "text": ["a", "b", None, "d"],
            "url": ["https://example.org/", None, "x", "y"],
            "moment": pa.array([moment] * 4, pa.timestamp("ns", tz="Asia/Tokyo")),
            "odd": pa.array([1, 1001, None, 3], pa.timestamp("ns")),
            "day": [datetime.date(2024, 5, 17)] * 4,
            "price": [decimal.Decimal("1.10")] * 4,
            "raw": [b"\xff", b"", None, b"x"],
            "score": [1.5, float("nan"), float("inf"), None],
            "list": [[1, None], [], None, [2]],
            "nested": [{"at": moment, "tags": ["q"]}, None, None, {"at": None, "tags": None}],
            "map": pa.array([[("k", 1)], [], None, None], pa.map_(pa.string(), pa.int64())),
            "took": pa.array([1_500_000_000] * 4, pa.duration("ns")),
            "label": pa.array(["q", "r", "q", None]).dictionary_encode(),
        }
    )


def parquet_bytes(content: pa.Table, **options) -> bytes:
    target = pa.BufferOutputStream()
    pq.write_table(content, target, **options)
    return target.getvalue().to_pybytes()


def test_parquet_values_that_json_can_hold(read):
    found = read(parquet_bytes(table(), row_group_size=3), format="parquet")
    assert [(one.offset, one.body, one.problem) for one in found] == [
        (0, b"a", None),
        (1, b"b", None),
        (2, b"", "bad_row"),
        (3, b"d", None),
    ]
    assert found[0].metadata == {
        "moment": "2024-05-17T12:00:00+00:00",
        "odd": "1970-01-01T00:00:00",
        "day": "2024-05-17",
        "price": "1.10",
        "raw": base64.b64encode(b"\xff").decode(),
        "score": 1.5,
        "list": [1, None],
        "nested": {"at": "2024-05-17T12:00:00+00:00", "tags": ["q"]},
        "map": [["k", 1]],
        "took": 1.5,
        "label": "q",
    }
    assert [one.metadata.get("score") for one in found[1:]] == [None, None, None]
    assert found[1].metadata["odd"] == "1970-01-01T00:00:00.000001"
    assert json.loads(json.dumps([one.metadata for one in found])) == [one.metadata for one in found]
    assert found[2].detail == "row 3: its column 'text' holds nothing; expected text"


def test_parquet_starts_at_any_row(read):
    data = parquet_bytes(pa.table({"text": [f"row {number}" for number in range(3000)]}), row_group_size=1100)
    whole = read(data, format="parquet")
    assert [one.offset for one in whole] == list(range(3000))
    for start in (1, 1099, 1100, 2500, 2999):
        assert read(data, start=start, format="parquet") == whole[start:]


def test_one_undecodable_parquet_value_costs_one_row(read):
    texts = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]), pa.py_buffer(b"a\xffc")]
    )
    found = read(parquet_bytes(pa.table({"text": texts})), format="parquet")
    assert [(one.body, one.problem) for one in found] == [(b"a", None), (b"", "bad_row"), (b"c", None)]


def test_a_corrupt_row_group_costs_its_rows_alone(read):
    data = parquet_bytes(pa.table({"text": [f"row {number} " * 20 for number in range(4000)]}), row_group_size=1000)
    page = pq.ParquetFile(pa.BufferReader(data)).metadata.row_group(2).column(0).data_page_offset
    found = read(data[: page + 20] + bytes(40) + data[page + 60 :], format="parquet")
    (failed,) = [one for one in found if one.problem]
    assert (failed.kind, failed.problem, failed.offset) == ("damaged", "corrupt_row_group", 2000)
    assert failed.detail.startswith("row 2001: the 1000 rows up to row 3000 cannot be read")
    assert [one.offset for one in found if not one.problem] == [*range(2000), *range(3000, 4000)]


def test_parquet_that_is_none_or_lacks_a_column(read):
    with pytest.raises(InputError, match="is no Parquet file"):
        read(b"PAR1 but no more", format="parquet")
    with pytest.raises(InputError, match="has no column 'text'; it has body, n"):
        read(parquet_bytes(pa.table({"n": [1], "body": ["x"]})), format="parquet")
    with pytest.raises(InputError, match="has no column 'key'"):
        read(parquet_bytes(pa.table({"text": ["x"]})), format="parquet", id_column="key")


def test_a_page_of_a_folder_keeps_its_id_when_the_folder_moves(tmp_path):
    records = []
    for folder in ("here", "there/deep"):
        page = tmp_path / folder / "sub" / "a.html"
        page.parent.mkdir(parents=True)
        page.write_bytes(b"<p>\xff")
        file = InputFile(str(page), "html", 4, "sha256:0", str(tmp_path / folder))
        records += read_records(file)
        assert list(read_records(file, start=1)) == []
    first, second = records
    assert first.id == second.id
    assert first.metadata == {"path": "sub/a.html"}
    assert (first.kind, first.body, first.url, first.offset, first.length_bytes) == ("html", b"<p>\xff", None, 0, 4)


def test_a_page_that_is_too_large(read):
    (one,) = read(b"<p>" * 1000, format="html", name="page.html", max_body_bytes=100)
    assert (one.problem, one.body, one.metadata) == ("body_too_large", b"", {"path": "page.html"})


def test_a_format_that_does_not_exist(read):
    with pytest.raises(InputError, match="its format is 'csv'; expected warc, wet, html, jsonl or parquet"):
        read(b"a,b", format="csv")
