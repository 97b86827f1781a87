"""Decompressed text with a memory of where in the file it came from: what WARC records are cut out of."""

import hashlib
import re
from collections.abc import Iterator

from curation.read.members import Chunk
from curation.read.source import Source

VERSION_LINE = re.compile(rb"WARC/(?:0\.1[678]|1\.[01])[ \t]*\r?\n(?=[\w-]+[ \t]*:)")
BLANK = re.compile(rb"[\r\n]*")
RECORD_END = b"\r\n\r\n"
LOOK_BYTES = 1 << 16
"""How far a header may reach and how much is searched at once. Chosen here: 8 kB is the usual limit of web servers."""
AFTER_BYTES = 64
LINE_BYTES = 128
"""More than a version line and the name of the first field take: what two searches must share."""


class Text:
    """A run of text that starts where a record should and ends where reading must begin anew.

    It ends with the file, before a member that starts with a record (so that no wrong length reaches into it), before
    bytes that will not unpack, or after a broken member. A record may span members that go on where the last one ended.
    """

    def __init__(self, first: Chunk, chunks: Iterator[Chunk], plain: Source | None) -> None:
        """`plain`: the file, if it is not compressed and places are exact to the byte."""
        self.data, self.pos = first.data, 0
        self.last = first
        self.following: Chunk | None = None
        self.plain, self._chunks, self._ended = plain, chunks, False
        self._marks = [(0, first.start)]

    def load(self, size: int) -> int:
        """How many bytes lie ahead, after trying for `size`: fewer only if the text ends."""
        ahead = len(self.data) - self.pos
        if ahead >= size or self._ended:
            return ahead
        parts, wanted = [self.data[self.pos :]], size + size // 4  # larger steps, since each copies all that lies ahead
        self._forget(self.pos)
        while ahead < wanted and self._advance():
            self._marks.append((ahead, self.last.start))
            parts.append(self.last.data)
            ahead += len(self.last.data)
        self.data, self.pos = b"".join(parts), 0
        return ahead

    def location(self) -> int:
        """Where in the file the position lies: the byte itself, or the start of its member."""
        index, start = [mark for mark in self._marks if mark[0] <= self.pos][-1]
        return start + self.pos - index if self.plain else start

    def skip_blank(self) -> bool:
        """Goes past line ends. False if the text ends there."""
        while self.load(1):
            self.pos = BLANK.match(self.data, self.pos).end()  # type: ignore[union-attr]
            if self.pos < len(self.data):
                return True
        return False

    def skip(self, size: int) -> int:
        """Goes `size` bytes on without holding them; returns how many of them the text did not have."""
        while size and (ahead := self.load(1)):
            step = min(size, ahead)
            self.pos, size = self.pos + step, size - step
        return size

    def skip_to_record(self, past: int) -> str:
        """Goes `past` bytes on and then to the next version line or the end; returns the digest of what it passed."""
        digest = hashlib.sha256()
        self._leave(min(past, self.load(past)), digest)
        while ahead := self.load(LOOK_BYTES):
            if found := VERSION_LINE.search(self.data, self.pos):
                self._leave(found.start() - self.pos, digest)
                break
            self._leave(ahead - LINE_BYTES if ahead >= LOOK_BYTES else ahead, digest)
        return "sha256:" + digest.hexdigest()

    def ends_record(self, size: int) -> bool:
        """Whether a record ends in `size` bytes: by two line ends, as it should, or because the next one or nothing
        follows."""
        if self.plain and size > LOOK_BYTES:
            place = self.location() + size
            after = bytes(self.plain.at(place, AFTER_BYTES))
            ends = place <= self.plain.size_bytes <= place + len(after)
        else:
            ahead = self.load(size + AFTER_BYTES)
            after = self.data[self.pos + size : self.pos + size + AFTER_BYTES]
            ends = size <= ahead < size + AFTER_BYTES
        rest = after.lstrip(b"\r\n")
        return after.startswith(RECORD_END) or rest.startswith(b"WARC/") or (ends and not rest)

    def _leave(self, size: int, digest: "hashlib._Hash") -> None:
        digest.update(memoryview(self.data)[self.pos : self.pos + size])
        self.pos += size

    def _advance(self) -> bool:
        """Takes one more chunk, if it still belongs to this text."""
        if self._ended:
            return False
        chunk = next(self._chunks, None)
        if chunk is None or self.last.problem or (chunk.opens and begins_anew(chunk)):
            self.following, self._ended = chunk, True
            return False
        self.last = chunk
        return True

    def _forget(self, size: int) -> None:
        """Moves the marks to where they are once `size` bytes at the front are gone."""
        under = [mark for mark in self._marks if mark[0] <= size][-1]
        front = under[1] + size - under[0] if self.plain else under[1]
        self._marks = [(0, front), *((index - size, start) for index, start in self._marks if index > size)]


def begins_anew(chunk: Chunk) -> bool:
    """Whether nothing before this chunk can reach into it: it is no member at all, or it starts with a record."""
    return chunk.problem == "garbage" or chunk.data.lstrip(b"\r\n").startswith(b"WARC/")
