"""Our own logs as one stream: metrics.jsonl and validation.jsonl, checked, merged in the order of rollout steps."""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from training.rl.health.jsonl import Notes, Placed, read_objects

SHARES = {
    "accuracy", "boxed", "early_box", "many_boxes", "repetition", "mixed_language", "truncated", "timeout", "error",
    "clip_fraction",
}  # fmt: skip
COUNTS = {
    "rollout_step", "step", "cap", "correct", "responses", "problems", "groups", "groups_all_right", "groups_all_wrong",
    "tokens", "lost_responses",
}  # fmt: skip
NUMBERS = {
    "reward", "reward_std", "response_tokens_mean", "response_tokens_max", "correct_tokens_mean", "tokens_per_s",
    "loss", "learning_rate", "grad_norm", "entropy", "kl", "probability_gap", "wall_s",
}  # fmt: skip
MOST = 2**62

Line = dict[str, Any]


def is_our_line(line: Line) -> bool:
    """Whether a JSON object is a rollout or validation line of ours."""
    return "rollout_step" in line and not {"text", "rule"} & line.keys()


def read_logs(folder: Path, notes: Notes) -> Iterator[Line]:
    """The lines of a folder with metrics.jsonl, validation.jsonl or both; a step's rollout comes before its
    validation."""
    streams = [
        read_lines(path, notes) for name in ("metrics", "validation") if (path := folder / f"{name}.jsonl").exists()
    ]
    return heapq.merge(*streams, key=lambda line: line["rollout_step"])


def read_lines(path: Path, notes: Notes) -> Iterator[Line]:
    """The lines of one file, checked. Raises InputError with file and line."""
    return in_order(checked(where, line, notes) for where, line in read_objects(path, notes))


def in_order(placed: Iterable[Placed]) -> Iterator[Line]:
    """The lines; raises InputError where rollout steps go back."""
    last = -1
    for where, line in placed:
        if line["rollout_step"] < last:
            raise InputError(
                f"{where}: rollout step {line['rollout_step']:,} comes after {last:,}; expected rising steps. Give the "
                "logs of two runs as two files."
            )
        last = line["rollout_step"]
        yield line


def checked(where: str, line: Line, notes: Notes) -> Placed:
    """The line, every number of it what its key says. Raises InputError; unknown keys are counted and left out."""
    if not isinstance(line.get("rollout_step"), int):
        raise InputError(f"{where}: rollout_step is {line.get('rollout_step')!r}; expected a whole number.")
    found: Line = {}
    for key, value in line.items():
        if key == "set":
            found[key] = _set_name(where, value)
        elif key in SHARES | COUNTS | NUMBERS:
            found[key] = None if value is None else _number(where, key, value)
        else:
            notes.add(f"unknown key {key[:60]!r}")
    if "set" in found and found.get("accuracy") is None:
        raise InputError(f"{where}: the validation of {found['set']!r} has no accuracy; expected a share from 0 to 1.")
    return where, found


def _set_name(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: set is {value!r}; expected the name of a validation set.")
    return value


def _number(where: str, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {key} is {str(value)[:60]!r}; expected a number.")
    for holds, is_right, expected in _EXPECTED:
        if key in holds and not is_right(value):
            raise InputError(f"{where}: {key} is {value!r}; expected {expected}.")
    return value


_EXPECTED: tuple[tuple[set[str], Callable[[float], bool], str], ...] = (
    (SHARES, lambda value: 0 <= value <= 1, "a share from 0 to 1. Divide percent by 100"),
    (COUNTS, lambda value: 0 <= value <= MOST and math.floor(value) == value, "a whole number of 0 or more"),
    (NUMBERS, lambda value: abs(value) <= MOST, "a finite number"),
)
