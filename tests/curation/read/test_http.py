"""HTTP payloads: codings undone, lies survived, sizes capped."""

import gzip
import io
import zlib

import pytest
import zstandard

from curation.read.http import dechunk, read_http

PAGE = b"<html>" + b"<p>x + y</p>" * 100


def payload(block: bytes, is_request: bool = False, max_body_bytes: int = 1_000_000):
    around = b"before" + block + b"\r\n\r\nafter"  # a block lies amid other bytes, none of which may get in
    return read_http(around, 6, 6 + len(block), is_request, max_body_bytes)


def brotli(data: bytes) -> bytes:
    from fastwarc.stream_io import BrotliWriter

    target = io.BytesIO()
    writer = BrotliWriter(target)
    writer.write(data)
    writer.close()
    return target.getvalue()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODINGS = {
    "gzip": gzip.compress(PAGE),
    "X-GZip": gzip.compress(PAGE),
    "deflate": zlib.compress(PAGE),
    "deflate ": raw_deflate(PAGE),
    "br": brotli(PAGE),
    "zstd": zstandard.compress(PAGE),
    "gzip, br": brotli(gzip.compress(PAGE)),
    "identity": PAGE,
    "utf-8": PAGE,
}


@pytest.mark.parametrize("name", CODINGS)
def test_content_codings_are_undone(name):
    block = f"HTTP/1.1 200 OK\r\ncontent-encoding: {name}\r\n\r\n".encode() + CODINGS[name]
    assert payload(block).body == PAGE
    assert payload(block).problem is None


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_is_not_encoded_as_announced_stays(name):
    got = payload(f"HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\n\r\n".encode() + PAGE)
    assert (got.body, got.problem) == (PAGE, None)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_an_encoded_body_that_breaks_off_is_a_problem(name):
    got = payload(f"HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\n\r\n".encode() + CODINGS[name][:-12])
    assert (got.body, got.problem, got.status) == (b"", "bad_encoding", 200)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_unpacks_to_too_much_is_a_problem(name):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli, "zstd": zstandard.compress}[name]
    block = f"HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\n\r\n".encode() + pack(bytes(2_000_000))
    got = payload(block)
    assert (got.body, got.problem, got.detail) == (b"", "body_too_large", "the body is larger than 1000000 bytes")
    assert payload(block, max_body_bytes=2_000_000).body == bytes(2_000_000)


def test_a_plain_body_that_is_too_large():
    assert payload(b"HTTP/1.1 200 OK\r\n\r\n" + PAGE, max_body_bytes=100).problem == "body_too_large"
    assert payload(PAGE, max_body_bytes=100).problem == "body_too_large"
    assert payload(b"HTTP/1.1 200 OK\r\n\r\n" + PAGE, max_body_bytes=len(PAGE)).body == PAGE


def test_more_codings_than_any_server_uses():
    got = payload(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip, gzip\r\n\r\n" + PAGE)
    assert got.problem == "bad_encoding"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", b"hello world"),
        (b"5;name=value\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", b"hello"),
        (b"5\nhello\n6\n world\n0\n\n", b"hello world"),
        (b"005  \r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5\r\nhello\r\n6\r\n wor", b"hello wor"),
        (b"5\r\nhello", b"hello"),
        (b"0\r\n\r\n", b""),
        (b"", b""),
        (b"<html>plain</html>", b"<html>plain</html>"),
        (b"5\r\nhello\r\nwrong\r\n", b"5\r\nhello\r\nwrong\r\n"),
        (b"1234\r\nis a number on a page", b"1234\r\nis a number on a page"),
        (b"-5\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n"),
        (b"fffffffff\r\nhello", b"fffffffff\r\nhello"),
    ],
)
def test_chunks(sent, meant):
    assert dechunk(sent) == meant


def test_chunked_and_compressed():
    packed = gzip.compress(PAGE)
    chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (10, packed[:10], len(packed) - 10, packed[10:])
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    assert payload(head + chunks).body == PAGE


@pytest.mark.parametrize(
    ("block", "status", "content_type", "body"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Type: TEXT/HTML\r\n\r\nx", 404, "text/html", b"x"),
        (b"HTTP/2 200\r\n\r\nx", 200, None, b"x"),
        (b"HTTP/1.0 200 OK\nContent-Type: text/plain\n\nx\n\ny", 200, "text/plain", b"x\n\ny"),
        (b"HTTP 200\r\nContent-Type text/html\r\n\r\n<p>", None, None, b"<p>"),
        (b"HTTP/1.1 OK\r\nContent-Type: text/html\r\n\r\n<p>", None, "text/html", b"<p>"),
        (b"HTTP/1.1 999 What\r\n\r\nx", None, None, b"x"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Type: text/html\r\n\r\nx", 200, "text/html", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n<html>\n\n<p>", 200, "text/html", b"<html>\n\n<p>"),
        (b"HTTP/1.1 304 Not Modified\r\nServer: x", 304, None, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Type: html\r\n\r\nx", 200, None, b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Type:\r\n\r\nx", 200, None, b"x"),
        (b"Content-Type: text/html\r\nServer: x\r\n\r\n<p>", None, "text/html", b"<p>"),
        (b"Dear: reader\r\n\r\nthis is a page", None, None, b"Dear: reader\r\n\r\nthis is a page"),
        (b"<!DOCTYPE html>\n\n<p>", None, None, b"<!DOCTYPE html>\n\n<p>"),
        (b"", None, None, b""),
    ],
)
def test_headers_whole_broken_and_missing(block, status, content_type, body):
    got = payload(block)
    assert (got.status, got.content_type, got.body, got.problem) == (status, content_type, body, None)


@pytest.mark.parametrize(
    ("value", "charset"),
    [
        (b"text/html; charset=UTF-8", "utf-8"),
        (b"text/html;charset='Shift_JIS'", "shift_jis"),
        (b'text/html; foo=bar; CHARSET = "iso-8859-1"; x', "iso-8859-1"),
        (b"text/html; charset=", None),
        (b"text/html", None),
    ],
)
def test_the_charset_is_carried_not_used(value, charset):
    got = payload(b"HTTP/1.1 200 OK\r\nContent-Type: " + value + b"\r\n\r\n\xff")
    assert (got.charset, got.content_type, got.body) == (charset, "text/html", b"\xff")


def test_a_request():
    got = payload(b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=b", is_request=True)
    assert (got.status, got.body, got.content_type) == (None, b"a=b", "application/x-www-form-urlencoded")


def test_a_gigantic_header_line():
    got = payload(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX: " + b"a" * 900_000 + b"\r\n\r\n<p>")
    assert (got.status, got.content_type, got.body) == (200, "text/html", b"<p>")


def test_header_bytes_that_are_no_ascii():
    got = payload("HTTP/1.1 200 Добро\r\nContent-Type: text/html; charset=Ünïcode\r\n\r\n<p>".encode())
    assert (got.status, got.content_type, got.charset, got.body) == (200, "text/html", None, b"<p>")
