"""Rules over the reward itself: one that fails is never silent. Judged at every rollout step."""

import statistics
from collections import deque
from typing import Any

from training.rl.health.alarm import STOP, WARN, Finding

# Chosen here.
RECENT_STEPS = 5
MANY_ERRORS = 0.2  # share of the responses
SOME_TIMEOUTS, MANY_TIMEOUTS = 0.02, 0.3
LOST = 0.02  # share of the responses that are usual


class RewardErrors:
    """A reward that raises gives its response no true score. Under verl it silently drops the whole group and training
    goes on, so any error warns, and many stop the run."""

    name = "reward_errors"
    remedy = "Read the examples and their reasons; score them with the answer checker. Fix the reward before going on."

    def __init__(self) -> None:
        self._shares: deque[float] = deque(maxlen=RECENT_STEPS)

    def judge(self, line: dict[str, Any]) -> Finding | None:
        """What a rollout line says, after those before it."""
        share = line.get("error")
        if share is None:
            return None
        self._shares.append(share)
        mean = statistics.fmean(self._shares)
        if not share:
            return None
        lasting = len(self._shares) == RECENT_STEPS and mean >= MANY_ERRORS
        return Finding(STOP if lasting else WARN, f"the reward failed on {share:.2%} of the responses")


class RewardTimeouts:
    """Answers that the checker gave up on count as wrong. A few hostile ones are usual; many mean that the model has
    found them, or that the checker is starved of time."""

    name = "reward_timeouts"
    remedy = "Read the examples: which answers hang the checker? Give it more time or processors if they are honest."

    def __init__(self) -> None:
        self._shares: deque[float] = deque(maxlen=RECENT_STEPS)

    def judge(self, line: dict[str, Any]) -> Finding | None:
        """What a rollout line says, after those before it."""
        share = line.get("timeout")
        if share is None:
            return None
        self._shares.append(share)
        mean = statistics.fmean(self._shares)
        if len(self._shares) < RECENT_STEPS or mean < SOME_TIMEOUTS:
            return None
        words = f"{mean:.1%} of the answers of the last {RECENT_STEPS} rollout steps took too long to check"
        return Finding(STOP if mean >= MANY_TIMEOUTS else WARN, words)


class LostResponses:
    """Fewer responses than usual: verl drops the group of a prompt whose reward or sampling failed, says so in one line
    of its log, and ends with exit code 0."""

    name = "lost_responses"
    remedy = "Look for ERROR lines in the log of the engine. A reward must catch everything and report an error."

    def __init__(self) -> None:
        self._usual: deque[float] = deque(maxlen=20)

    def judge(self, line: dict[str, Any]) -> Finding | None:
        """What a rollout line says, after those before it."""
        lost, count = line.get("lost_responses"), line.get("responses")
        usual = statistics.median(self._usual) if len(self._usual) >= RECENT_STEPS else None
        if count is not None:
            self._usual.append(count)
        if lost:
            return Finding(WARN, f"{lost:,.0f} responses were thrown away")
        if count is None or usual is None or count >= usual * (1 - LOST):
            return None
        return Finding(WARN, f"{count:,.0f} responses, {usual:,.0f} are usual")
