"""Opening a WARC file: which container it is, from where it is read, and whether it is a WARC file at all."""

from collections.abc import Iterator
from itertools import chain, islice

from curation.read.members import (
    PLAIN,
    SEARCH_BYTES,
    Codec,
    chunks_of,
    compression,
    gzip_codec,
    next_member,
    starts_with,
    zstd_codec,
)
from curation.read.records import InputRecord
from curation.read.source import Source
from curation.read.text import VERSION_LINE
from curation.read.warc import Cut, cut_records, to_record
from manifests.errors import InputError

BEGINNING = b"WARC/"
MOST_UNREADABLE = 1000
"""A file whose first stretches are all unreadable, this many, is taken for no WARC file. Chosen here."""


def read_warc(path: str, start: int, max_body_bytes: int) -> Iterator[InputRecord]:
    """Every record from the place `start` on. Raises InputError for a file in which no WARC header can be read."""
    with Source(path) as source:
        codec = _warc_compression(source)
        at_member = isinstance(codec, Codec) and starts_with(source, start, codec, BEGINNING)
        place = start if codec == PLAIN or at_member else 0  # elsewhere: read through from the first record
        chunks = chunks_of(source, codec, place, BEGINNING)
        cuts = cut_records(chunks, source if codec == PLAIN else None, max_body_bytes)
        if not start:
            cuts = chain(_first_cuts(source, cuts), cuts)
        for cut in cuts:
            place = max(place, cut.offset)
            if place >= start:
                yield to_record(path, place, cut, max_body_bytes)
            place += 1  # records that share a member count up from where it starts


def _warc_compression(source: Source) -> Codec | str:
    """The same for a WARC file, which is also known by the first record in it if its first bytes are damaged."""
    codec, gzip = compression(source), gzip_codec()
    head = bytes(source.at(0, SEARCH_BYTES))
    if head.startswith(b"filedesc:") or starts_with(source, 0, gzip, b"filedesc:"):
        raise InputError(
            f"{source.path}: is an ARC file; expected WARC. Convert it first: warcio recompress IN.arc.gz OUT.warc.gz"
        )
    if codec != PLAIN or VERSION_LINE.search(head):
        return codec
    first = {next_member(source, 0, codec, BEGINNING): codec for codec in (zstd_codec(source), gzip)}
    return first[min(first)] if min(first) < source.size_bytes else PLAIN


def _first_cuts(source: Source, cuts: Iterator[Cut]) -> list[Cut]:
    """The cuts up to the first with a readable header, of which there must be one early on."""
    first = []
    for cut in islice(cuts, MOST_UNREADABLE):
        first.append(cut)
        if cut.fields:
            return first
    raise InputError(
        f"{source.path}: no WARC record can be read in its {source.size_bytes} bytes; expected a WARC file, plain or "
        "compressed with gzip, zstd or lz4. Remove it from the inputs, or name its format."
    )
