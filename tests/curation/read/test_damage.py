"""Damaged WARC files: nothing vanishes, neighbours survive, and every place stays readable by itself."""

import gzip
import hashlib
import random

import pytest
import zstandard

from manifests.errors import InputError


def place_and_problem(found):
    return [(one.offset, one.length_bytes, one.kind, one.problem) for one in found]


def test_garbage_between_members(read, record):
    first, second = gzip.compress(record(1)), gzip.compress(record(2))
    found = read(first + b"\0" * 40 + b"no gzip" + second)
    assert place_and_problem(found) == [
        (0, len(first), "response", None),
        (len(first), 47, "damaged", "garbage"),
        (len(first) + 47, len(second), "response", None),
    ]
    assert found[1].id == "sha256:" + hashlib.sha256(b"\0" * 40 + b"no gzip").hexdigest()
    assert found[1].detail == "47 bytes are no gzip member"


def test_garbage_between_plain_records(read, record):
    found = read(record(1) + b"some junk\r\n" + record(2))
    assert [one.problem for one in found] == [None, "garbage", None]
    assert sum(one.length_bytes for one in found) == len(record(1)) * 2 + 11


def test_a_corrupt_member_keeps_its_url_and_id(read, record):
    members = [gzip.compress(record(number, random.Random(number).randbytes(4000))) for number in range(3)]
    members[1] = members[1][:2000] + bytes(8) + members[1][2008:]
    found = read(b"".join(members))
    assert [one.problem for one in found] == [None, "corrupt_member", None]
    assert (found[1].url, found[1].id, found[1].body) == ("https://example.org/1", "urn:uuid:1", b"")
    assert [one.length_bytes for one in found] == [len(member) for member in members]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress])
@pytest.mark.parametrize("size", [500, 5_000, 200_000, 3_000_000])
def test_members_of_every_size_are_found_after_damage(read, record, pack, size):
    members = [pack(record(number, random.Random(number).randbytes(size))) for number in range(3)]
    middle = len(members[1]) // 2
    broken = members[1][:middle] + bytes(300) + members[1][middle + 300 :]
    for damage in (broken, members[1][300:], b"\0" * 3_000_000):
        found = read(members[0] + damage + members[2])
        assert [one.id for one in found if not one.problem] == ["urn:uuid:0", "urn:uuid:2"]
        assert [one.offset for one in found][-1] == len(members[0]) + len(damage)


def test_a_wrong_checksum_is_noticed(read, record):
    members = [gzip.compress(record(number)) for number in range(3)]
    members[1] = members[1][:-8] + bytes(4) + members[1][-4:]
    assert [one.problem for one in read(b"".join(members))] == [None, "corrupt_member", None]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("length", [0, 10, 300, 5000, 10**15 - 1, None])
def test_a_wrong_length_spoils_no_neighbour(read, record, pack, length):
    middle = record(2).replace(b"Content-Length: 83", b"Content-Length: " + str(length).encode())
    assert middle != record(2)
    found = read(pack(record(1)) + pack(middle) + pack(record(3)))
    assert [one.problem for one in found] == [None, "bad_length", None]
    assert (found[1].url, found[1].body) == ("https://example.org/2", b"")


def test_an_unknown_version_line(read, record):
    found = read(gzip.compress(record(1)) + gzip.compress(record(2, version=b"NOTWARC/9.9")) + gzip.compress(record(3)))
    assert [one.problem for one in found] == [None, "bad_version", None]
    assert (found[1].url, found[1].detail) == ("https://example.org/2", "its version line is 'NOTWARC/9.9'")


def test_a_header_without_type_and_one_without_end(read, record):
    untyped = record(2).replace(b"WARC-Type: response\r\n", b"")
    endless = b"WARC/1.0\r\nWARC-Type: response\r\nX: " + b"a" * 200_000
    found = read(record(1) + untyped + endless + record(3))
    assert [(one.kind, one.problem) for one in found] == [
        ("response", None),
        ("unknown", "bad_header"),
        ("damaged", "bad_header"),
        ("response", None),
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("missing", [3, 60, 200])
def test_a_file_that_ends_too_early(read, record, pack, missing):
    whole = pack(record(1)), pack(record(2, random.Random(0).randbytes(2000)))
    found = read(b"".join(whole)[:-missing])
    last = None if pack is bytes and missing == 3 else "truncated"  # three of the four closing line ends say nothing
    assert [one.problem for one in found] == [None, last]
    assert found[1].offset == len(whole[0])
    assert found[1].url == (
        "https://example.org/2" if pack is not zstandard.compress else None
    )  # it gives whole blocks


def test_large_bodies_are_passed_over_not_held(read, record):
    big = record(2, b"x" * 300_000)
    for data in (record(1) + big + record(3), gzip.compress(record(1) + big + record(3))):
        found = read(data, max_body_bytes=100_000)
        assert [one.problem for one in found] == [None, "body_too_large", None]
        assert (found[1].url, found[1].body) == ("https://example.org/2", b"")


def test_text_about_warc_is_no_record(read, record):
    page = b"<pre>\r\n\r\nWARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n</pre>"
    assert [(one.body, one.problem) for one in read(record(1, page) + record(2))] == [
        (page, None),
        (b"<html><p>page</p></html>", None),
    ]


def test_utf_16_headers_are_part_of_the_page(read, record):
    block = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>".encode("utf-16")
    (one,) = read(record(1, block, b""))
    assert (one.http_status, one.content_type, one.body) == (None, None, block)


def sound_files(record):
    records = [record(number, b"<p>%d</p>" % number * (1 + 40 * (number % 3))) for number in range(5)]
    return {
        "plain": records,
        "gzip": [gzip.compress(one) for one in records],
        "zstd": [zstandard.ZstdCompressor(write_checksum=True).compress(one) for one in records],
    }


def damaged(data: bytes, place: int, how: str, chance: random.Random) -> tuple[bytes, int, int]:
    """The data with one damage, and the stretch of the sound file that it touched."""
    size = chance.choice([1, 7, 60, 400])
    if how == "flip":
        return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :], place, place + 1
    if how == "cut":
        return data[:place] + data[place + size :], place, place + size
    if how == "zeros":
        return data[:place] + bytes(len(data[place : place + size])) + data[place + size :], place, place + size
    if how == "insert":
        return data[:place] + chance.randbytes(size) + data[place:], place, place
    return data[:place], place, len(data)


@pytest.mark.parametrize("how", ["flip", "cut", "zeros", "insert", "end"])
@pytest.mark.parametrize("container", ["plain", "gzip", "zstd"])
def test_one_damage_anywhere(read, record, container, how):
    """No exception, offsets that grow, stretches that fill the file, and every untouched record still there."""
    parts = sound_files(record)[container]
    bounds = [sum(map(len, parts[:index])) for index in range(6)]
    chance = random.Random(how)
    for place in range(1, bounds[-1], 5):
        data, begin, end = damaged(b"".join(parts), place, how, chance)
        untouched = [index for index in range(5) if bounds[index + 1] <= begin or bounds[index] >= end]
        try:
            found = read(data)
        except InputError:
            assert not untouched
            continue
        ends = [one.offset + one.length_bytes for one in found]
        assert [0, *ends[:-1]] == [one.offset for one in found] and ends[-1] == len(data)
        assert len({one.offset for one in found}) == len(found)
        sound = {one.id for one in found if not one.problem}
        assert sound >= {f"urn:uuid:{index}" for index in untouched}, (place, found)
        if place % 50 == 1:
            assert all(read(data, start=one.offset)[0] == one for one in found)


def test_many_damages_at_once(read, record):
    """Whatever the container: no exception but InputError, offsets that grow, and each finds its record again."""
    chance = random.Random(2)
    records = [record(number, b"<p>%d</p>" % number * 30) for number in range(4)]
    whole = b"".join(records)
    files = [
        gzip.compress(whole),
        b"".join(gzip.compress(whole[at : at + 300]) for at in range(0, len(whole), 300)),
        whole,
    ]
    snippets = [b"WARC/1.0\r\n", b"\r\n\r\n", b"\x1f\x8b\x08", b"Content-Length: 99999999999\r\n", b"\0" * 300]
    for _ in range(400):
        data = chance.choice(files) * 2
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(data) or 1)
            data = data[:place] + chance.choice(snippets) + data[place + chance.choice([0, 0, 5, 100]) :]
        try:
            found = read(data)
        except InputError:
            continue
        assert [one.offset for one in found] == sorted({one.offset for one in found})
        one = chance.choice(found)
        assert read(data, start=one.offset)[0] == one
