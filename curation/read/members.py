"""What a file holds once it is unpacked: decompressed chunks, each with its place, and what will not unpack.

Gzip members and zstd frames are unpacked one by one, with exact bounds and their checksums; where one is corrupt, or
where bytes between them belong to none, reading goes on at the next one. An lz4 file is one single stretch.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from curation.read.source import Source
from manifests.errors import InputError

try:
    from zlib_ng import zlib_ng as zlib  # the same interface and output as the standard library's, in half the time
except ImportError:
    import zlib  # type: ignore[no-redef]

ZLIB_ERROR: Any = zlib.error
PLAIN, LZ4 = "plain", "lz4"
GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = b"\x50\x2a\x4d\x18"
"""The first of 16 magic numbers of frames that hold no data (RFC 8878, 3.1.2); the low bits of the first byte vary."""
LZ4_MAGIC = b"\x04\x22\x4d\x18"
CHUNK_BYTES = 1 << 20
ZSTD_BLOCK_BYTES = (1 << 17) + 64
SEARCH_BYTES = 1 << 16
MOST_DICTIONARY_BYTES = 64 << 20
OVERRUN_BYTES = 1 << 20
"""A corrupt member is noticed after its end, rarely more than some 10 kB; the next one is looked for that far back."""


@dataclass(slots=True)
class Chunk:
    """Decompressed bytes. `start`: where their member starts in the file, or they themselves in a plain file. `end`:
    how far the file is read. `opens`, `closes`: they start, or end, their member. With a `problem` nothing more can be
    unpacked of this member, and `end` is where reading goes on.
    """

    data: bytes
    start: int
    end: int
    opens: bool
    closes: bool
    problem: str | None = None
    detail: str | None = None
    digest: str | None = None  # with a problem: of the bytes of the file from `start` to `end`


@dataclass(frozen=True)
class Codec:
    """How members of one kind are found and unpacked. `decoder` makes a decompressor of one member, as zlib has them;
    it raises `error`. `piece_bytes` of input never grow to more than about 32 MB; `probe_bytes` give the first text.
    """

    name: str
    magic: bytes
    piece_bytes: int
    probe_bytes: int
    decoder: Callable[[], Any]
    error: Any


def gzip_codec() -> Codec:
    """Gzip members (RFC 1952). Deflate grows at most 1,032 times."""
    return Codec("gzip member", GZIP_MAGIC, 1 << 14, 1 << 10, lambda: zlib.decompressobj(31), ZLIB_ERROR)


def zstd_codec(source: Source) -> Codec:
    """Zstandard frames, with the dictionary of a WARC.zst that starts with one. Four bytes may grow to 128 KiB, and
    nothing is given out before the end of a block."""
    import zstandard

    try:
        content = _leading_dictionary(source)
        engine = zstandard.ZstdDecompressor(zstandard.ZstdCompressionDict(content) if content else None)
        engine.decompressobj()
    except (zstandard.ZstdError, ValueError) as error:
        raise InputError(
            f"{source.path}: its zstd dictionary cannot be read ({error}); expected a sound one."
        ) from error
    return Codec("zstd frame", ZSTD_MAGIC, 1 << 10, ZSTD_BLOCK_BYTES, engine.decompressobj, zstandard.ZstdError)


def compression(source: Source) -> Codec | str:
    """How a file is compressed, by its first bytes: a codec, LZ4 or PLAIN."""
    head = bytes(source.at(0, 4))
    if head == LZ4_MAGIC:
        return LZ4
    if head == ZSTD_MAGIC or (head[1:] == ZSTD_SKIPPABLE[1:] and head[0] & 0xF0 == ZSTD_SKIPPABLE[0]):
        return zstd_codec(source)
    return gzip_codec() if head.startswith(GZIP_MAGIC) else PLAIN


def chunks_of(source: Source, codec: Codec | str, place: int, beginning: bytes) -> Iterator[Chunk]:
    """What a file holds from `place` on. `beginning`: how a member starts at which to go on after damage."""
    if isinstance(codec, Codec):
        return _member_chunks(source, place, codec, beginning)
    return _plain_chunks(source, place) if codec == PLAIN else _lz4_chunks(source)


def _plain_chunks(source: Source, position: int) -> Iterator[Chunk]:
    """The bytes of a file that is not compressed."""
    while data := bytes(source.at(position, CHUNK_BYTES // 4)):
        end = position + len(data)
        yield Chunk(data, position, end, False, end >= source.size_bytes)
        position = end


def _member_chunks(source: Source, position: int, codec: Codec, beginning: bytes) -> Iterator[Chunk]:
    """The members from `position` on, and the stretches between them that are none."""
    while head := source.at(position, 8):
        if head[: len(codec.magic)] == codec.magic:
            for chunk in _unpack(source, position, codec, beginning):
                position = chunk.end
                yield chunk
        elif codec.magic == ZSTD_MAGIC and 0 < _skippable_bytes(head) <= source.size_bytes - position:
            position += _skippable_bytes(head)
        else:
            end = next_member(source, position + 1, codec, beginning)
            detail, digest = f"{end - position} bytes are no {codec.name}", _digest(source, position, end)
            yield Chunk(b"", position, end, True, True, "garbage", detail, digest)
            position = end


def _lz4_chunks(source: Source) -> Iterator[Chunk]:
    """A whole lz4 file as one member: its frames have no bounds that could be relied on."""
    from fastwarc.stream_io import Lz4Reader

    source.stream.seek(0)
    reader, opens = Lz4Reader(source.stream), True
    while True:
        try:
            data = reader.read(CHUNK_BYTES)
        except OSError as error:
            digest = _digest(source, 0, source.size_bytes)
            detail = f"the lz4 data are corrupt ({error})"
            yield Chunk(b"", 0, source.size_bytes, opens, True, "corrupt_member", detail, digest)
            return
        yield Chunk(data, 0, source.size_bytes, opens, not data)
        if not data:
            return
        opens = False


def next_member(source: Source, position: int, codec: Codec, beginning: bytes) -> int:
    """Where the next member starts whose content begins as it should, else the size of the file."""
    while window := bytes(source.at(position, SEARCH_BYTES)):
        found = window.find(codec.magic)
        while found >= 0:
            if starts_with(source, position + found, codec, beginning):
                return position + found
            found = window.find(codec.magic, found + 1)
        position += max(1, len(window) - len(codec.magic) + 1)
    return source.size_bytes


def starts_with(source: Source, position: int, codec: Codec, beginning: bytes) -> bool:
    """Whether the content of the member at `position` starts with `beginning`, apart from blank lines."""
    if source.at(position, len(codec.magic)) != codec.magic:
        return False
    content = _readable(source, position, codec, enough_bytes=64, step=codec.probe_bytes // 64, most_pieces=64)
    return content.lstrip(b"\r\n")[: len(beginning)] == beginning


def _unpack(source: Source, start: int, codec: Codec, beginning: bytes) -> Iterator[Chunk]:
    decoder, position, opens = codec.decoder(), start, True
    parts: list[bytes] = []
    held_bytes = 0
    while not decoder.eof:
        piece = source.at(position, codec.piece_bytes)
        before = None if opens or codec.magic != GZIP_MAGIC else decoder.copy()  # to get at all that an error leaves
        try:
            if not piece:
                raise EOFError("the file ends inside it")
            data = decoder.decompress(piece)
        except (EOFError, codec.error) as error:
            content = _readable(source, start, codec) if opens else b"".join(parts)
            if before:
                content += _readable(source, position, codec, before)
            end = next_member(source, max(start + 1, position - OVERRUN_BYTES), codec, beginning)
            # A corrupt member may well swallow the rest of the file; only if no other follows has the file been cut.
            problem = "truncated" if not piece and end >= source.size_bytes else "corrupt_member"
            detail = f"the {codec.name} that starts at byte {start} is broken ({error})"
            yield Chunk(content, start, end, opens, True, problem, detail, _digest(source, start, end))
            return
        position += len(piece)
        parts.append(data)
        held_bytes += len(data)
        if held_bytes >= CHUNK_BYTES and not decoder.eof:
            yield Chunk(b"".join(parts), start, position, opens, False)
            parts, held_bytes, opens = [], 0, False
    content = parts[0] if len(parts) == 1 else b"".join(parts)
    yield Chunk(content, start, position - len(decoder.unused_data), opens, True)


def _readable(
    source: Source,
    start: int,
    codec: Codec,
    decoder: Any = None,
    enough_bytes: int = CHUNK_BYTES,
    step: int = 16,
    most_pieces: int = 1 << 17,
) -> bytes:
    """What a member gives before its first error, up to about `enough_bytes`: unpacked in pieces of `step` bytes."""
    decoder, content = decoder or codec.decoder(), bytearray()
    for position in range(start, start + step * most_pieces, step):
        piece = source.at(position, step)
        if not piece or decoder.eof or len(content) >= enough_bytes:
            break
        try:
            content += decoder.decompress(piece)
        except codec.error:
            break
    return bytes(content)


def _digest(source: Source, start: int, end: int) -> str:
    digest = hashlib.sha256()
    for place in range(start, end, SEARCH_BYTES):
        digest.update(source.at(place, min(SEARCH_BYTES, end - place)))
    return "sha256:" + digest.hexdigest()


def _skippable_bytes(head: memoryview) -> int:
    """The size of a skippable frame with its header, 0 if this is none."""
    if len(head) < 8 or head[0] & 0xF0 != ZSTD_SKIPPABLE[0] or head[1:4] != ZSTD_SKIPPABLE[1:]:
        return 0
    return 8 + int.from_bytes(head[4:8], "little")


def _leading_dictionary(source: Source) -> bytes:
    """The dictionary that a WARC.zst may carry in its first, skippable frame (magic number 0x184D2A5D), or nothing."""
    head = source.at(0, 8)
    size = _skippable_bytes(head)
    if not size or head[0] != 0x5D or size > MOST_DICTIONARY_BYTES:
        return b""
    content = bytes(source.at(8, size - 8))
    if content[:4] != ZSTD_MAGIC:
        return content
    import zstandard

    return zstandard.ZstdDecompressor().stream_reader(content).read(MOST_DICTIONARY_BYTES)
