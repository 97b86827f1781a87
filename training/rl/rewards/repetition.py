"""Whether a text loops: the same unit over and over, exactly or nearly. Cheap on hostile text of a megabyte.

The authors of OctoThinker call a text repetitive that matches `(.{5,}?)\\1{4,}` (OctoThinker repository,
`rl/verl/utils/reward_score/math_verifier.py`). Three things differ here:

- the regex needs quadratic time and more; `repeats` gives its answer in O(n log n);
- `.` skips new-lines, so it misses loops of whole lines; here a unit may hold them, and a second test compresses the
  text, which finds loops whose turns differ a little;
- it calls `2 \\cdot 2 \\cdot 2 \\cdot 2 \\cdot 2 \\cdot 2`, padding and the columns of a matrix repetitive (12 of 728
  right solutions to MATH problems); FEWEST_CHARACTERS leaves those alone.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterator

SHORTEST_UNIT = 5  # characters; the authors' regex
FEWEST_REPEATS = 5  # the authors' regex
FEWEST_CHARACTERS = 200  # chosen here: of 15,000 right solutions none repeats a unit over more than 149

WINDOW_BYTES = 2_000  # chosen here: some 500 tokens; half as much cannot be told from a truth table
SMALLEST_RATIO = 0.07  # chosen here: real solutions compress to 0.17 at the smallest, a truth table of 256 rows to 0.09

_SHORTEST_SEED = 8  # characters; at least SHORTEST_UNIT


def loops(text: str) -> bool:
    """True where a unit is repeated over FEWEST_CHARACTERS, or a window compresses to SMALLEST_RATIO of its size."""
    return _compresses_too_well(text) or repeats(text, FEWEST_CHARACTERS)


def repeats(text: str, fewest_characters: int = 0) -> bool:
    """True where a unit of SHORTEST_UNIT characters or more stands FEWEST_REPEATS times in a row, over as many
    characters. With 0 of them exactly what the authors' regex finds, were its `.` to match new-lines.

    A text whose smallest period is q holds a unit of q characters. Seeds as long as the next power of two, taken at
    every multiple of their length, meet every such stretch, and the next place where a seed stands is q further on.
    """
    seed = _SHORTEST_SEED
    while FEWEST_REPEATS * max(seed // 2 + 1, SHORTEST_UNIT) <= len(text):
        if any(_stretch_is_long(text, at, period, fewest_characters) for at, period in _seeds_that_return(text, seed)):
            return True
        seed *= 2
    return False


def _seeds_that_return(text: str, length: int) -> Iterator[tuple[int, int]]:
    """Where a seed stands and how far behind it the same characters begin again, if that is within its length."""
    for at in range(0, len(text) - length, length):
        again = text.find(text[at : at + length], at + 1, at + 2 * length)
        if again >= 0:
            yield at, again - at


def _stretch_is_long(text: str, at: int, period: int, fewest_characters: int) -> bool:
    """Whether the stretch around `at`, where characters equal those a period further on, is a repetition."""
    unit = -(-SHORTEST_UNIT // period) * period  # the smallest multiple of the period that is long enough
    wanted = max(FEWEST_REPEATS * unit, fewest_characters) - period
    after = _equal_after(text, at, at + period, min(wanted, len(text) - at - period))
    return after + _equal_before(text, at, at + period, min(wanted, at)) >= wanted


def _equal_after(text: str, one: int, other: int, most: int) -> int:
    """How many characters from `one` and `other` on are equal, at most `most`; bisected, so that slices compare."""
    return bisect_left(range(most), True, key=lambda n: text[one : one + n + 1] != text[other : other + n + 1])


def _equal_before(text: str, one: int, other: int, most: int) -> int:
    """How many characters before `one` and `other` are equal, at most `most`."""
    return bisect_left(range(most), True, key=lambda n: text[one - n - 1 : one] != text[other - n - 1 : other])


def _compresses_too_well(text: str) -> bool:
    """Windows overlap by half, so a loop of one and a half windows fills one. Shorter texts hold none."""
    content = text.encode("utf-8", "surrogatepass")
    starts = range(0, len(content) - WINDOW_BYTES + 1, WINDOW_BYTES // 2)
    windows = (content[start : start + WINDOW_BYTES] for start in starts)
    return any(len(zlib.compress(window)) <= SMALLEST_RATIO * WINDOW_BYTES for window in windows)
