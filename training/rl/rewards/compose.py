"""The reward of a run: the weighted sum of named terms. It never raises: what cannot be judged says so."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifiers.answers.check import Verdict, check_answer
from classifiers.answers.truths import truth_text
from training.rl.rewards.functions import JUDGING, LOWEST, overlong
from training.rl.rewards.signals import NOTHING_SEEN, Signals, signals

REVISION = 1  # raised when a response becomes worth something else; classifiers.answers.check has one for its verdicts
ERROR = "error"
UNJUDGED = ("no_truth", ERROR)  # verdicts that say nothing of the response
GAVE_UP = ("timeout", "memory")  # verdicts of answers that the checker could not decide within its bounds: wrong


@dataclass(frozen=True)
class Length:
    """How long a response is, how long it was allowed to be, and whether it was cut off there; tokens."""

    tokens: int
    cap: int
    truncated: bool


@dataclass(frozen=True)
class Judgement:
    """What one response is worth, and why."""

    score: float
    verdict: Verdict
    signals: Signals
    truncated: bool
    error: str | None = None
    """Why it could not be judged; then `score` is the lowest of the reward."""

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of a log line, always under the same names; all but `score` are 0 or 1."""
        return {
            "score": self.score,
            "correct": float(self.verdict.correct),
            "boxed": float(self.signals.boxed),
            "early_box": float(self.signals.early_box),
            "many_boxes": float(self.signals.many_boxes),
            "repetition": float(self.signals.repetition),
            "mixed_language": float(self.signals.mixed_language),
            "truncated": float(self.truncated),
            "timeout": float(self.verdict.reason in GAVE_UP),
            "error": float(self.error is not None),
        }


@dataclass(frozen=True)
class Term:
    """A named reward with its weight."""

    name: str
    weight: float
    buffer_tokens: int | None

    def worth(self, correct: bool, shown: Signals, length: Length | None) -> float:
        """Weight × reward. Raises ValueError where `overlong` is not told the length."""
        if self.buffer_tokens is None:
            return self.weight * JUDGING[self.name](correct, shown)
        if length is None:
            raise ValueError("reward overlong: the length of the response is not known; expected its tokens and cap")
        return self.weight * overlong(length.tokens, length.cap, self.buffer_tokens)

    @property
    def lowest(self) -> float:
        """The least it can be worth."""
        return self.weight * LOWEST[self.name]


class Reward:
    """The sum of terms, each as in a manifest: `{"name": "overlong", "weight": 1.0, "buffer_tokens": 512}`.

    Raises ValueError for terms that no manifest would hold. Holds no state: threads may share it.
    """

    def __init__(self, terms: Sequence[Mapping[str, Any]]) -> None:
        if not terms:
            raise ValueError("reward: has no terms; expected at least one, such as plus_minus_one")
        self.terms = tuple(_term(values) for values in terms)

    @property
    def lowest(self) -> float:
        """The least a response can be worth, also one that cannot be judged."""
        return math.fsum(term.lowest for term in self.terms)

    def judge(self, response: str, truth: str, length: Length | None = None) -> Judgement:
        """What a response to a problem is worth whose true answer is `truth`. Never raises."""
        shown = NOTHING_SEEN
        try:
            shown = signals(response)
            verdict = check_answer(response, truth_text(truth, "plain"), "box")
            if verdict.reason in UNJUDGED:
                raise ValueError(
                    f"the answer checker says {verdict.reason} of {verdict.answer!r:.200}, truth {truth!r:.200}"
                )
            score = math.fsum(term.worth(verdict.correct, shown, length) for term in self.terms)
        except Exception as error:
            return self.unjudged(f"{type(error).__name__}: {error}", shown, length)
        return Judgement(score, verdict, shown, length is not None and length.truncated)

    def unjudged(self, error: str, shown: Signals = NOTHING_SEEN, length: Length | None = None) -> Judgement:
        """The judgement of a response that cannot be judged: the lowest score, and why."""
        truncated = length is not None and length.truncated
        return Judgement(self.lowest, Verdict(False, ERROR, None), shown, truncated, error)


def _term(values: Mapping[str, Any]) -> Term:
    name, weight, buffer_tokens = values.get("name"), values.get("weight", 1.0), values.get("buffer_tokens")
    if name not in LOWEST:
        raise ValueError(f"reward {name!r:.200}: is not known; expected one of {', '.join(LOWEST)}")
    if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
        raise ValueError(f"reward {name}: weight is {weight!r:.200}; expected a number from 0 on")
    if (name == "overlong") != (isinstance(buffer_tokens, int) and buffer_tokens >= 1):
        raise ValueError(
            f"reward {name}: buffer_tokens is {buffer_tokens!r:.200}; expected a whole number from 1 on for overlong, "
            "and none for the others"
        )
    return Term(name, float(weight), buffer_tokens)
