"""The records of a WARC file, whole or damaged: every record of every type once, in file order, and nothing left out.

Lengths are believed only if a record ends where they say. Whatever cannot be read becomes a record with a problem:
`corrupt_member` (does not unpack, or its checksum is wrong), `truncated` (the file ends inside it), `bad_length`,
`bad_version`, `bad_header`, `garbage` (bytes that are no record), `body_too_large`, `bad_encoding`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from curation.read.http import Payload, header_end, media_type, parse_fields, read_http
from curation.read.members import Chunk
from curation.read.records import DAMAGED, InputRecord, digest_id, utc_date
from curation.read.source import Source
from curation.read.text import LOOK_BYTES, RECORD_END, VERSION_LINE, Text

KINDS = frozenset({"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation"})
HTTP_KINDS = frozenset({"response", "request", "revisit"})
LONGEST_ID = 512
USUAL_HEADER_BYTES = 1 << 11


@dataclass(slots=True)
class Cut:
    """One record as cut out of the file: the fields of its WARC header, its block `data[start:stop]`, its problem."""

    fields: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    start: int = 0
    stop: int = 0
    problem: str | None = None
    detail: str | None = None
    digest: str | None = None
    offset: int = 0
    length_bytes: int = 0


def cut_records(chunks: Iterator[Chunk], plain: Source | None, max_body_bytes: int) -> Iterator[Cut]:
    """Every record of the chunks. `plain`: the file, if it is not compressed."""
    chunk = next(chunks, None)
    while chunk is not None:
        if cut := _whole_member(chunk):
            yield cut
            chunk = next(chunks, None)
            continue
        text = Text(chunk, chunks, plain)
        yield from _cut_text(text, max_body_bytes)
        chunk = text.following


def _whole_member(chunk: Chunk) -> Cut | None:
    """The usual case, at once: one sound member that holds one sound record and no byte more."""
    if not (chunk.opens and chunk.closes) or chunk.problem or not chunk.data.endswith(RECORD_END):
        return None
    header = _read_header(chunk.data, 0)
    if header is None or header.problem or _content_length(header.fields) != len(chunk.data) - header.size - 4:
        return None
    cut = Cut(header.fields, chunk.data, header.size, len(chunk.data) - 4)
    cut.offset, cut.length_bytes = chunk.start, chunk.end - chunk.start
    return cut


def _cut_text(text: Text, max_body_bytes: int) -> Iterator[Cut]:
    """The records of one text. What broke the text is the problem of its only record, else a cut of its own."""
    held: Cut | None = None
    number = 0
    while text.skip_blank():
        place = text.location()
        cut = _cut_record(text, max_body_bytes)
        more, number = text.skip_blank(), number + 1
        cut.offset, cut.length_bytes = place, _length(text, place, alone=number == 1 and not more)
        if held and number == 2 and text.last.problem and cut.problem == "garbage" and not more:
            held.length_bytes = _length(text, held.offset, alone=True)
            number = 1  # what a broken member still gave after its record is no other record
            continue
        if held:
            yield held
        held = cut
    if text.last.problem and (held is None or (number > 1 and not held.problem)):
        if held:
            yield held
        held = Cut(digest=text.last.digest, offset=text.last.start)
        held.length_bytes = _length(text, text.last.start, alone=number == 0)
    if held:
        if text.last.problem:
            held.problem, held.detail = text.last.problem, text.last.detail
        yield held


def _length(text: Text, place: int, alone: bool) -> int:
    """The bytes of the file from `place` to the position: 0 if unknown, since several records share a member."""
    if text.plain:
        return text.location() - place
    return text.last.end - place if alone else 0


@dataclass(slots=True)
class _Header:
    fields: dict[str, str]
    size: int
    problem: str | None = None
    detail: str | None = None


def _cut_record(text: Text, max_body_bytes: int) -> Cut:
    """The record at the position, which moves past it."""
    text.load(LOOK_BYTES)
    header = _read_header(text.data, text.pos)
    if header is None:
        return _cut_unreadable(text)
    length = _content_length(header.fields)
    cut = Cut(header.fields, problem=header.problem, detail=header.detail)
    if length is None:
        shown = header.fields.get("content-length", "none")[:40]
        return _cut_wrong(text, header.size, cut, f"its Content-Length is {shown!r}; expected a number of bytes")
    if length > max_body_bytes + LOOK_BYTES:
        return _cut_large(text, header, cut, length)
    if not text.ends_record(header.size + length) or text.load(header.size + length) < header.size + length:
        return _cut_wrong(text, header.size, cut, _says(length))
    cut.data, cut.start = text.data, text.pos + header.size
    cut.stop = text.pos = cut.start + length
    return cut


def _cut_unreadable(text: Text) -> Cut:
    starts = text.data.startswith(b"WARC/", text.pos)
    digest = text.skip_to_record(1)
    if starts and not text.load(1) and not text.following:
        return Cut(problem="truncated", detail="the file ends inside a WARC header", digest=digest)
    if starts:
        return Cut(problem="bad_header", detail="its WARC header cannot be read", digest=digest)
    return Cut(problem="garbage", detail="these bytes are no WARC record", digest=digest)


def _cut_wrong(text: Text, past: int, cut: Cut, detail: str) -> Cut:
    """A record of unknown end: it goes as far as the next one after `past` bytes, which its length may have covered."""
    text.skip_to_record(past)
    cut.problem = cut.problem or "bad_length"
    if not text.load(1) and not text.following and cut.problem == "bad_length":
        cut.problem = "truncated"
    cut.detail = cut.detail or detail
    return cut


def _cut_large(text: Text, header: _Header, cut: Cut, length: int) -> Cut:
    """A record too large to hold. Only in a plain file can its end be looked at before everything up to it is read."""
    if text.plain and not text.ends_record(header.size + length):
        return _cut_wrong(text, header.size, cut, _says(length))
    if text.skip(header.size + length) or not text.ends_record(0):
        return _cut_wrong(text, 0, cut, _says(length))
    cut.problem, cut.detail = "body_too_large", f"the record has {length} bytes"
    return cut


def _says(length: int) -> str:
    return f"it does not end after the {length} bytes that its Content-Length says"


def _read_header(data: bytes, start: int) -> _Header | None:
    """The WARC header at `start`; None if there is none, or if another record starts before it ends."""
    end, gap = _find_header_end(data, start)
    if end < 0:
        return None
    head = data[start:end].decode("utf-8", "replace")
    version, _, lines = head.partition("\n")
    fields = parse_fields(lines)
    size = end + gap - start
    if not VERSION_LINE.match(data, start):
        if not any(name.startswith("warc-") for name in fields):
            return None
        return _Header(fields, size, "bad_version", f"its version line is {version.strip()[:40]!r}")
    if "warc-type" not in fields:
        return _Header(fields, size, "bad_header", "its WARC header names no WARC-Type")
    return _Header(fields, size)


def _find_header_end(data: bytes, start: int) -> tuple[int, int]:
    for reach in (USUAL_HEADER_BYTES, LOOK_BYTES):
        stop = min(len(data), start + reach)
        end, gap = header_end(data, start, stop)
        if VERSION_LINE.search(data, start + 1, end if end >= 0 else stop):
            break
        if end >= 0:
            return end, gap
    return -1, 0


def _content_length(fields: dict[str, str]) -> int | None:
    text = fields.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def to_record(path: str, offset: int, cut: Cut, max_body_bytes: int) -> InputRecord:
    """The record of a cut: what its WARC header says, and the payload with all codings undone."""
    fields = cut.fields
    kind = _kind(fields)
    url = fields.get("warc-target-uri", "").strip("<> \t") or None
    date = utc_date(fields.get("warc-date", ""))
    payload = _payload(cut, kind, max_body_bytes)
    record_id = fields.get("warc-record-id", "").strip("<> \t")
    if not 0 < len(record_id) <= LONGEST_ID:
        record_id = cut.digest or digest_id([url, date], payload.body)
    return InputRecord(
        path,
        offset,
        cut.length_bytes,
        kind,
        record_id,
        url,
        date,
        payload.status,
        payload.content_type,
        payload.charset,
        payload.body,
        kind == "conversion" and payload.content_type in (None, "text/plain"),
        payload.problem,
        payload.detail,
    )


def _kind(fields: dict[str, str]) -> str:
    if not fields:
        return DAMAGED
    kind = fields.get("warc-type", "").lower()
    return kind if kind in KINDS else "unknown"


def _payload(cut: Cut, kind: str, max_body_bytes: int) -> Payload:
    if cut.problem:
        return Payload(b"", problem=cut.problem, detail=cut.detail)
    content_type = cut.fields.get("content-type", "")
    if kind in HTTP_KINDS and (not content_type or content_type.lower().startswith("application/http")):
        return read_http(cut.data, cut.start, cut.stop, kind == "request", max_body_bytes)
    if cut.stop - cut.start > max_body_bytes:
        return Payload(b"", problem="body_too_large", detail=f"the record has {cut.stop - cut.start} bytes")
    return Payload(cut.data[cut.start : cut.stop], None, *media_type(content_type))
