"""Evaluations, and how sure one can be that an accuracy fell or rose: binomial statistics, weighted by problems."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

# Rows of the published test sets.
PROBLEMS = {
    "aime24": 30, "aime25": 30, "aime2024": 30, "aime2025": 30, "amc23": 40, "asdiv": 2_215, "collegemath": 2_818,
    "gaokao2023en": 385, "gsm8k": 1_319, "math": 5_000, "math500": 500, "mathqa": 1_000, "mawps": 2_065,
    "minervamath": 272, "mmlustem": 3_018, "olympiadbench": 675, "sat": 32, "satmath": 32, "svamp": 1_000,
    "tabmwp": 1_000, "theoremqa": 800,
}  # fmt: skip
# Chosen here.
UNKNOWN_PROBLEMS = 100  # of a set of unknown size: small, so that noise is not taken for a change
FEWEST_PROBLEMS = 100  # a smaller set (AMC23 has 40) is never judged alone, and weighs little beside others


@dataclass(frozen=True)
class SetScore:
    """One set in one evaluation. Lengths are tokens; `truncated` is a share; None where the log does not say."""

    name: str
    accuracy: float
    problems: int
    correct_tokens: float | None = None
    tokens: float | None = None
    truncated: float | None = None

    @property
    def correct(self) -> float:
        """How many answers are right."""
        return self.accuracy * self.problems


@dataclass(frozen=True)
class Evaluation:
    """What was measured after one rollout step: every validation set, or the rollouts of a few steps as one set."""

    rollout_step: int
    cap: int | None
    scores: tuple[SetScore, ...]
    elsewhere: float = 0.0
    """The latest accuracy of the other stream: rollouts for a validation, the validation sets for rollouts."""

    @property
    def problems(self) -> int:
        """Problems of all sets together."""
        return sum(score.problems for score in self.scores)

    @property
    def accuracy(self) -> float:
        """Share of all problems answered rightly: sets weigh by their problems."""
        return sum(score.correct for score in self.scores) / self.problems

    @property
    def best_accuracy(self) -> float:
        """The highest accuracy of a set that is large enough to be judged alone, else of all; or that of the other
        stream, since a run may validate on problems that are too hard for it alone."""
        large = [score.accuracy for score in self.scores if score.problems >= FEWEST_PROBLEMS]
        return max(self.elsewhere, max(large, default=self.accuracy))

    @property
    def in_words(self) -> str:
        """Such as `gsm8k 0.357, math500 0.232`."""
        return ", ".join(f"{score.name} {score.accuracy:.3f}" for score in self.scores)


def problems_of(name: str) -> int:
    """How many problems a set of this name has; UNKNOWN_PROBLEMS where the name says nothing."""
    return PROBLEMS.get(re.sub(r"[^a-z0-9]", "", name.lower()), UNKNOWN_PROBLEMS)


def deviation(accuracy: float, problems: float) -> float:
    """Standard error of an accuracy; above 0 also where none or all are right (Agresti and Coull's two extra)."""
    share = (accuracy * problems + 1) / (problems + 2)
    return math.sqrt(share * (1 - share) / (problems + 2))


def together(deviations: Sequence[float]) -> float:
    """Stouffer's sum: what independent differences, each in standard errors, say together."""
    return sum(deviations) / math.sqrt(len(deviations)) if deviations else 0.0


def rise(evaluations: Sequence[Evaluation]) -> float:
    """By how many standard errors accuracy is higher in the later half of the evaluations than in the earlier half."""
    middle = len(evaluations) // 2
    earlier, later = _by_set(evaluations[:middle]), _by_set(evaluations[middle:])
    return together([_difference(earlier[name], later[name]) for name in earlier.keys() & later.keys()])


def mean_accuracy(evaluations: Sequence[Evaluation]) -> float:
    """The accuracy over all problems of some evaluations."""
    return sum(e.accuracy * e.problems for e in evaluations) / sum(e.problems for e in evaluations)


def _by_set(evaluations: Sequence[Evaluation]) -> dict[str, list[SetScore]]:
    found: dict[str, list[SetScore]] = {}
    for evaluation in evaluations:
        for score in evaluation.scores:
            found.setdefault(score.name, []).append(score)
    return found


def _difference(earlier: list[SetScore], later: list[SetScore]) -> float:
    (before, before_deviation), (after, after_deviation) = _mean(earlier), _mean(later)
    return (after - before) / math.hypot(before_deviation, after_deviation)


def _mean(scores: list[SetScore]) -> tuple[float, float]:
    problems = sum(score.problems for score in scores)
    accuracy = sum(score.correct for score in scores) / problems
    return accuracy, deviation(accuracy, problems)
