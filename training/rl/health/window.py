"""Rollout steps taken together: one rollout step is noise, a few say where a run stands."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from training.rl.health.scores import Evaluation, SetScore

STEPS = 5  # of a window; chosen here: as often as the paper's scripts validate (every 4)
TRAINING = "training problems"


@dataclass(frozen=True)
class Window:
    """The mean of every number of a few rollout lines in a row, which have one cap."""

    rollout_step: int  # of the last line
    steps: int
    cap: int | None
    means: dict[str, float] = field(repr=False)

    def mean(self, key: str) -> float | None:
        """The mean over the lines that know it; None where none does."""
        return self.means.get(key)

    def total(self, key: str) -> float | None:
        """The sum of a count over the lines."""
        mean = self.mean(key)
        return None if mean is None else mean * self.steps

    @property
    def evaluation(self) -> Evaluation | None:
        """The rollouts as an evaluation of one set; None where accuracy is not known.

        Its problems are the prompts: responses to one prompt are right or wrong together, so they are no more.
        """
        accuracy, prompts = self.mean("accuracy"), self.total("groups") or self.total("responses")
        if accuracy is None or not prompts:
            return None
        lengths = [self.mean(name) for name in ("correct_tokens_mean", "response_tokens_mean", "truncated")]
        return Evaluation(self.rollout_step, self.cap, (SetScore(TRAINING, accuracy, round(prompts), *lengths),))


def window_of(lines: Sequence[dict[str, Any]], cap: int | None) -> Window:
    """The window that these lines make."""
    keys = {key for line in lines for key, value in line.items() if _is_number(value)}
    means = {key: statistics.fmean(line[key] for line in lines if _is_number(line.get(key))) for key in keys}
    return Window(lines[-1]["rollout_step"], len(lines), cap, means)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
