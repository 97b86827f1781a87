"""One-step sums and differences, for reinforcement learning of a model so small that it learns nothing harder."""

from collections.abc import Iterator

Row = dict[str, str]
DIGITS = range(10)
EASY_SUM = 9  # sums up to it have one digit


def arithmetic(prefix: str, held_out: bool) -> list[Row]:
    """Every sum and every difference that is not negative of two digits: those held out, or all others."""
    problems = [
        problem for one in DIGITS for two in DIGITS if _is_held_out(one, two) == held_out for problem in _of(one, two)
    ]
    return [
        {"id": f"{prefix}-{number:04d}", "problem": text, "answer": str(answer), "level": level}
        for number, (text, answer, level) in enumerate(problems, 1)
    ]


def _is_held_out(one: int, two: int) -> bool:
    """A fifth of the pairs. The sum and the difference of a pair lie on the same side: they differ in one sign."""
    return (one + 2 * two) % 5 == 0


def _of(one: int, two: int) -> Iterator[tuple[str, int, str]]:
    """(problem, answer, level) of a pair; level 1: a sum of one digit, 2: a difference, 3: a sum of two digits."""
    yield f"What is {one} + {two}?", one + two, "1" if one + two <= EASY_SUM else "3"
    if one >= two:
        yield f"What is {one} - {two}?", one - two, "2"
