"""The verdict on a response: `check_answer(response, truth, rule)` and `check_extracted(answer, truth)`.

Neither ever raises or hangs, and neither computes what a model wrote in this process: text and exact numbers are
compared here, formulas in a child process that is killed when it takes too long.
"""

from dataclasses import dataclass
from functools import lru_cache

from . import child
from .equivalence import Undecided, same_answer
from .rules import extract
from .truths import LONGEST

REVISION = 1
"""Raised when a verdict changes: rewards rest on it."""
_REMEMBERED = 8_192  # verdicts, chosen here: the responses of a group give the same few answers again and again


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and why not.

    `reason`: `right`; `wrong`; `no_box` (the rule found no answer), `empty`, `too_long` (more than truths.LONGEST
    characters), `timeout` and `memory` (comparing took too much of it), `no_truth` (the truth is empty or too long),
    `error` (nothing could be compared, for instance because math-verify is missing; nothing is said of the answer).
    `answer`: what was extracted, cut to that length.
    """

    correct: bool
    reason: str
    answer: str | None


def check_answer(response: str, truth: str, rule: str = "box") -> Verdict:
    """The verdict on a whole response, in time linear in its length before the answers are compared."""
    try:
        answer = extract(response, rule)
    except Exception:  # a response that is no text, a rule that is unknown
        return Verdict(False, "error", None)
    return Verdict(False, "no_box", None) if answer is None else check_extracted(answer, truth)


def check_extracted(answer: str | None, truth: str) -> Verdict:
    """The verdict on an answer. The truth comes from truths.truth_text."""
    try:
        if answer is None:
            return Verdict(False, "no_box", None)
        reason = _reason(answer, truth)
        return Verdict(reason == "right", reason, answer[:LONGEST])
    except Exception:  # an answer that is no text, a child that cannot be started
        return Verdict(False, "error", answer[:LONGEST] if isinstance(answer, str) else None)


def _reason(answer: str, truth: str) -> str:
    if not truth.strip() or len(truth) > LONGEST:
        return "no_truth"
    if not answer.strip():
        return "empty"
    if len(answer) > LONGEST:
        return "too_long"
    return _compared(truth, answer)


@lru_cache(maxsize=_REMEMBERED)
def _compared(truth: str, answer: str) -> str:
    try:
        return "right" if same_answer(truth, answer) else "wrong"
    except Undecided:
        reason = child.ask(truth, answer)
    if reason == "error":
        raise RuntimeError("the answers could not be compared")  # not to be remembered
    return reason


def require_checker() -> None:
    """Starts the process that compares formulas. Raises child.CheckerMissing where math-verify is not installed, so
    that a run stops before it calls right answers errors."""
    child.start()
