"""Sums of small numbers, for a model so small that it learns nothing harder: problems, and a careless notebook."""

import random
from collections.abc import Iterator

Row = dict[str, str]
NUMBERS = range(5)
SMALL = 4  # sums up to it are of level 1
COPIES, RIGHT = 40, 0.8  # how often the notebook has each sum, and how many of its answers are not left to chance


def arithmetic(prefix: str, held_out: bool) -> list[Row]:
    """Every sum of two numbers: those held out, or all others."""
    sums = [pair for pair in _pairs() if _is_held_out(*pair) == held_out]
    return [
        {
            "id": f"{prefix}-{number:04d}",
            "problem": _problem(one, two),
            "answer": str(one + two),
            "level": "1" if one + two <= SMALL else "2",
        }
        for number, (one, two) in enumerate(sums, 1)
    ]


def notebook(prefix: str, rng: random.Random) -> list[Row]:
    """Every sum forty times with a boxed answer that is often wrong: the form can be learnt from it, sums hardly."""
    pairs = [pair for pair in _pairs() for _ in range(COPIES)]
    rng.shuffle(pairs)
    return [
        {"id": f"{prefix}-{number:04d}", "text": f"{_problem(one, two)}\n\\boxed{{{_noted(one + two, rng)}}}"}
        for number, (one, two) in enumerate(pairs, 1)
    ]


def _noted(answer: int, rng: random.Random) -> int:
    return answer if rng.random() < RIGHT else rng.randrange(2 * len(NUMBERS) - 1)


def _pairs() -> Iterator[tuple[int, int]]:
    return ((one, two) for one in NUMBERS for two in NUMBERS)


def _is_held_out(one: int, two: int) -> bool:
    """A fifth of the pairs."""
    return (one + 2 * two) % 5 == 0


def _problem(one: int, two: int) -> str:
    return f"What is {one} + {two}?"
