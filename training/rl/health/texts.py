"""Rules over what responses look like: loops, and answers that come before any reasoning."""

import math
from collections import deque

from training.rl.health.alarm import STOP, WARN, Finding
from training.rl.health.capped import PATIENCE_STEPS
from training.rl.health.window import Window

# Chosen here; shares of the responses, means of a window.
REPEATING, MOSTLY_REPEATING = 0.2, 0.5
GROWN = 1.5  # times the lowest share so far
FALLING = 0.8  # a share below this part of what it was is on its way down
EARLY = 0.3
LONG = 0.5  # of the cap, or LONG_CUT of the responses cut
LONG_CUT = 0.3
IN_A_ROW = 2
LASTING = 6  # windows


class Repetition:
    """Responses that repeat themselves until the cap: a long-CoT base in collapse, a plain base that cannot stop
    (OctoThinker, arXiv 2506.20512).

    Bases that begin with loops and lose them stay quiet: what counts is a share that has grown, or that is late and
    does not fall.
    """

    name = "repetition"
    remedy = (
        "Read the examples. Lower the cap until most responses end by themselves, or use a reward that counts "
        "repetition (`repetition_penalty`)."
    )

    def __init__(self) -> None:
        self._shares: deque[float] = deque(maxlen=LASTING)
        self._lowest = 1.0

    def judge(self, window: Window) -> Finding | None:
        """What the window says, after those before it."""
        share = window.mean("repetition")
        if share is None:
            return None
        self._shares.append(share)
        self._lowest = min(self._lowest, share)
        recent = list(self._shares)[-IN_A_ROW:]
        lasting = window.rollout_step >= PATIENCE_STEPS and share >= FALLING * max(self._shares)
        if min(recent) < REPEATING or len(recent) < IN_A_ROW or not (lasting or share >= GROWN * self._lowest):
            return None
        level = STOP if len(self._shares) == LASTING and min(self._shares) >= MOSTLY_REPEATING else WARN
        return Finding(level, f"{share:.0%} of the responses repeat themselves, {self._shares[0]:.0%} a while ago")


class EarlyBox:
    """The first `\\boxed` within some ten tokens, and then a text that runs on: the answer comes before the reasoning,
    which is what a base does that the simple template does not tell what to do (OctoThinker, arXiv 2506.20512).

    Short answers that begin with the box are harmless: a run that starts so learns to reason within some 70 steps.
    """

    name = "early_box"
    remedy = "Use the complex template. If it stays so, mid-train the base first: the plain Llama base never lost it."

    def __init__(self) -> None:
        self._shares: deque[float] = deque(maxlen=IN_A_ROW)

    def judge(self, window: Window) -> Finding | None:
        """What the window says, after the one before it."""
        share, length, cut = window.mean("early_box"), window.mean("response_tokens_mean"), window.mean("truncated")
        if share is None:
            return None
        long = (cut or 0.0) >= LONG_CUT or (length or 0.0) >= LONG * (window.cap or math.inf)
        self._shares.append(share if long else 0.0)
        if len(self._shares) < IN_A_ROW or min(self._shares) < EARLY:
            return None
        tokens = "" if length is None else f"; responses have {length:,.0f} tokens on average"
        return Finding(WARN, f"{share:.0%} of the responses begin with the box and go on{tokens}")
