"""Runs that go nowhere at the cap: responses fill it, and accuracy is not worth having or no longer rises."""

from collections import deque

from training.rl.health.alarm import STOP, WARN, Finding
from training.rl.health.lengths import FEWEST_CORRECT, Nearness, nearness
from training.rl.health.scores import Evaluation, mean_accuracy, rise

# Chosen here. On GSM8K or MATH500 even the 1B runs that went well are above 0.3 after 60 rollout steps.
WORTH_HAVING = 0.20
ENOUGH_PROBLEMS = 200  # fewer, such as AIME's 30, cannot show that accuracy does not rise: they never stop a run
# Bases that begin at about 0 under the simple template take up to 70 rollout steps to learn the format (their curves).
PATIENCE_STEPS = 80
RISING = 2.0  # standard errors
WARN_EVALUATIONS, WARN_STEPS = 3, 8
STOP_EVALUATIONS, STOP_STEPS = 4, 16
FLAT_EVALUATIONS, FLAT_STEPS = 4, 24
REMEMBERED = 512  # evaluations

REMEDY = (
    "Use the complex template, begin with a lower cap and raise it in stages (2,048, 4,096, 8,192), and mid-train the "
    "base on mathematics with question-answer data first: the plain Llama base never recovered from this."
)


class CapSaturation:
    """Base models answer at once, then repeat themselves until the cap: lengths stay near it while accuracy stays low
    (OctoThinker, arXiv 2506.20512).

    Warns when the responses stay near the cap of their stage in several evaluations in a row and accuracy is not worth
    having; stops when that goes on, is not early any more, and accuracy does not rise. A stage with a larger cap
    begins afresh, since lengths are expected to grow after it. Responses near the cap with good accuracy are how
    progressive lengths work, and stay quiet.
    """

    name = "cap_saturation"
    remedy = REMEDY

    def __init__(self) -> None:
        self._span: deque[Evaluation] = deque(maxlen=REMEMBERED)
        self._began = 0

    def judge(self, evaluation: Evaluation) -> Finding | None:
        """What the evaluation says, after those before it."""
        near = nearness(evaluation)
        if near is None:
            return None
        if not near.is_near or evaluation.best_accuracy >= WORTH_HAVING:
            self._span.clear()
            return None
        if not self._span or self._span[-1].cap != evaluation.cap:
            self._span.clear()
            self._began = evaluation.rollout_step
        self._span.append(evaluation)
        return self._finding(evaluation, near)

    def _finding(self, evaluation: Evaluation, near: Nearness) -> Finding | None:
        steps = evaluation.rollout_step - self._began
        if len(self._span) < WARN_EVALUATIONS or steps < WARN_STEPS:
            return None
        lasting = len(self._span) >= STOP_EVALUATIONS and steps >= STOP_STEPS
        level = STOP if lasting and near.is_at and _is_settled(evaluation, list(self._span)) else WARN
        return Finding(
            level,
            f"{near.in_words}, near the cap since rollout step {self._began:,}; accuracy is {evaluation.in_words}",
        )


class NeverLearning:
    """Accuracy that does not rise: near 0, or low while lengths grow towards the cap, which is seen before the cap is
    reached and `cap_saturation` stops the run.

    Speaks after PATIENCE_STEPS, since healthy bases that begin at about 0 can take that long; stops where nearly
    nothing was right for as long again. Silent once accuracy was worth having: what is lost later is a collapse.
    """

    name = "never_learning"
    remedy = REMEDY

    def __init__(self) -> None:
        self._learned = False
        self._past: deque[Evaluation] = deque(maxlen=REMEMBERED)

    def judge(self, evaluation: Evaluation) -> Finding | None:
        """What the evaluation says, after those before it."""
        self._past.append(evaluation)
        near, right = nearness(evaluation), evaluation.accuracy * evaluation.problems
        is_near = near is not None and near.is_on_the_way
        self._learned |= evaluation.best_accuracy >= WORTH_HAVING
        if self._learned or not (is_near or right < FEWEST_CORRECT):
            return None
        window = self._flat(FLAT_STEPS)
        if not window:
            return None
        lasting = right < FEWEST_CORRECT and bool(self._flat(2 * PATIENCE_STEPS))
        words = near.in_words if near else f"{right:,.0f} of {evaluation.problems:,} are right, too few to tell lengths"
        return Finding(STOP if lasting else WARN, f"{_course(window)}, and {words}")

    def _flat(self, steps: int) -> list[Evaluation]:
        """The latest evaluations, as few as make up the span, if accuracy is settled in them; else none."""
        past = list(self._past)
        for first in range(len(past) - FLAT_EVALUATIONS, -1, -1):
            if past[-1].rollout_step - past[first].rollout_step >= steps:
                return past[first:] if _is_settled(past[-1], past[first:]) else []
        return []


def _course(window: list[Evaluation]) -> str:
    middle = len(window) // 2
    return (
        f"accuracy is {mean_accuracy(window[middle:]):.3f} since rollout step {window[middle].rollout_step:,}, "
        f"{mean_accuracy(window[:middle]):.3f} from step {window[0].rollout_step:,} on"
    )


def _is_settled(latest: Evaluation, window: list[Evaluation]) -> bool:
    """Whether it is late enough, and enough problems say, that accuracy is not on its way up."""
    known = latest.problems >= ENOUGH_PROBLEMS and latest.rollout_step >= PATIENCE_STEPS
    return known and rise(window) < RISING
