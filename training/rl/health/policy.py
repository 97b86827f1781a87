"""Rules over the policy's own numbers: entropy, distance from the checkpoint, and sampler against trainer."""

import statistics
from collections import deque

from training.rl.health.alarm import STOP, WARN, Finding
from training.rl.health.window import Window

# Chosen here; means of a window. Entropy and KL are nats a token, the gap is a difference of probabilities.
START_WINDOWS = 3
IN_A_ROW = 2
NO_ENTROPY, SHARE_OF_START = 0.02, 0.2
EXPLODED, ABOVE_START, LEAST_EXPLODED = 3.0, 1.5, 0.5
NOISE_ENTROPY, NOISE_ABOVE_START = 4.0, 2.0
KL_JUMP, LEAST_KL = 10.0, 0.5
GAP_WARN, GAP_STOP = 0.05, 0.2


class Entropy:
    """Entropy near 0: every response to a prompt is the same, and nothing is explored any more. Entropy that rises far
    above its lowest and above its start: the text dissolves, which comes with the late collapse of long-CoT bases.

    Judged against the run's own first windows, since small models begin with any entropy.
    """

    name = "entropy"
    remedy = (
        "Near 0: a higher sampling temperature, a higher clip ratio above (`clip_ratio_high`), harder problems. "
        "Rising: go back to an earlier checkpoint, with a lower learning rate or a lower cap."
    )

    def __init__(self) -> None:
        self._start: list[float] = []
        self._lowest = float("inf")
        self._levels: deque[str | None] = deque(maxlen=IN_A_ROW)

    def judge(self, window: Window) -> Finding | None:
        """What the window says, after those before it."""
        entropy = window.mean("entropy")
        if entropy is None:
            return None
        if len(self._start) < START_WINDOWS:
            self._start.append(entropy)
            self._lowest = min(self._lowest, entropy)
            return None
        start = statistics.median(self._start)
        self._levels.append(self._level(entropy, start))
        self._lowest = min(self._lowest, entropy)
        if len(self._levels) < IN_A_ROW or None in self._levels:
            return None
        words = f"the entropy is {entropy:.3g} nats a token; it began at {start:.3g}, its lowest was {self._lowest:.3g}"
        return Finding(STOP if set(self._levels) == {STOP} else WARN, words)

    def _level(self, entropy: float, start: float) -> str | None:
        if entropy >= NOISE_ENTROPY and entropy >= NOISE_ABOVE_START * start:
            return STOP
        exploded = entropy >= LEAST_EXPLODED and entropy >= max(EXPLODED * self._lowest, ABOVE_START * start)
        vanished = entropy < min(NO_ENTROPY, SHARE_OF_START * start)
        return WARN if exploded or vanished else None


class Divergence:
    """A jump of the KL divergence from the checkpoint: the policy has left the region where its text makes sense.

    Without a KL term in the loss it grows slowly by itself; ten times its usual size is something else.
    """

    name = "kl"
    remedy = "Go back to a checkpoint before the jump; lower the learning rate, or give the KL loss a coefficient."

    def __init__(self) -> None:
        self._past: deque[float] = deque(maxlen=50)

    def judge(self, window: Window) -> Finding | None:
        """What the window says, after those before it."""
        kl = window.mean("kl")
        if kl is None:
            return None
        usual = statistics.median(self._past) if len(self._past) >= START_WINDOWS else None
        self._past.append(kl)
        if usual is None or kl < max(LEAST_KL, KL_JUMP * usual):
            return None
        return Finding(WARN, f"the KL divergence from the checkpoint is {kl:.3g} nats a token; {usual:.3g} is usual")


class ProbabilityGap:
    """Sampler and trainer disagree about the probabilities of the sampled tokens: the update is computed for another
    policy than the one that was sampled. The gap grows with response length, and collapse follows, as users of verl
    report (verl issues 4476, 2996)."""

    name = "probability_gap"
    remedy = (
        "Compare the engines' precision and attention; for verl see algorithm.rollout_correction. A mean gap under "
        "0.01 is usual for bfloat16."
    )

    def judge(self, window: Window) -> Finding | None:
        """What the window says."""
        gap = window.mean("probability_gap")
        if gap is None or gap < GAP_WARN:
            return None
        words = f"sampler and trainer differ by {gap:.3f} in the probability of a token, on average"
        return Finding(STOP if gap >= GAP_STOP else WARN, words)
