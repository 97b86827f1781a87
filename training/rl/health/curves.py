"""Curves from a CSV, plain or gzip: the validation accuracy and lengths of one or many runs, as lines of ours."""

import csv
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import InputError
from manifests.records import open_unpacked
from training.rl.health.jsonl import Notes
from training.rl.health.lines import Line, checked

REQUIRED = ("step", "accuracy")
# column → key of a validation line
COLUMNS = {
    "accuracy": "accuracy", "mean_correct_length_tokens": "correct_tokens_mean",
    "max_response_length_tokens": "cap", "mean_length_tokens": "response_tokens_mean", "truncated": "truncated",
    "problems": "problems",
}  # fmt: skip
NAMES = ("run", "benchmark", "step")
MOST_ROWS = 2_000_000  # held at once, to put them in order; chosen here
EMPTY = {"", "nan", "null", "none"}

Curves = dict[str, list[Line]]


def read_curves(path: Path, notes: Notes) -> Curves:
    """Run → its validation lines by rollout step. Raises InputError with file and line.

    Columns in any order: `step` (rollout step) and `accuracy` (0 to 1) are required; `run`, `benchmark`,
    `mean_correct_length_tokens` (empty where no answer is correct), `max_response_length_tokens` (the cap),
    `mean_length_tokens`, `truncated` and `problems` are not. A row without accuracy was not evaluated: counted.
    Accuracy in percent is refused at the first value above 1.
    """
    curves: Curves = {}
    seen: dict[tuple[str, str, int], int] = {}
    for number, row in _rows(path, notes):
        where = f"{path}:{number}"
        run, benchmark = row.get("run") or path.name, row.get("benchmark") or "validation"
        step = _whole(where, "step", row["step"])
        if (first := seen.setdefault((run, benchmark, step), number)) != number:
            raise InputError(f"{where}: {benchmark} of {run} at step {step:,} stands in line {first:,} too.")
        lines = curves.setdefault(run, [])
        if row["accuracy"].lower() in EMPTY:
            notes.add("row without accuracy, not evaluated")
        else:
            lines.append(_line(where, row, benchmark, step, notes))
    for lines in curves.values():
        lines.sort(key=lambda line: line["rollout_step"])
    return curves


def _line(where: str, row: dict[str, str], benchmark: str, step: int, notes: Notes) -> Line:
    line: Line = {"rollout_step": step, "set": benchmark}
    for column, key in COLUMNS.items():
        text = row.get(column, "")
        if text.lower() not in EMPTY:
            line[key] = (_whole if key in ("cap", "problems") else _decimal)(where, column, text)
    return checked(where, line, notes)[1]


def _rows(path: Path, notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
    """(line of the file, column → text) of every row."""
    with open_unpacked(path) as packed, io.TextIOWrapper(packed, "utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            columns = _header(path, next(reader, []), notes)
            for row in reader:
                if len(row) != len(columns) and row:
                    raise InputError(
                        f"{path}:{reader.line_num}: has {len(row)} cells for {len(columns)} columns; expected as many."
                    )
                if reader.line_num > MOST_ROWS:
                    raise InputError(f"{path}: has more than {MOST_ROWS:,} rows; expected fewer. Split it by run.")
                if row:
                    yield reader.line_num, dict(zip(columns, (cell.strip() for cell in row), strict=True))
        except (csv.Error, UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
            where = f"{path}:{reader.line_num + 1}"
            raise InputError(f"{where}: cannot be read ({error}); expected CSV in UTF-8.") from error


def _header(path: Path, columns: list[str], notes: Notes) -> list[str]:
    names = [column.strip() for column in columns]
    missing = [name for name in REQUIRED if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing or twice:
        wrong = f"has no column {', '.join(missing)}" if missing else f"has column {', '.join(twice)} twice"
        raise InputError(
            f"{path}:1: {wrong}; its columns are {', '.join(names)[:300] or 'none'}. Expected step and accuracy, and "
            f"maybe {', '.join(name for name in (*NAMES, *COLUMNS) if name not in REQUIRED)}."
        )
    for name in names:
        if name not in NAMES and name not in COLUMNS:
            notes.add(f"column {name[:60]!r}, not used")
    return names


def _whole(where: str, column: str, text: str) -> int:
    number = _decimal(where, column, text)
    if number < 0 or number != int(number):
        raise InputError(f"{where}: {column} is {text[:60]!r}; expected a whole number of 0 or more.")
    return int(number)


def _decimal(where: str, column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e15:  # also what is no number at all
        raise InputError(f"{where}: {column} is {text[:60]!r}; expected a number.")
    return number
