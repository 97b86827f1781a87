"""Labelled texts for training and evaluation, read from JSONL files, with every row that is left out counted."""

import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from manifests.kinds.classifier import Labels, Training
from manifests.records import open_unpacked

TRAIN, VALID = "train", "valid"
UNKNOWN = "(not stated)"
_PATH_IN_COMMIT = re.compile(r"(@[0-9a-f]{40}):.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One text with its label (None where the row has none), origin and split.

    The source is what the row says, but files of one commit (`…@<40 digits>:path`) are one source.
    """

    text: str
    label: str | None
    source: str
    licence: str
    split: str


@dataclass(slots=True)
class LabelledTexts:
    """The texts of some files in file order, and how many rows each rule of `exclude` left out."""

    texts: list[LabelledText] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def part(self, split: str) -> list[LabelledText]:
        """The labelled texts of one split."""
        return [text for text in self.texts if text.split == split and text.label is not None]


def read_training(training: Training, labels: Labels, folder: Path) -> LabelledTexts:
    """The labelled texts that a manifest names, below `folder`. Raises InputError for files, labels and columns."""
    files = training_files(training, folder)
    found = LabelledTexts()
    for path, label in files.items():
        read_file(path, training, labels, found, label)
    return found


def training_files(training: Training, folder: Path) -> dict[Path, str | None]:
    """Each file of a manifest → the label of all its rows, or None where a column says it."""
    named: dict[str, str | None] = dict.fromkeys(training.files)
    named |= training.one_label_files
    missing = [name for name in named if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"training.files: {folder} has no {', '.join(missing)}; expected JSONL files of labelled texts. "
            "Name the folder they lie in with --files DIR."
        )
    return {folder / name: label for name, label in named.items()}


def read_file(path: Path, training: Training, labels: Labels, found: LabelledTexts, label: str | None = None) -> None:
    """Adds the rows of one file to `found`. A row with a null label is kept without one: it is only looked at."""
    known = (labels.positive, labels.negative)
    for where, row in _rows(path):
        if rule := _excluded(row, training.exclude):
            found.left_out[rule] += 1
            continue
        text, stated = row.get(training.text_column), label or row.get(training.label_column)
        if not isinstance(text, str):
            raise InputError(f"{where}: {training.text_column!r} is {text!r:.40}; expected the text.")
        if stated is not None and stated not in known:
            expected = f"{labels.positive!r}, {labels.negative!r} or null"
            raise InputError(f"{where}: {training.label_column!r} is {stated!r:.40}; expected {expected}.")
        source = _PATH_IN_COMMIT.sub(r"\1", _stated(row, training.source_column))
        licence = _stated(row, training.licence_column)
        found.texts.append(LabelledText(text, stated, source, licence, _split(row, training, text, where)))


def read_plain(path: Path, text_column: str) -> Iterator[str]:
    """The texts of a JSONL file's column, or the one text of any other file."""
    if ".jsonl" not in path.suffixes:
        with open_unpacked(path) as file:
            yield file.read().decode("utf-8", "replace")
        return
    for where, row in _rows(path):
        if not isinstance(row.get(text_column), str):
            raise InputError(f"{where}: {text_column!r} is {row.get(text_column)!r:.40}; expected the text.")
        yield row[text_column]


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(`file:line`, row) for each line of a JSONL file, plain or gzip."""
    number = 0
    try:
        with open_unpacked(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path}:{number}", _row(line, f"{path}:{number}")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}:{number + 1}: cannot be read ({error}); expected JSONL, plain or gzip.") from error


def _row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not JSON ({error}); expected one object a line.") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: is {type(row).__name__}; expected one JSON object a line.")
    return row


def _excluded(row: dict[str, Any], exclude: dict[str, list[str]]) -> str | None:
    """The rule `column: value` that leaves the row out, or None. A value that ends in `*` matches a prefix."""
    for column, values in exclude.items():
        stated = str(row.get(column, ""))
        for value in values:
            if stated == value or (value.endswith("*") and stated.startswith(value[:-1])):
                return f"{column}: {value}"
    return None


def _stated(row: dict[str, Any], column: str | None) -> str:
    return str(row[column]) if column and row.get(column) else UNKNOWN


def _split(row: dict[str, Any], training: Training, text: str, where: str) -> str:
    """What the split column says; one in ten for validation, by a hash of the text, where it says nothing."""
    stated = row.get(training.split_column) if training.split_column else None
    if stated is None:
        return VALID if hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] % 10 == 0 else TRAIN
    if stated not in (TRAIN, VALID):
        raise InputError(f"{where}: {training.split_column!r} is {stated!r:.40}; expected 'train' or 'valid'.")
    return stated
