"""The normal form: a page and a LaTeX file look alike, and no text breaks it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.normalise import LONGEST_WORD, normalise

PIECES = st.one_of(st.characters(), st.sampled_from(list("\\{}$abα≤∉²½Σςİ'’\"^_0123 \n=<>/*|:h")))


@pytest.mark.parametrize(
    ("page", "latex"),
    [
        ("Let ε > 0 and x ≤ y.", r"Let $\varepsilon > 0$ and $x \leqslant y$."),
        ("Poincaré’s naïve map f: A → B", r"Poincar\'e's na\"ive map $f: A \to B$"),
        ("Proof. If x ∉ S then y ≠ 0", r"\begin{proof} \label{p:1} If $x \notin S$ then $y \ne 0$ \end{proof}"),
        ("𝑥 ∈ ℝ, see https://example.org/a?b=c", r"\emph{$x \in R$}, see \cite{a} \ref{eq:1}"),
        ("$\\left( a,\\, b \\right)$", "(a, b)"),
        ("∑ a_i", r"\sum\limits a_{i}"),
    ],
)
def test_a_page_and_a_latex_file_look_alike(page: str, latex: str) -> None:
    assert normalise(page) == normalise(latex)


def test_digits_symbols_and_punctuation() -> None:
    assert normalise("It cost $15.90 in 2024; foo_bar2=x^3") == "it cost 00 00 in 0000 foo bar0 = x ^ 0"


def test_greek_pages_keep_their_words() -> None:
    assert normalise("Η Ελλάδα") == r"\eta ελλαδα"


def test_accents_written_in_two_ways_are_one() -> None:
    assert normalise("Caf\u00e9") == normalise("Cafe\u0301") == "cafe"


def test_commands_stay_apart_and_layout_goes() -> None:
    assert normalise(r"x\\y\alpha\beta\quad\mathrm{d}t \{1\}") == r"x y \alpha \beta d t 0"


def test_long_words_and_line_breaks_go() -> None:
    assert normalise("a\n" + "b" * (LONGEST_WORD + 1) + "\r\n\u2028c") == "a c"


def test_lone_surrogates_and_nothing() -> None:
    assert normalise("\ud800a\udfff") == "a"
    assert normalise(" \n. ") == ""


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=PIECES, max_size=200))
def test_every_text_gives_short_words_on_one_line_and_is_its_own_normal_form(text: str) -> None:
    words = normalise(text)
    assert words == " ".join(words.split())
    assert all(len(word.encode("utf-8")) <= LONGEST_WORD for word in words.split())
    assert normalise(words) == words
