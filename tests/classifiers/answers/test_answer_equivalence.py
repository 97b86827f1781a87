"""Which answers are equal: pairs labelled by hand, numbers, spellings, and what must hold for any answer."""

import contextlib
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.answers.check import check_extracted
from classifiers.answers.equivalence import Undecided, same_answer
from classifiers.answers.exact import read_number
from classifiers.answers.normal import squeezed, tidy
from classifiers.answers.units import split_unit

PAIRS = json.loads(Path(__file__).with_name("labelled_pairs.json").read_text("utf-8"))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['truth']} ~ {pair['answer']}")
def test_the_verdict_on_a_pair_labelled_by_hand(pair: dict[str, str | bool]) -> None:
    verdict = check_extracted(str(pair["answer"]), str(pair["truth"]))
    assert verdict.correct is pair["equal"], pair["why"]
    assert verdict.reason in ("right", "wrong")


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['truth']} ~ {pair['answer']}")
def test_every_answer_equals_itself(pair: dict[str, str | bool]) -> None:
    for side in ("truth", "answer"):
        assert same_answer(str(pair[side]), f"$ {pair[side]} $.")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-12", Fraction(-12)),
        ("1.50", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("3/-4", Fraction(-3, 4)),
        (r"-\frac{-1}{2}", Fraction(1, 2)),
        (r"\frac{0.5}{2}", Fraction(1, 4)),
        (r"-2\frac{1}{2}", Fraction(-5, 2)),
        (r"0.1\overline{6}", Fraction(1, 6)),
        (r".\overline{9}", Fraction(1)),
        ("1.2e-3", Fraction(3, 2500)),
        (r"10^{-2}", Fraction(1, 100)),
        ("1F_{16}", Fraction(31)),
        ("Twelve", Fraction(12)),
        (r"2\frac{3}{2}", None),
        ("1/0", None),
        (r"\frac{1}{0}", None),
        ("9_{8}", None),
        ("10_{1}", None),
        ("1+1", None),
        ("٣", None),
        ("x", None),
        ("", None),
    ],
)
def test_numbers_are_read_exactly(text: str, value: Fraction | None) -> None:
    number = read_number(text)
    assert (number.value if number else None) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\dfrac12", r"\frac{1}{2}"),
        (r"\tfrac{1}2", r"\frac{1}{2}"),
        (r"\frac\pi 2", r"\frac{\pi}{2}"),
        (r"\sqrt2", r"\sqrt{2}"),
        (r"\sqrt[3]2", r"\sqrt[3]{2}"),
        ("x^10", "x^{10}"),
        ("x_1^2", "x_{1}^{2}"),
        (r"\left( 3,\; 4 \right)", "(3,4)"),
        (r"$5$", "5"),
        (r"\[ 5 \]", "5"),
        ("$5", r"\$5"),
        (r"\mathrm{cm}", r"\text{cm}"),
        ("½", r"\frac{1}{2}"),
        ("2 × 3", r"2\cdot3"),
        (r"45^{\circ}.", r"45^{\circ}"),
        (".5.", ".5"),
        (r"\pi r", r"\pi r"),
        (r"\begin{pmatrix}1\\ 2\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
    ],
)
def test_one_spelling_of_many(text: str, expected: str) -> None:
    assert squeezed(tidy(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"100\text{ square units}", ("100", None)),
        (r"15\text{ cm}^{2}", ("15", "centimetre^2")),
        ("5 sq. cm", ("5", "centimetre^2")),
        (r"\$6", ("6", "dollar")),
        (r"60\text{ miles per hour}", ("60", None)),
        ("7 right triangles", ("7", None)),
        (r"12\text{ and }x", (r"12\text{ and }x", None)),
        (r"x+\text{cm}", (r"x+\text{cm}", None)),
        (r"\text{east}", (r"\text{east}", None)),
        ("12ab", ("12ab", None)),
        ("5m", ("5m", None)),
    ],
)
def test_units_are_taken_off(text: str, expected: tuple[str, str | None]) -> None:
    assert split_unit(text) == expected


def test_formulas_are_not_compared_in_this_process() -> None:
    with pytest.raises(Undecided):
        same_answer(r"2\sqrt{2}", r"\sqrt{8}")


COMMANDS = (
    r"\frac \sqrt \text{ \{ \} \left \pm \cup \in \le \\ \begin{pmatrix} \end{pmatrix} \infty \overline{3} \mid "
    "million cm and"
)
PIECES = [*"{}()[],;:=<>^_+-/|&%$'!* 0123456789xei.\x00\ud800π", *COMMANDS.split(), " or "]
LATEX = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(truth=LATEX, answer=LATEX)
def test_no_text_makes_the_comparison_fail(truth: str, answer: str) -> None:
    with contextlib.suppress(Undecided):
        assert same_answer(truth, answer) in (True, False)


@given(text=LATEX)
def test_one_spelling_stays_one(text: str) -> None:
    assert same_answer(text, text) is bool(squeezed(tidy(text)))


@given(parts=st.lists(st.fractions(max_denominator=99), min_size=2, max_size=5, unique=True), data=st.data())
def test_lists_have_no_order_and_tuples_have(parts: list[Fraction], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(parts))
    texts = [
        ", ".join(f"\\frac{{{part.numerator}}}{{{part.denominator}}}" for part in side) for side in (parts, shuffled)
    ]
    assert same_answer(*texts)
    assert same_answer(*(f"({text})" for text in texts)) is (shuffled == parts)
