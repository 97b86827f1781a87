"""The payload of a captured HTTP message, as a browser would take it, with what its headers say.

What is wrong is taken as browsers take it: lines that are no field are passed over; wrong chunks, and bodies that are
not compressed as announced, stay as they are. Without a usable status line there is no status. A block without any
HTTP header is the page itself; one that starts with fields, without a status line, loses them.
"""

import io
import re
from dataclasses import dataclass

from curation.read.members import ZLIB_ERROR, zlib

STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+([1-5]\d\d)\b")
MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,100}", re.ASCII)
CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:+-]{1,40})""", re.ASCII | re.IGNORECASE)
FIELD = re.compile(rb"[!#-'*+.0-9A-Z^-z|~-]+[ \t]*:")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]{0,200})?\r?\n")
FOLD = re.compile(r"\r?\n[ \t]+")
HEADER_BYTES = 1 << 16
KNOWN_FIELDS = frozenset({"content-type", "content-length", "server", "date", "location", "last-modified"})
ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "br", "zstd": "zstd"}
MOST_ENCODINGS = 3


class Undecodable(Exception):
    """A body that starts as its Content-Encoding says and breaks later."""


class TooLarge(Exception):
    """A body that unpacks to more than is allowed."""


@dataclass(slots=True)
class Payload:
    """A body with its content and transfer codings undone, not decoded to text; empty if there is a problem."""

    body: bytes
    status: int | None = None
    content_type: str | None = None
    charset: str | None = None
    problem: str | None = None
    detail: str | None = None


def read_http(data: bytes, start: int, stop: int, is_request: bool, max_body_bytes: int) -> Payload:
    """The payload of the HTTP message in `data[start:stop]`, the block of a WARC record."""
    status = STATUS_LINE.match(data, start)
    fields, body = _split(data, start, stop, bool(status) or is_request)
    payload = Payload(data[body:stop], int(status[1]) if status else None, *media_type(fields.get("content-type", "")))
    if fields or len(payload.body) > max_body_bytes:
        _undo_codings(payload, fields, max_body_bytes)
    return payload


def _split(data: bytes, start: int, stop: int, has_start_line: bool) -> tuple[dict[str, str], int]:
    """The header fields, and where the body starts: at `start` if the block has no header."""
    end, gap = header_end(data, start, stop)
    if has_start_line or data[start : start + 5].upper() in (b"HTTP/", b"HTTP "):
        markup = data.find(b"\n<", start, end if end >= 0 else stop)  # the blank line is missing: no field starts so
        body = markup + 1 if markup >= 0 else end + gap if end >= 0 else stop
        return parse_fields(data[start : min(body, start + HEADER_BYTES)].decode("latin-1")), body
    if start <= end <= start + HEADER_BYTES and FIELD.match(data, start):
        fields = parse_fields(data[start:end].decode("latin-1"))
        if KNOWN_FIELDS & fields.keys():
            return fields, end + gap
    return {}, start


def header_end(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where a header that starts at `start` ends, and how many bytes separate it from what follows; -1 if nowhere."""
    end = data.find(b"\r\n\r\n", start, stop)
    bare = data.find(b"\n\n", start, end if end >= 0 else stop)
    return (bare, 2) if bare >= 0 else (end, 4)


def parse_fields(header: str) -> dict[str, str]:
    """Header fields by lower-case name, the first of several; folded lines joined, lines without a colon left out."""
    if "\n " in header or "\n\t" in header:
        header = FOLD.sub(" ", header)
    fields: dict[str, str] = {}
    for line in header.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def media_type(value: str) -> tuple[str | None, str | None]:
    """The media type and the charset of a Content-Type field, in lower case; None for what it does not say."""
    if not value:
        return None, None
    media, charset = MEDIA_TYPE.match(value), CHARSET.search(value)
    return media[0].lower() if media else None, charset[1].lower() if charset else None


def _undo_codings(payload: Payload, fields: dict[str, str], max_body_bytes: int) -> None:
    try:
        if "chunked" in fields.get("transfer-encoding", "").lower():
            payload.body = dechunk(payload.body)
        if encodings := fields.get("content-encoding"):
            payload.body = decode_content(payload.body, encodings, max_body_bytes)
        if len(payload.body) > max_body_bytes:
            raise TooLarge
    except Undecodable as error:
        payload.body, payload.problem, payload.detail = b"", "bad_encoding", str(error)
    except TooLarge:
        payload.body, payload.problem = b"", "body_too_large"
        payload.detail = f"the body is larger than {max_body_bytes} bytes"


def dechunk(body: bytes) -> bytes:
    """The body without its chunk sizes; the body itself where they are wrong. A cut last chunk counts as it is."""
    whole, position = bytearray(), 0
    while line := CHUNK_SIZE.match(body, position):
        size, start = int(line[1], 16), line.end()
        whole += body[start : start + size]
        position = start + size
        if not size or (position >= len(body) and line.start()):
            return bytes(whole)
        if body[position : position + 2] == b"\r\n":
            position += 2
        elif body[position : position + 1] == b"\n":
            position += 1
    return bytes(whole) if whole and position == len(body) else body


def decode_content(body: bytes, encodings: str, max_body_bytes: int) -> bytes:
    """The body with its content codings undone. Raises Undecodable or TooLarge; unknown codings count as none."""
    known = [ENCODINGS[name] for token in encodings.split(",") if (name := token.strip().lower()) in ENCODINGS]
    if len(known) > MOST_ENCODINGS:
        raise Undecodable(f"the body is said to be encoded {len(known)} times")
    for name in reversed(known):
        body = _decode(body, name, max_body_bytes)
    return body


def _decode(body: bytes, name: str, max_body_bytes: int) -> bytes:
    if not body or (name == "gzip" and body[:2] != b"\x1f\x8b"):
        return body
    try:
        if name in ("gzip", "deflate"):
            decoded = _inflate(body, name, max_body_bytes + 1)
        else:
            decoded = _read_packed(body, name, max_body_bytes + 1)
    except (ZLIB_ERROR, OSError, EOFError) as error:
        if name != "gzip" and _looks_plain(body):
            return body
        raise Undecodable(f"the body is said to be {name} and is not, or not wholly ({error})") from None
    if len(decoded) > max_body_bytes:
        raise TooLarge
    return decoded


def _inflate(body: bytes, name: str, limit: int) -> bytes:
    wrapped = name == "gzip" or (body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0)
    decoder = zlib.decompressobj(47 if wrapped else -15)  # servers send "deflate" with and without the zlib wrapper
    decoded = decoder.decompress(body, limit)
    if not decoder.eof and len(decoded) < limit:
        raise EOFError("it ends too early")
    return decoded


def _read_packed(body: bytes, name: str, limit: int) -> bytes:
    from fastwarc.stream_io import BrotliReader, ZstdReader

    reader = (BrotliReader if name == "br" else ZstdReader)(io.BytesIO(body))
    return reader.read(limit)


def _looks_plain(body: bytes) -> bool:
    """Whether a body starts as text does: no control characters but white space."""
    return not re.search(rb"[\x00-\x08\x0b\x0e-\x1f]", body[:256])
