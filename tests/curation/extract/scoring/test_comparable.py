r"""Formulas that say the same compare equal, and those that do not differ."""

import pytest

from curation.extract.scoring.comparable import comparable_tex, undelimited, without_space
from curation.extract.scoring.shown import shown_formulas, without_formulas


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"x_{1} \le \dfrac12", r"x_1\leq\frac{1}{2}"),
        (r"\left( a \right)", "(a)"),
        (r"$$\displaystyle x$$", r"\(x\)"),
        (r"x^2_1", r"x_1^2"),
        ("f'(x)", r"f^{\prime}(x)"),
        ("f''_n", r"f_n^{\prime\prime}"),
        (r"\operatorname{lcm}(a, b)", r"\mathrm{lcm}(a,b)"),
        (r"\sin x", r"\operatorname{sin} x"),
        (r"a \equiv b \pmod{m}", r"a\equiv b\quad(\bmod m)"),
        (r"\begin{pmatrix} a & b \\ c & d \\ \end{pmatrix}", r"\left(\begin{array}{cc}a&b\\c&d\end{array}\right)"),
        (r"\begin{cases} 1 & x \\ 2 & y \end{cases}", r"\left\{\begin{matrix}1&x\\2&y\end{matrix}\right."),
        (r"\begin{aligned} a &= b \end{aligned}", r"\begin{align*}a&=b\\\end{align*}"),
        (r"{a + b \over c}", r"\frac{a+b}{c}"),
        (r"\mathbf{AB}", r"\mathbf A\boldsymbol{B}"),
        (r"|x| \mid y", r"\lvert x\rvert|y"),
        (r"1, \ldots, n", r"1,\dots,n"),
        (r"α ≤ β", r"\alpha\le\beta"),
        (r"x ∈ ℝ", r"x\in\mathbb{R}"),
        (r"\sum\limits_{i=1}^n", r"\sum_{i=1}^{n}"),
        (r"\text{if $n$ is odd}", r"\mathrm{if}\; n \mathrm{\ is\ odd}"),
        (r"\not= \not\in", r"\ne\notin"),
        (r"\sqrt[3]{x}", r"\sqrt[3]x"),
        (r"\stackrel{!}{=}", r"\overset{!}{=}"),
        (r"x % a note" + "\n+ y", "x+y"),
        (r"\begin{equation}\label{e} x \end{equation}", "x"),
        (r"x \\", "x"),
        (r"\textcolor x", r"\textcolor{x}"),
    ],
)
def test_spellings_of_one_formula_compare_equal(one: str, other: str) -> None:
    assert comparable_tex(one) == comparable_tex(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x^{ab}", "x^ab"),
        ("x_1", "x^1"),
        ("x2", "x^2"),
        (r"\frac{a}{b}", r"\frac{b}{a}"),
        (r"\frac{a}{b}", "a/b"),
        (r"\sqrt{ab}", r"\sqrt{a}b"),
        (r"\mathbb{R}", "R"),
        (r"\mathbf{x}", "x"),
        (r"\alpha", "a"),
        (r"\leq", "<"),
        (r"\in", r"\notin"),
        (r"\begin{pmatrix} a & b \end{pmatrix}", r"\begin{pmatrix} a \\ b \end{pmatrix}"),
        (r"\begin{pmatrix} a \end{pmatrix}", r"\begin{bmatrix} a \end{bmatrix}"),
        (r"\bar{x}", "x"),
        (r"\bar{x}", r"\hat{x}"),
        (r"\binom{n}{k}", r"\frac{n}{k}"),
        ("f'", "f"),
        (r"\{a\}", "a"),
        (r"\sum_{i}^{n} i", r"\sum i"),
        (r"\int_a^b", r"\int_b^a"),
    ],
)
def test_formulas_that_differ_compare_unequal(one: str, other: str) -> None:
    assert comparable_tex(one) != comparable_tex(other)


@pytest.mark.parametrize(
    "broken",
    ["", "{", "}", "x^", "_", "^^^", r"\frac", r"\frac{a", r"\begin{array}", r"\sqrt[", r"\left", "\\", "$", "{" * 900],
)
def test_broken_formulas_have_a_form_too(broken: str) -> None:
    assert comparable_tex(broken) == comparable_tex(f" {broken} ")


def test_very_deep_formulas_are_compared_by_their_characters() -> None:
    deep = r"\frac{" * 300 + "x" + "}" * 300
    assert comparable_tex(deep) == without_space(deep)
    assert comparable_tex(deep) != comparable_tex(deep.replace("x", "y"))


def test_an_exact_copy_may_differ_in_white_space_and_wrappers_alone() -> None:
    assert without_space("\\[\n x + 1 \\]") == without_space("$$x+1$$") == "x+1"
    assert without_space("{\\displaystyle \\alpha x}") == "\\alphax"
    assert without_space("x_{1}") != without_space("x_1")
    assert undelimited("$a$ and $b$") == "a$ and $b"  # what it is given has to be one formula


def test_formulas_are_found_between_all_delimiters_in_order() -> None:
    text = r"One $a$, two $$b\\ c$$ and \(d\), \[e\]; \begin{align} f &= g \end{align}."
    assert [(formula.tex, formula.display) for formula in shown_formulas(text)] == [
        ("a", False),
        (r"b\\ c", True),
        ("d", False),
        ("e", True),
        (r"\begin{align} f &= g \end{align}", True),
    ]


def test_money_and_code_are_no_formulas() -> None:
    assert shown_formulas("It costs $5 or $10, \\$3 and `$x$`.") == []
    assert [formula.tex for formula in shown_formulas("```sh\n$ ls $x$\n```\nthen $y$\n```\n$z$")] == ["y"]
    assert [formula.tex for formula in shown_formulas(r"a $\$5 \cdot n$ b")] == [r"\$5 \cdot n"]


def test_formulas_hold_words_that_hold_formulas() -> None:
    (shown,) = shown_formulas(r"so $x \text{ if $n$ is odd}$.")
    assert shown.tex == r"x \text{ if $n$ is odd}"


def test_a_formula_does_not_reach_over_a_blank_line() -> None:
    assert shown_formulas("open $x here\n\nand y$ there") == []
    assert [formula.tex for formula in shown_formulas("open $x\ny$ there")] == ["x\ny"]


def test_a_formula_within_a_quotation_has_no_marks_of_it() -> None:
    (shown,) = shown_formulas("> $$\n> x >\n> y\n> $$\n")
    assert shown.tex == "x >\ny"


def test_text_without_its_formulas() -> None:
    assert without_formulas("Let $x$ be \\(y\\), paid $5.").split() == ["Let", "be", ",", "paid", "$5."]
