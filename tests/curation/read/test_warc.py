"""Reading WARC: every container, every record type, the places of records, and what their headers say."""

import gzip
import io

import pytest
import zstandard

from manifests.errors import InputError

BODIES = [b"<p>one</p>", b"<p>two</p>" * 300, b"", b"<p>four</p>" * 9000]


def packed_per_record(records: list[bytes], container: str) -> bytes:
    if container == "gzip":
        return b"".join(gzip.compress(one) for one in records)
    if container == "zstd":
        return b"".join(zstandard.ZstdCompressor(write_checksum=True).compress(one) for one in records)
    return b"".join(records)


def packed_together(records: list[bytes], container: str) -> bytes:
    whole = b"".join(records)
    if container == "gzip":
        return gzip.compress(whole)
    if container == "zstd":
        return zstandard.compress(whole)
    if container == "blocks of gzip":
        return b"".join(gzip.compress(whole[begin : begin + 700]) for begin in range(0, len(whole), 700))
    from fastwarc.stream_io import Lz4Writer

    target = io.BytesIO()
    writer = Lz4Writer(target)
    writer.write(whole)
    writer.close()
    return target.getvalue()


@pytest.mark.parametrize("container", ["plain", "gzip", "zstd"])
def test_records_lie_end_to_end(read, record, container):
    data = packed_per_record([record(number, body) for number, body in enumerate(BODIES)], container)
    found = read(data)
    assert [one.body for one in found] == BODIES
    assert [one.id for one in found] == ["urn:uuid:0", "urn:uuid:1", "urn:uuid:2", "urn:uuid:3"]
    place = 0
    for one in found:
        assert (one.offset, one.problem) == (place, None)
        place += one.length_bytes
    assert place == len(data)


@pytest.mark.parametrize("container", ["gzip", "zstd", "blocks of gzip", "lz4"])
def test_files_that_are_not_cut_by_record(read, record, container):
    data = packed_together([record(number, body) for number, body in enumerate(BODIES)], container)
    found = read(data)
    assert [one.body for one in found] == BODIES
    assert [one.problem for one in found] == [None] * 4
    offsets = [one.offset for one in found]
    assert offsets == sorted(set(offsets))


@pytest.mark.parametrize("container", ["plain", "gzip", "zstd"])
def test_an_offset_finds_its_record_again(read, record, container):
    records = [record(number, body) for number, body in enumerate(BODIES)]
    shared = packed_together(records, container) if container != "plain" else b"".join(records)
    for data in (packed_per_record(records, container), shared):
        found = read(data)
        for index, one in enumerate(found):
            assert read(data, start=one.offset) == found[index:]


def test_every_record_type_is_kept(read, record):
    kinds = [b"warcinfo", b"request", b"response", b"metadata", b"revisit", b"resource", b"conversion", b"continuation"]
    found = read(b"".join(record(number, kind=kind) for number, kind in enumerate([*kinds, b"Fancy", b"damaged"])))
    assert [one.kind for one in found] == [kind.decode() for kind in kinds] + ["unknown", "unknown"]


def test_what_the_headers_say(read, record):
    (one,) = read(record(7))
    assert one.url == "https://example.org/7"
    assert one.crawl_date == "2024-05-17T23:31:22Z"
    assert (one.http_status, one.content_type, one.charset) == (200, "text/html", "utf-8")
    assert one.body == b"<html><p>page</p></html>"
    assert (one.is_text, one.metadata) == (False, {})


def test_a_conversion_record_is_text(read, record):
    text = "Línea: ∑ x".encode()
    (one,) = read(gzip.compress(record(1, text, b"", kind=b"conversion", content_type=b"text/plain")), format="wet")
    assert (one.kind, one.is_text, one.body, one.content_type) == ("conversion", True, text, "text/plain")


def test_a_resource_says_its_type_in_the_warc_header(read, record):
    (one,) = read(record(1, b"<p>", b"", kind=b"resource", content_type=b"text/html; charset=iso-8859-1"))
    assert (one.content_type, one.charset, one.http_status, one.body) == ("text/html", "iso-8859-1", None, b"<p>")


def test_an_id_without_record_id_rests_on_url_date_and_payload(read, record):
    first, again, other = (
        read(record(number, body, has_id=False))[0].id for number, body in [(1, b"a"), (1, b"a"), (1, b"b")]
    )
    assert first == again != other
    assert first.startswith("sha256:") and len(first) == 71
    assert read(gzip.compress(record(1, b"a", has_id=False)))[0].id == first


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"2024-05-17T23:31:22.123456Z", "2024-05-17T23:31:22Z"),
        (b"2024-05-17T23:31:22+02:00", "2024-05-17T21:31:22Z"),
        (b"2024-05-17", "2024-05-17T00:00:00Z"),
        (b"2024-13-17T23:31:22Z", None),
        (b"2024-W20-5T23:31:22Z", "2024-05-17T23:31:22Z"),
        (b"0001-01-01T00:00:00+23:00", None),
        (b"yesterday", None),
    ],
)
def test_dates_are_utc_or_none(read, record, written, meant):
    data = record(1).replace(b"2024-05-17T23:31:22Z", written)
    assert read(data)[0].crawl_date == meant


def test_target_uri_in_brackets_and_with_spaces(read, record):
    data = record(1).replace(b"https://example.org/1", b"<file:///a name with spaces.png>")
    assert read(data)[0].url == "file:///a name with spaces.png"


def test_warc_1_1_with_bare_line_feeds(read):
    data = b"WARC/1.1\nWARC-Type: resource\nWARC-Record-ID: <urn:a>\nContent-Length: 3\n\nabc\n\n"
    assert [(one.id, one.body, one.problem) for one in read(data * 2)] == [("urn:a", b"abc", None)] * 2


def test_folded_header_lines(read, record):
    data = record(1).replace(b"https://example.org/1", b"https://example.org/\r\n 1")
    assert read(data)[0].url == "https://example.org/ 1"


def test_a_zstd_dictionary_in_front(read, record):
    records = [record(number, b"<p>page %d</p>" % number) for number in range(50)]
    dictionary = zstandard.train_dictionary(1 << 12, records * 4)
    frames = b"".join(zstandard.ZstdCompressor(dict_data=dictionary).compress(one) for one in records)
    for content in (dictionary.as_bytes(), zstandard.compress(dictionary.as_bytes())):
        data = b"\x5d\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content + frames
        found = read(data)
        assert [one.id for one in found] == [f"urn:uuid:{number}" for number in range(50)]
        assert read(data, start=found[30].offset) == found[30:]


def test_zstd_frames_that_hold_no_data(read, record):
    frame, first, second = (
        b"\x50\x2a\x4d\x18\x03\0\0\0abc",
        zstandard.compress(record(1)),
        zstandard.compress(record(2)),
    )
    found = read(first + frame + second)
    assert [(one.offset, one.problem) for one in found] == [(0, None), (len(first) + len(frame), None)]
    overlong = b"\x50\x2a\x4d\x18\xff\xff\0\0abc"
    assert [one.problem for one in read(first + overlong + second)] == [None, "garbage", None]


def test_a_broken_zstd_dictionary_is_refused(read, record):
    for content in (b"\x37\xa4\x30\xec" + b"\xff" * 50, b"\x28\xb5\x2f\xfd" + b"\xff" * 50):
        data = b"\x5d\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content + zstandard.compress(record(1))
        with pytest.raises(InputError, match="its zstd dictionary cannot be read"):
            read(data)


def test_a_record_larger_than_a_chunk(read, record):
    body = bytes(range(256)) * 12_000
    for data in (record(1, body), gzip.compress(record(1, body))):
        found = read(data + data)
        assert [(one.body, one.length_bytes) for one in found] == [(body, len(data))] * 2


@pytest.mark.parametrize("data", [b"\x00\x01binary" * 5000, b"just some text\n" * 50, gzip.compress(b'{"text": 1}\n')])
def test_what_is_no_warc_is_refused(read, data):
    with pytest.raises(InputError, match=r"no WARC record can be read in its \d+ bytes; expected a WARC file"):
        read(data)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_arc_is_refused_with_a_way_out(read, pack):
    data = pack(b"filedesc://a.arc 127.0.0.1 20140216050221 text/plain 75\n1 0 X\n\nhttp://example.com/ ...")
    with pytest.raises(InputError, match="is an ARC file; expected WARC. Convert it first: warcio recompress"):
        read(data)
