"""Accuracy collapse: accuracy far below the best it was, on several sets at once."""

import math
from collections import deque
from dataclasses import dataclass
from statistics import NormalDist

from training.rl.health.alarm import STOP, WARN, Finding
from training.rl.health.scores import FEWEST_PROBLEMS, Evaluation, SetScore, deviation, together

# Chosen here.
LEAST_BEST = 0.05  # a set that was never better has nothing to lose
FALLEN = 0.10  # a set has fallen by this share of its best …
FALLEN_DEVIATIONS = 2.0  # … and by so many standard errors
WARN_FALL, WARN_DEVIATIONS, WARN_IN_A_ROW = 0.12, 3.5, 2
SUDDEN_FALL, SUDDEN_DEVIATIONS = 0.15, 4.0  # warns at once
STOP_FALL, STOP_DEVIATIONS = 0.40, 5.0  # on two sets or more: stops at once, one alone must show it twice
STOP_FALL_ALONE = 0.70  # one set alone: stops at once
SLOW_FALL, SLOW_IN_A_ROW = 0.30, 3  # stops if it lasts
PLATEAU_DEVIATIONS = 2.0  # evaluations so near the best are taken for the same level
REMEMBERED = 128
NORMAL = NormalDist()


@dataclass(frozen=True)
class SetFall:
    """How far one set lies below its best, as a share of that; and how sure that is, in standard errors."""

    score: SetScore
    best: float
    best_step: int
    share: float
    deviations: float

    @property
    def is_clear(self) -> bool:
        """Whether this set alone has fallen beyond noise."""
        return self.share >= FALLEN and self.deviations >= FALLEN_DEVIATIONS

    @property
    def in_words(self) -> str:
        """Such as `math500 0.506 (step 76) → 0.232`."""
        return f"{self.score.name} {self.best:.3f} (step {self.best_step:,}) → {self.score.accuracy:.3f}"


@dataclass(frozen=True)
class Fall:
    """How far an evaluation lies below the best: the mean share over the sets, and the sets' deviations together."""

    share: float
    deviations: float
    clear: int
    judged: int

    def reaches(self, share: float, deviations: float) -> bool:
        """Whether the fall is as large and as sure as this, and not one set's own."""
        return self.share >= share and self.deviations >= deviations and self.clear >= min(2, self.judged)


class Record:
    """The best level of one set so far: the best mean of two evaluations in a row, and the step where it ended.

    The best of k equally good means lies above their true level by what a normal quantile says (Blom); `level` is
    without that, k being the pairs of evaluations near the best. A long healthy plateau would else look like a fall
    from its luckiest evaluation.
    """

    def __init__(self) -> None:
        self.best = 0.0
        self._past: deque[float] = deque(maxlen=REMEMBERED)
        self.step = 0
        self.deviation = 0.0

    def add(self, score: SetScore, rollout_step: int) -> None:
        """Takes in one evaluation."""
        mean = (self._past[-1] + score.accuracy) / 2 if self._past else 0.0
        if mean > self.best:
            self.best, self.step, self.deviation = mean, rollout_step, deviation(mean, 2 * score.problems)
        self._past.append(score.accuracy)

    @property
    def level(self) -> float:
        """The best level, without luck; 0 before the second evaluation."""
        near = sum(past >= self.best - PLATEAU_DEVIATIONS * self.deviation * math.sqrt(2) for past in self._past)
        pairs = max(near / 2, 1.0)
        return self.best - self.deviation * NORMAL.inv_cdf((pairs - 0.375) / (pairs + 0.25))


class Collapse:
    """Long-CoT bases collapse late: accuracy drops within some ten rollout steps, often to zero (OctoThinker,
    arXiv 2506.20512; its published curves).

    Judged against the best mean of two evaluations in a row, less what luck adds to the best of many (`Record`). A
    fall counts if several sets show it at once beyond their binomial noise; sets under FEWEST_PROBLEMS only add to the
    certainty, unless there are no others. Each set counts alike in the size of the fall, since hard sets fall first.
    Small late declines stay below every threshold.
    """

    name = "accuracy_collapse"
    remedy = (
        "Go back to a checkpoint before the fall. Begin with a lower cap and raise it in stages (2,048, 4,096, 8,192), "
        "use the complex template, and mid-train on the instruction data of the decay mixtures."
    )

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._falls: deque[Fall] = deque(maxlen=SLOW_IN_A_ROW)

    def judge(self, evaluation: Evaluation) -> Finding | None:
        """What the evaluation says, compared with all before it."""
        falls = [fall for score in evaluation.scores if (fall := self._fall(score)) is not None]
        for score in evaluation.scores:
            self._records.setdefault(score.name, Record()).add(score, evaluation.rollout_step)
        if not falls:
            return None
        judged = [fall for fall in falls if fall.score.problems >= FEWEST_PROBLEMS] or falls
        share = sum(fall.share for fall in judged) / len(judged)
        deviations = together([fall.deviations for fall in falls])
        self._falls.append(Fall(share, deviations, sum(fall.is_clear for fall in judged), len(judged)))
        level = self._level()
        return Finding(level, _evidence(falls, share)) if level else None

    def _fall(self, score: SetScore) -> SetFall | None:
        record = self._records.get(score.name)
        if record is None or record.best < LEAST_BEST:
            return None
        error = math.hypot(deviation(score.accuracy, score.problems), record.deviation)
        share = (record.best - score.accuracy) / record.best
        return SetFall(score, record.best, record.step, share, (record.level - score.accuracy) / error)

    def _level(self) -> str | None:
        latest = self._falls[-1]
        at_once = STOP_FALL if latest.judged > 1 else STOP_FALL_ALONE
        if latest.reaches(at_once, STOP_DEVIATIONS) or self._in_a_row(STOP_FALL, STOP_DEVIATIONS, 2):
            return STOP
        if self._in_a_row(SLOW_FALL, STOP_DEVIATIONS, SLOW_IN_A_ROW):
            return STOP
        if latest.reaches(SUDDEN_FALL, SUDDEN_DEVIATIONS) or self._in_a_row(WARN_FALL, WARN_DEVIATIONS, WARN_IN_A_ROW):
            return WARN
        return None

    def _in_a_row(self, share: float, deviations: float, times: int) -> bool:
        latest = list(self._falls)[-times:]
        return len(latest) == times and all(fall.reaches(share, deviations) for fall in latest)


def _evidence(falls: list[SetFall], share: float) -> str:
    correct = sum(fall.score.correct for fall in falls)
    words = f"accuracy is {share:.0%} below its best: {', '.join(fall.in_words for fall in falls)}"
    return words + (", so no answer is correct and no length of correct answers is known" if correct == 0 else "")
