"""Files of responses: their lines, checked, and the rollout line that the responses of one step make together."""

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from training.rl.health.jsonl import Notes, Placed, read_objects
from training.rl.health.lines import Line

MOST_RESPONSES = 200_000  # of one rollout step; chosen here, a hundred times the paper's
SHARES = (
    "boxed", "early_box", "many_boxes", "repetition", "mixed_language", "truncated", "timeout", "error",
)  # fmt: skip

Response = dict[str, Any]


def responses_file(folder: Path, rollout_step: int) -> Path:
    """Where the responses of a rollout step lie."""
    return folder / f"{rollout_step:08d}.jsonl.gz"


def step_of(path: Path) -> int:
    """The rollout step in the name of a file of responses. Raises InputError for another name."""
    digits = path.name.split(".")[0]
    if not digits.isdecimal() or len(digits) > 12:
        raise InputError(f"{path}: is no file of responses; expected a rollout step as its name: 00000001.jsonl.gz.")
    return int(digits)


def read_responses(path: Path, notes: Notes) -> Iterator[Response]:
    """The responses of one file, in order, one at a time. Raises InputError with file and line."""
    for where, response in limited(path, read_objects(path, notes)):
        yield checked_response(where, response)


def limited(path: Path, placed: Iterable[Placed]) -> Iterator[Placed]:
    """The lines of a file. Raises InputError where they are more than any rollout step has."""
    for count, line in enumerate(placed, start=1):
        if count > MOST_RESPONSES:
            raise InputError(f"{path}: has more than {MOST_RESPONSES:,} responses; expected those of one rollout step.")
        yield line


def checked_response(where: str, response: Response) -> Response:
    """The response, its text a text and its numbers numbers. Raises InputError."""
    if not isinstance(response.get("text"), str):
        raise InputError(f"{where}: has no text; expected the line of a response.")
    for key in ("tokens", "score", "correct", *SHARES):
        value = response.get(key)
        if value is not None and (not isinstance(value, int | float) or not abs(value) < 2**62):
            raise InputError(f"{where}: {key} is {str(value)[:60]!r}; expected a number.")
    return response


def line_of(rollout_step: int, responses: Iterable[Response]) -> Line:
    """The rollout line of one step's responses; what no response tells is None. Raises InputError where there is none.

    Responses to one `prompt` are a group.
    """
    totals = _Totals()
    for response in responses:
        totals.add(response)
    if not totals.responses:
        raise InputError(f"rollout step {rollout_step:,}: its file holds no responses; expected one or more.")
    return {"rollout_step": rollout_step, **totals.line}


class _Totals:
    """Sums over responses, one at a time."""

    def __init__(self) -> None:
        self.responses = 0
        self._scores: list[float] = []
        self._tokens: list[float] = []
        self._correct_tokens: list[float] = []
        self._shares: dict[str, list[float]] = {}
        self._groups: dict[Any, list[bool]] = {}
        self._correct = 0

    def add(self, response: Response) -> None:
        self.responses += 1
        correct = response.get("correct")
        if response.get("score") is not None:
            self._scores.append(response["score"])
        if response.get("tokens") is not None:
            self._tokens.append(response["tokens"])
            self._correct_tokens += [response["tokens"]] if correct else []
        for name in SHARES:
            if response.get(name) is not None:
                self._shares.setdefault(name, []).append(float(response[name]))
        if correct is not None:
            self._correct += bool(correct)
            self._groups.setdefault(str(response.get("prompt")), []).append(bool(correct))

    @property
    def line(self) -> Line:
        judged = sum(map(len, self._groups.values()))
        return {
            "reward": _mean(self._scores),
            "reward_std": statistics.pstdev(self._scores) if self._scores else None,
            "accuracy": self._correct / judged if judged else None,
            "correct": self._correct if judged else None,
            "responses": self.responses,
            **{name: _mean(self._shares.get(name, [])) for name in SHARES},
            "response_tokens_mean": _mean(self._tokens),
            "response_tokens_max": max(self._tokens, default=None),
            "correct_tokens_mean": _mean(self._correct_tokens),
            "groups": len(self._groups) if judged else None,
            "groups_all_right": sum(all(group) for group in self._groups.values()) if judged else None,
            "groups_all_wrong": sum(not any(group) for group in self._groups.values()) if judged else None,
        }


def _mean(values: list[float]) -> float | None:
    return statistics.fmean(values) if values else None
