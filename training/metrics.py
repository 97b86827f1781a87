"""metrics.jsonl: one line a step, appended; after an interruption the lines past the checkpoint are cut off."""

import json
import os
from pathlib import Path
from typing import IO, Any

from manifests.errors import InputError
from manifests.records import atomic_path, explain_os_error


class MetricsLog:
    """The log of one phase, positioned after step `after_step`: no step ever stands in it twice."""

    def __init__(self, path: Path, after_step: int) -> None:
        self._path = path
        cut_after(path, after_step)
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def write(self, line: dict[str, Any]) -> None:
        """Appends one step; it reaches the file at once, so that a reader sees whole lines."""
        try:
            self._file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise explain_os_error(self._path, error) from error

    def sync(self) -> None:
        """Makes the lines so far outlive a power failure, before a checkpoint says that they are there."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def cut_after(path: Path, step: int) -> None:
    """Leaves the lines of steps 1 … `step` and drops the rest, a half-written last line included, in one move."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for line in read_metrics(path):
            if line["step"] <= step:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Every whole line of the log, in order; an unfinished last line is left out."""
    if not path.exists():
        return []
    lines = path.read_text("utf-8").split("\n")[:-1]  # what follows the last newline is not finished
    return [_line(f"{path}:{number}", line) for number, line in enumerate(lines, start=1)]


def _line(where: str, text: str) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads(text)
        line["step"] = int(line["step"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{where}: is not a line of metrics ({error}); expected JSON with a step.") from error
    return line
