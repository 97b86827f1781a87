"""JSONL as a stream, plain or gzip: one object at a time, with the place of every mistake, bounded by line length."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from manifests.records import open_unpacked

LONGEST_LINE_BYTES = 16 << 20  # chosen here: a response of 100,000 tokens takes about half a megabyte

Placed = tuple[str, dict[str, Any]]


@dataclass
class Notes:
    """What was left out of an input and why, counted; shown with the result."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, count: int = 1) -> None:
        """Counts something of this kind."""
        self.counts[what] = self.counts.get(what, 0) + count

    @property
    def lines(self) -> list[str]:
        """Such as `3 × unknown key \"foo\"`."""
        return [f"{count:,} × {what}" for what, count in self.counts.items()]


def read_objects(path: Path, notes: Notes) -> Iterator[Placed]:
    """(`file:line`, object) of every line; NaN and infinities become None. Raises InputError for what is no object.

    A last line without a newline that cannot be read is being written: it is left out and counted.
    """
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            yield where, _object(line)
        except (ValueError, RecursionError) as error:
            if not line.endswith(b"\n"):
                notes.add(f"unfinished last line of {path.name}")
                return
            raise InputError(f"{where}: is not a JSON object ({str(error)[:200]}); expected one a line.") from error


def _lines(path: Path) -> Iterator[bytes]:
    with open_unpacked(path) as file:
        number = 0
        while True:
            number += 1
            try:
                line = file.readline(LONGEST_LINE_BYTES + 1)
            except (OSError, EOFError, zlib.error) as error:
                raise InputError(f"{path}:{number}: cannot be read on ({error}); expected a whole file.") from error
            if len(line) > LONGEST_LINE_BYTES:
                raise InputError(f"{path}:{number}: is longer than {LONGEST_LINE_BYTES:,} bytes; expected JSONL.")
            if not line:
                return
            yield line


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line.decode("utf-8"), parse_constant=lambda name: None)
    if not isinstance(value, dict):
        raise ValueError(f"holds {type(value).__name__}")
    return value
