"""Groups whose responses are all right or all wrong: equal rewards have no advantage, so nothing is learned."""

from collections import deque

from training.rl.health.alarm import STOP, WARN, Finding
from training.rl.health.window import Window

# Chosen here.
SOME_WINDOWS, MANY_WINDOWS = 4, 8  # 20 and 40 rollout steps
SOME_GROUPS, MANY_GROUPS = 64, 256
ALMOST_NONE = 0.02  # share of groups with right and wrong responses
SOLVED = 0.9  # share of groups that are all right


class NoGradient:
    """GRPO compares responses within a group; a group that is all right or all wrong moves nothing (OctoThinker, arXiv
    2506.20512; TRL logs it as `frac_reward_zero_std`).

    Warns when almost no group is mixed, or when nearly all problems are solved; stops when no group was mixed at all
    for MANY_WINDOWS: no step of those could change anything.
    """

    name = "no_gradient"
    remedy = (
        "All wrong: easier problems, more responses for each prompt, another template, or mid-train first. All right: "
        "harder problems."
    )

    def __init__(self) -> None:
        self._windows: deque[tuple[float, float, float]] = deque(maxlen=MANY_WINDOWS)

    def judge(self, window: Window) -> Finding | None:
        """What the window says, after those before it."""
        counts = [window.total(key) for key in ("groups", "groups_all_right", "groups_all_wrong")]
        if any(count is None for count in counts):
            return None
        self._windows.append((counts[0] or 0.0, counts[1] or 0.0, counts[2] or 0.0))
        groups, right, wrong = self._last(SOME_WINDOWS)
        if len(self._windows) < SOME_WINDOWS or groups < SOME_GROUPS:
            return None
        mixed = groups - right - wrong
        if mixed > ALMOST_NONE * groups and right < SOLVED * groups:
            return None
        words = f"of {groups:,.0f} groups {right:,.0f} are all right, {wrong:,.0f} all wrong, {mixed:,.0f} mixed"
        return Finding(STOP if self._nothing_mixed() else WARN, words)

    def _nothing_mixed(self) -> bool:
        groups, right, wrong = self._last(MANY_WINDOWS)
        return len(self._windows) == MANY_WINDOWS and groups >= MANY_GROUPS and right + wrong > groups - 0.5

    def _last(self, windows: int) -> tuple[float, float, float]:
        groups, right, wrong = zip(*list(self._windows)[-windows:], strict=True)
        return sum(groups), sum(right), sum(wrong)
