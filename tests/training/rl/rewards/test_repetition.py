"""Loops: what the authors' regex finds, in time that hostile text cannot stretch; healthy text is left alone."""

import itertools
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from training.rl.rewards.repetition import FEWEST_CHARACTERS, loops, repeats

AUTHORS = re.compile(r"(.{5,}?)\1{4,}")
ACROSS_LINES = re.compile(r"(.{5,}?)\1{4,}", re.DOTALL)
MEGABYTE = 1_000_000


def _some_line_repeats(text: str) -> bool:
    return any(map(repeats, text.split("\n")))


@st.composite
def _texts_with_repeats(draw: st.DrawFn) -> str:
    """A unit a few times in a row, the last one cut, in text over few letters, so that more repeats by chance."""
    letters = st.text(draw(st.sampled_from(["a", "ab", "ab\n", "abc d", "0&\\ "])), max_size=30)
    unit = draw(letters.filter(bool))
    return draw(letters) + unit * draw(st.integers(2, 9)) + unit[: draw(st.integers(0, 30))] + draw(letters)


@given(_texts_with_repeats() | st.text("ab", max_size=80) | st.text(max_size=60))
@settings(max_examples=600, deadline=None)
@example("a" * 24)
@example("a" * 25)
@example("abcd" * 9)
@example("abcd" * 10)
@example(("abcde" * 4 + "x") * 5)
def test_finds_what_the_authors_regex_finds(text: str) -> None:
    assert _some_line_repeats(text) == bool(AUTHORS.search(text))
    assert repeats(text) == bool(ACROSS_LINES.search(text))


def test_finds_what_the_authors_regex_finds_in_real_solutions(healthy: dict[str, list[str]]) -> None:
    texts = healthy["sampled"][:400]
    found = [_some_line_repeats(text) for text in texts]
    assert found == [bool(AUTHORS.search(text)) for text in texts]
    assert any(found)


def _longest(text: str) -> int:
    """Characters of the longest stretch of five units or more, by trying every period; the slow truth."""
    best = 0
    for period in range(1, len(text) // 5 + 1):
        unit = -(-5 // period) * period
        equal = (text[at] == text[at + period] for at in range(len(text) - period))
        runs = [len(list(run)) + period for same, run in itertools.groupby(equal) if same]
        best = max([best, *(run for run in runs if run >= 5 * unit)])
    return best


@given(_texts_with_repeats(), st.integers(0, 300))
@settings(max_examples=200, deadline=None)
def test_counts_the_characters_of_a_stretch(text: str, fewest: int) -> None:
    longest = _longest(text)
    assert repeats(text, fewest) == (longest >= max(fewest, 1))


LONG_UNIT = "Hence the sum of the angles is two right angles, and the claim follows as before; see line 3.\n\n" * 3
LOOPS = {
    "boxes": "\\boxed{42}" * 30,
    "a line": "\nSolution\n" * 40,
    "one letter": "!" * 300,
    "a paragraph": LONG_UNIT.replace("3.", "4.", 1) * 5,
    "cut off in a turn": "We get x = 3. " + "Let us check: 3 + 4 = 7. " * 12 + "Let us ch",
    "turns that differ": "\n".join(f"Wait, let me check this again{'.' * (n % 3)}" for n in range(120)),
    "after a healthy start": ", ".join(str(n * n) for n in range(600)) + "\nSo the answer is \\boxed{4}." * 30,
}
TRUTH_TABLE = "\n".join(f"| {' | '.join(row)} |" for row in itertools.product("TF", repeat=8))
HEALTHY = {
    "powers": "2^{10} = " + " \\cdot ".join("2" * 10) + " = 1024",
    "a long sum": "1" + " + 1" * 40 + " = 41",
    "a matrix": " \\\\\n".join(" & ".join("1" if i == j else "0" for j in range(12)) for i in range(12)),
    "a table": "| n | n^2 | n^3 |\n|---|---|---|\n" + "\n".join(f"| {n} | {n**2} | {n**3} |" for n in range(80)),
    "a ruled line": "-" * 120 + "\n" + " " * 120 + "|",
    "columns": "\\begin{array}{" + "|c" * 20 + "|}",
    "a truth table": TRUTH_TABLE,
    "cases": "\n".join(f"({a}, {b}, {c}): sum {a + b + c}" for a, b, c in itertools.product(range(1, 7), repeat=3)),
    "counting": ", ".join(map(str, range(1, 1_000))),
    "trial division": "\n".join(f"{n} is not divisible by 2, 3, 5 or 7, so {n} is prime." for n in range(101, 300, 2)),
    "empty": "",
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_are_seen(name: str) -> None:
    assert loops(LOOPS[name])


@pytest.mark.parametrize("name", HEALTHY)
def test_long_healthy_reasoning_is_no_loop(name: str) -> None:
    assert not loops(HEALTHY[name])


def test_a_loop_begins_at_its_fewest_characters() -> None:
    unit = "0123456789"
    assert loops(unit * (FEWEST_CHARACTERS // 10))
    assert not loops(unit * (FEWEST_CHARACTERS // 10 - 1))


def test_no_right_solution_is_a_loop(healthy: dict[str, list[str]]) -> None:
    assert [text for texts in healthy.values() for text in texts if loops(text)] == []


def _fibonacci(length: int) -> str:
    """A text full of squares and cubes without one fifth power."""
    one, other = "a", "ab"
    while len(other) < length:
        one, other = other, other + one
    return other[:length]


def test_a_megabyte_of_almost_repeats_is_decided() -> None:
    assert not repeats(_fibonacci(MEGABYTE // 4))
    assert repeats(("a" * 199 + "b") * (MEGABYTE // 2_000), 50_000)
    assert not repeats("".join(f"{n % 7} {n * n % 11},"[:4] * 4 + f"#{n};" for n in range(MEGABYTE // 25)))


@pytest.mark.parametrize("letter", ["a", "{", "\n", "\ud800", "数", "\0"])
def test_a_megabyte_of_one_letter_is_a_loop(letter: str) -> None:
    assert loops(letter * MEGABYTE)
