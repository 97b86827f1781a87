"""The named rewards, each a pure function of what is known of a response. Their names are manifests' RewardName.

OctoThinker's reward and its variants are those of its repository, `rl/verl/utils/reward_score/math_verifier.py`. What
repetition means is said in `repetition.py`: less than theirs inside a line, more across lines.
"""

from collections.abc import Callable

from training.rl.rewards.signals import Signals


def plus_minus_one(correct: bool, signals: Signals) -> float:
    """+1 or −1: the reward of the OctoThinker paper (the repository's `default`)."""
    return 1.0 if correct else -1.0


def zero_one(correct: bool, signals: Signals) -> float:
    """1 or 0: the rule reward that most recipes use; in GRPO's advantages equal to `plus_minus_one`."""
    return 1.0 if correct else 0.0


def format_reward(correct: bool, signals: Signals) -> float:
    """+1, −0.5 for a wrong answer, −1 without exactly one `\\boxed` or with repetition: OctoThinker's `v2.wformat`."""
    if signals.boxes != 1 or signals.repetition:
        return -1.0
    return 1.0 if correct else -0.5


def repetition_penalty(correct: bool, signals: Signals) -> float:
    """−2 with repetition, else +1 or −1: OctoThinker's `v3.repeatpenalty`."""
    return -2.0 if signals.repetition else plus_minus_one(correct, signals)


def box_repetition_penalty(correct: bool, signals: Signals) -> float:
    """−2 with two `\\boxed` or more, or with repetition, else +1 or −1: OctoThinker's `v4.repeatpenalty`."""
    return -2.0 if signals.many_boxes else repetition_penalty(correct, signals)


def overlong(tokens: int, cap: int, buffer_tokens: int) -> float:
    """0 up to `cap − buffer_tokens`, from there a line down to −1 at the cap: DAPO's soft overlong punishment.

    arXiv 2503.14476, equation 13.
    """
    return max(-1.0, min(0.0, (cap - buffer_tokens - tokens) / buffer_tokens))


JUDGING: dict[str, Callable[[bool, Signals], float]] = {
    "plus_minus_one": plus_minus_one,
    "zero_one": zero_one,
    "format": format_reward,
    "repetition_penalty": repetition_penalty,
    "box_repetition_penalty": box_repetition_penalty,
}
LOWEST = {
    "plus_minus_one": -1.0,
    "zero_one": 0.0,
    "format": -1.0,
    "repetition_penalty": -2.0,
    "box_repetition_penalty": -2.0,
    "overlong": -1.0,
}
