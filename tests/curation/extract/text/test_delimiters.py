"""Bare delimiters: formulas are found in one pass, and money, citations and code are not formulas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.extract.text.delimiters import Delimiters, Pair, find_formulas


def found(text: str, math_page: bool = True) -> list[tuple[str, bool]]:
    return [(span.tex, span.display) for span in find_formulas(text, math_page)]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        (r"a \(x\) b", [("x", False)]),
        (r"\[x\] and $$y$$", [("x", True), ("y", True)]),
        (r"\begin{align*}a&=b\\[2pt]c\end{align*}", [(r"\begin{align*}a&=b\\[2pt]c\end{align*}", True)]),
        ("[itex]u[/itex] [math]v[/math]", [("u", False), ("v", False)]),
        ("where $x$ is $y+1$", [("x", False), ("y+1", False)]),
        ("the $n$th and $k$-th", [("n", False), ("k", False)]),
        ("$a$$b$ $$c$$$d$", [("a", False), ("b", False), ("c", True), ("d", False)]),
        (r"\(a \text{ if $b$ and } c\)", [(r"a \text{ if $b$ and } c", False)]),
        (r"$$\begin{align}x\end{align}$$", [(r"\begin{align}x\end{align}", True)]),
        (r"open \( never closed and \(x\)", [("x", False)]),
        (r"half \( a \[y\] done", [("y", True)]),
        (r"$5 and \(x\)", [("x", False)]),
        ("from $100 to $x$ and $2x+1$ at $3 each", [("x", False), ("2x+1", False)]),
    ],
)
def test_formulas_are_found(text: str, formulas: list[tuple[str, bool]]) -> None:
    """Nested, adjacent and unclosed delimiters mean what a reader takes them for."""
    assert found(text) == formulas


@pytest.mark.parametrize("math_page", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and then $10 more, so $15 in total.",
        "Costs $5-$10 or US$20 to $30 million. Pay $1,000 and $2,000.",
        "The $5 bill and the 10$ note",
        "Set $HOME and $PATH:$HOME/bin now.",
        "Use $_GET and $_POST, or $a and $b.",
        "As in [12] and [1, 2].",
        r"Price is \$5 and \$6; \\(not math\\) line.",
        r"\(\) and \[ \]",
    ],
)
def test_money_and_the_like_are_no_formulas(text: str, math_page: bool) -> None:
    """Whether or not the page sets formulas elsewhere."""
    assert found(text, math_page) == []


def test_weak_signs_need_a_page_that_sets_formulas() -> None:
    r"""A lone letter between dollars and an escaped citation are formulas only where there are others."""
    assert found("where $x$ holds", math_page=False) == []
    assert found(r"as in \[12\]", math_page=False) == []
    assert found(r"write \( and \) around it", math_page=False) == []
    assert found(r'find . \( -name "*.c" -o -name "*.h" \)', math_page=False) == []
    assert found(r"as in \[12\]", math_page=True) == [("12", True)]
    assert found(r"where $\alpha$ holds", math_page=False) == [(r"\alpha", False)]


def test_a_page_may_have_delimiters_of_its_own() -> None:
    """Longer ones are tried first; those that no page declared need TeX between them."""
    own = Delimiters((Pair("$$$", "$$$", False), Pair("$$$$$$", "$$$$$$", True), Pair("[;", ";]", False, False)))
    spans = find_formulas("$$$n$$$ and $$$$$$m$$$$$$ [;x^2;] [;a;] $$y$$", True, own)
    assert [(span.tex, span.display) for span in spans] == [("n", False), ("m", True), ("x^2", False), ("y", True)]


def test_what_a_page_says_about_dollars_counts() -> None:
    """Whatever else is known of the page; TeX between dollars is a formula all the same."""
    assert [span.tex for span in find_formulas("$x$ or $a_1$", True, Delimiters(dollar=False))] == ["a_1"]
    assert [span.tex for span in find_formulas("$x$ or $a_1$", False, Delimiters(dollar=True))] == ["x", "a_1"]


def test_dollars_in_a_text_box_do_not_end_a_formula() -> None:
    """They begin and end one inside it."""
    assert found(r"$f(x)\text{ if $x$ is}$ and $y$") == [(r"f(x)\text{ if $x$ is}", False), ("y", False)]


def test_classes_of_prices_are_no_formulas() -> None:
    """Two dollars and three, with a dash or a comma between them."""
    assert found("from $$-$$$ up, $$, or $$", math_page=False) == []
    assert found("$$x = y$$", math_page=False) == [("x = y", True)]


PIECES = ["$", "$$", "\\(", "\\)", "\\[", "\\]", "\\begin{align}", "\\end{align}", "[itex]", "[/itex]", "\\\\", "\\$"]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(alphabet="ab5 .\n_^", max_size=4))), st.booleans())
def test_spans_lie_in_order_and_hold_their_tex(pieces: list[str], math_page: bool) -> None:
    """Whatever the text, spans do not overlap, and the TeX is a part of what each covers."""
    text, last = "".join(pieces), 0
    for span in find_formulas(text, math_page):
        assert last <= span.start < span.end <= len(text)
        assert span.tex in text[span.start : span.end]
        assert span.tex.strip()
        last = span.end


@pytest.mark.parametrize("piece", ["\\( a ", "$ a ", "\\begin{align} a ", "[itex] a ", "$$ a \\(", "\\[\\("])
def test_unclosed_delimiters_come_to_an_end(piece: str) -> None:
    """A hundred thousand openers and no closer: done at once, where looking for each one's end would take hours."""
    assert len(found(piece * 100_000)) <= 50_000
