"""The validation sets of a manifest: problems that are never trained on, the same ones at every evaluation."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from manifests.fingerprint import file_digest
from manifests.kinds.rl import ValidationSet
from manifests.records import open_unpacked
from training.rl.prompts.rows import Problem, Removed, read_problem
from training.rl.prompts.sameness import text_digest

# Chosen here: far above every benchmark, far below what a bomb unpacks to.
LINE_LIMIT_BYTES = 16 * 2**20
FILE_LIMIT_BYTES = 2**30


@dataclass(frozen=True)
class ValidationProblems:
    """One set: every text in it, the usable problems, and the others."""

    name: str
    path: Path
    digest: str
    texts: dict[str, str]  # id → problem, of every row
    problems: list[Problem]
    removed: list[Removed]


def read_validation(name: str, path: Path, described: ValidationSet) -> ValidationProblems:
    """The set in the file `path`. The id of a problem is `NAME:LINE`.

    Raises InputError, naming the line, for what is no JSON object or lacks a column, and for a file of no problems.
    """
    texts: dict[str, str] = {}
    found = []
    for number, row in _rows(path):
        text = _column(f"{path}:{number}", row, described.problem_column, f"validation.sets.{name}.problem_column")
        _column(f"{path}:{number}", row, described.answers.column, f"validation.sets.{name}.answers.column")
        if not isinstance(text, str):
            held = type(text).__name__
            raise InputError(
                f"{path}:{number}: {described.problem_column!r} holds {held}; expected the problem's text."
            )
        texts[f"{name}:{number}"] = text
        found.append(read_problem(name, f"{name}:{number}", text, row, described.answers))
    if not texts:
        raise InputError(f"{path}: holds no problem; expected a JSON object a line.")
    problems = [item for item in found if isinstance(item, Problem)]
    removed = [item for item in found if isinstance(item, Removed)]
    return ValidationProblems(name, path, file_digest(path), texts, problems, removed)


def draw(problems: list[Problem], most: int) -> set[str]:
    """The ids of at most `most` problems, the same every time: those whose texts have the smallest digests."""
    return {
        problem.id for problem in sorted(problems, key=lambda problem: (text_digest(problem.text), problem.id))[:most]
    }


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, row) of a JSONL file, plain or gzip."""
    read_bytes = 0
    try:
        with open_unpacked(path) as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE_LIMIT_BYTES + 1), b""), start=1):
                read_bytes += len(line)
                if len(line) > LINE_LIMIT_BYTES or read_bytes > FILE_LIMIT_BYTES:
                    raise InputError(
                        f"{path}:{number}: passes {LINE_LIMIT_BYTES:,} bytes a line or {FILE_LIMIT_BYTES:,} in all; "
                        "expected one problem a line, in a set that can be evaluated."
                    )
                if line.strip():
                    yield number, _row(f"{path}:{number}", line)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); expected a JSONL file, plain or gzip.") from error


def _row(where: str, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not JSON ({error}); expected one JSON object a line.") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: holds {type(row).__name__}; expected one JSON object a line.")
    return row


def _column(where: str, row: dict[str, Any], column: str, key: str) -> Any:
    if column not in row:
        raise InputError(f"{where}: has no {column!r}; its columns are {', '.join(row)}. Name the column with {key}.")
    return row[column]
