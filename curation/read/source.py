"""The bytes of one input file by position, local or through fsspec, in windows of bounded size."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Self, cast

from manifests.errors import InputError

WINDOW_BYTES = 1 << 18


class Source:
    """A file that is read by position. Every failure of the file itself is an InputError that names it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.stream = open_binary(path)
        try:
            self.size_bytes = self.stream.seek(0, os.SEEK_END)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read by position ({error}); expected a file that can seek.") from error
        if not self.size_bytes:
            raise InputError(f"{path}: is empty; expected at least one record. Remove it from the inputs.")
        self._window, self._start = b"", 0

    def at(self, offset: int, size: int) -> memoryview:
        """Up to `size` bytes from `offset`; fewer only where the file ends."""
        begin = offset - self._start
        if begin < 0 or begin + size > len(self._window):
            self._fill(offset, size)
            begin = offset - self._start
        return memoryview(self._window)[begin : begin + size]

    def _fill(self, offset: int, size: int) -> None:
        end = self._start + len(self._window)
        if self._start <= offset and end >= self.size_bytes:
            return
        try:
            self.stream.seek(offset)
            self._window, self._start = read_fully(self.stream, max(size, WINDOW_BYTES)), offset
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path}: cannot be read at byte {offset} ({error}). Check the disk.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stream.close()


def open_binary(path: str) -> BinaryIO:
    """The opened file. Raises InputError for what is missing, is no regular file or may not be read."""
    try:
        if "://" in path:
            import fsspec

            return cast(BinaryIO, fsspec.open(path, "rb").open())
        refuse_special(path)
        return Path(path).open("rb", buffering=0)
    except (OSError, ImportError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be opened ({reason}); expected a readable file.") from error


def refuse_special(path: str) -> None:
    """Raises InputError for folders, pipes, sockets and devices, without opening them (opening a pipe would wait)."""
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a named pipe" if stat.S_ISFIFO(mode) else "a special file"
        raise InputError(f"{path}: is {kind}; expected a regular file.")


def read_fully(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, or all that are left: a raw read may return fewer than were asked for."""
    data = stream.read(size)
    if len(data) == size:
        return data
    parts = [data]
    while data and (size := size - len(data)):
        data = stream.read(size)
        parts.append(data)
    return b"".join(parts)
