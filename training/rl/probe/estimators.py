"""What a few responses say about many: pass@k, how sure one can be of a share, and the spread of lengths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE_Z = 1.959964  # of the normal distribution: 95 %


@dataclass(frozen=True)
class Share:
    """A share 0 to 1 with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """Such as `0.31 (0.18 to 0.47)`."""
        return f"{self.value:.2g} ({self.low:.2g} to {self.high:.2g})"


@dataclass(frozen=True)
class Lengths:
    """How long responses are; tokens, an end of text included."""

    p10: int
    median: int
    p90: int
    longest: int
    mean: float


def pass_at(k: int, responses: int, correct: int) -> float:
    """The chance that one of k responses is right, when `correct` of `responses` were (Chen et al. 2021, section 2.1).

    Unbiased for k up to `responses`: the share of all choices of k that hold a right one.
    """
    if not 1 <= k <= responses:
        raise ValueError(f"pass@{k} of {responses} responses; expected k from 1 to that")
    return 1.0 - math.comb(responses - correct, k) / math.comb(responses, k)


def mixed_at(k: int, responses: int, correct: int) -> float:
    """The chance that k responses are neither all right nor all wrong: those that give GRPO a gradient.

    Unbiased for k up to `responses`, as `pass_at`.
    """
    all_right = math.comb(correct, k) / math.comb(responses, k)
    return pass_at(k, responses, correct) - all_right


def powers_up_to(most: int) -> list[int]:
    """1, 2, 4, 8 … up to `most`, which is always the last."""
    powers = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return powers if powers[-1] == most else [*powers, most]


def share_of(values: Sequence[float]) -> Share:
    """The mean of one value in [0, 1] a problem, with the Wilson interval over problems (Wilson 1927).

    Problems are what was drawn, not responses, and values between 0 and 1 vary less than coins do; so the interval is
    rather too wide than too narrow. It stays honest where all values are equal: 0 of 32 is `0 (0 to 0.11)`.
    """
    count, mean = len(values), math.fsum(values) / len(values)
    squared = CONFIDENCE_Z**2
    centre = (mean + squared / (2 * count)) / (1 + squared / count)
    reach = math.sqrt(mean * (1 - mean) / count + squared / (4 * count**2)) * CONFIDENCE_Z / (1 + squared / count)
    return Share(mean, max(0.0, min(centre - reach, mean)), min(1.0, max(centre + reach, mean)))


def paired_gain(values: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """The mean gain of `others` over `values`, problem by problem, and its standard error."""
    gains = [other - value for value, other in zip(values, others, strict=True)]
    mean = math.fsum(gains) / len(gains)
    spread = math.fsum((gain - mean) ** 2 for gain in gains) / max(1, len(gains) - 1)
    return mean, math.sqrt(spread / len(gains))


def lengths_of(tokens: Sequence[int]) -> Lengths:
    """The spread of lengths; a percentile is the smallest length that so many do not exceed."""
    ordered = sorted(tokens)
    p10, median, p90 = (ordered[max(0, -(-len(ordered) * percent // 100) - 1)] for percent in (10, 50, 90))
    return Lengths(p10, median, p90, ordered[-1], math.fsum(ordered) / len(ordered))
