"""Formulas in plain HTML, and everything in pages that looks like them: each example is read as an editor would."""

import re

import pytest
from lxml import html as lxml_html

from curation.extract.text.runs import take_runs
from curation.extract.text.scripts import mark_scripts
from curation.extract.tokens import Formula, Tokens


def written(body: str, sure: bool = False) -> str:
    """The text of a page after both passes: formulas between dollars, the scripts that are left as text."""
    markup = f"<html><body>{body}</body></html>".encode()
    root = lxml_html.document_fromstring(markup, parser=lxml_html.HTMLParser(encoding="utf-8", huge_tree=True))
    tokens = Tokens(markup)
    take_runs(root, markup, tokens, sure)
    mark_scripts(root)

    def shown(token: re.Match[str]) -> str:
        entry = tokens.entry(token)
        assert isinstance(entry, Formula)
        return f"$${entry.tex}$$" if entry.display else f"${entry.tex}$"

    return tokens.pattern.sub(shown, root.find("body").text_content())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "Let <i>f</i>(<i>x</i>) = <i>x</i><sup>3</sup> &minus; 2<i>x</i> for <i>x</i> &isin; &#8477;.",
            r"Let $f(x) = x^{3} - 2x$ for $x \in \mathbb{R}$.",
        ),
        ("is x<sup>2</sup> + y<sup>2</sup> or 10<sup>-3</sup> m", "is $x^{2} + y^{2}$ or $10^{-3}$ m"),
        ("take a<sub>n</sub> = a<sub>n-1</sub> + 1.", "take $a_{n} = a_{n-1} + 1$."),
        ("Here 𝑓(𝑥) = ∑ᵢ 𝑥ᵢ² ≤ ½ holds", r"Here $f(x) = \sum_{i} x_{i}^{2} \le \frac{1}{2}$ holds"),
        ("for all n ≥ 1 and x ∈ ℝ", r"for all $n \ge 1$ and $x \in \mathbb{R}$"),
        ("so log<sub>2</sub> <i>n</i> and sin<sup>2</sup> <i>x</i>", r"so $\log_{2} n$ and $\sin^{2} x$"),
        ("a map <i>f</i>: <i>A</i> → <i>B</i>, thus", r"a map $f: A \to B$, thus"),
        ("then (<i>x</i> + 1)<sup>2</sup> = <i>y</i>; now", "then $(x + 1)^{2} = y$; now"),
        ("say <i>p</i> &lt; 0.05 (or <i>x</i> + 1 = 2)", "say $p < 0.05$ (or $x + 1 = 2$)"),
        ("in ℝ<sup>3</sup>, by <i>E</i> = <i>mc</i><sup>2</sup>", r"in $\mathbb{R}^{3}$, by $E = mc^{2}$"),
        ("at 2<sup>32</sup> - 1 or 2<sup><i>n</i></sup> bytes", "at $2^{32} - 1$ or $2^{n}$ bytes"),
        ("an <i>x</i><sup>*</sup> and <i>y</i><sup>(<i>n</i>)</sup>", "an $x^{*}$ and $y^{(n)}$"),
        ("of <i>A</i><sub>2</sub><sup>(2)</sup>, too", "of $A_{2}^{(2)}$, too"),
        ("where <i>V</i><sub>max</sub> is", r"where $V_{\max}$ is"),
        ("as <span style='font-style:italic'>p</span>&lt;2<sup>31</sup> is", "as $p<2^{31}$ is"),
    ],
)
def test_runs_become_one_formula(body: str, text: str) -> None:
    """Without the sentence around them, its punctuation and its brackets."""
    assert written(f"<p>{body}</p>") == text


@pytest.mark.parametrize("sure", [False, True])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("known<sup>[3]</sup> since<sup><a href='#f'>1</a></sup> long<sup>2</sup>", "known[3] since¹ long²"),
        ("the 19<sup>th</sup>, 1<sup>er</sup> and M<sup>me</sup> X<sup>TM</sup>", "the 19th, 1er and Mme XTM"),
        ("H<sub>2</sub>O, CO<sub>2</sub>, SO<sub>4</sub><sup>2−</sup>, <sup>14</sup>C", "H₂O, CO₂, SO₄²⁻, ¹⁴C"),
        ("5 m<sup>2</sup>, 30 cm<sup>3</sup>, 2 kg/m<sup>3</sup>", "5 m², 30 cm³, 2 kg/m³"),
        ("in 1999<sup>2</sup> there", "in 1999² there"),
        ("<i>et al.</i>, <i>i.e.</i>, <i>J. Math.</i> <b>12</b> (1999), 3–5", "et al., i.e., J. Math. 12 (1999), 3–5"),
        ("<em>I</em> think; (<i>a</i>) first; <em>M</em>aximise", "I think; (a) first; Maximise"),
        ("Home → Blog, Age ≥ 18, 5 ≤ 6, <i>YYYY</i>-MM", "Home → Blog, Age ≥ 18, 5 ≤ 6, YYYY-MM"),
        ("<em class='xref'>a</em> or <i>If</i> so™", "a or If so™"),
    ],
)
def test_what_is_no_formula_reads_as_text(body: str, text: str, sure: bool) -> None:
    """Notes, ordinals, molecules, units, abbreviations, emphasis: also on a page with formulas."""
    assert written(f"<p>{body}</p>", sure) == text


def test_a_lone_letter_needs_a_page_with_formulas() -> None:
    """Others of any kind, or three runs that leave no doubt."""
    page = "<p>an <i>n</i>th <i>x</i>-axis, <i>a</i>, <i>b</i></p>"
    assert written(page) == "an nth x-axis, a, b"
    assert written(page, sure=True) == "an $n$th $x$-axis, $a$, $b$"
    assert written(page + "<p>if <i>n</i> = 1, <i>n</i> &gt; 2, <i>m</i> = 3</p>").startswith("an $n$th $x$-axis")


def test_code_and_definitions_of_functions_stay() -> None:
    """Italics in code, and the terms of a list that defines them."""
    assert written("<pre><i>x</i> = <i>y</i></pre><code><i>x</i> = 1</code>", sure=True) == "x = yx = 1"
    assert written("<dl><dt><var>b</var> = <strong>size</strong> (<var>a</var>)</dt></dl>", sure=True) == "b = size (a)"


@pytest.mark.parametrize(
    ("body", "tex"),
    [
        ("<em>α</em><sub><em>n</em> − 1</sub><sup>2</sup>", r"$\alpha_{n - 1}^{2}$"),
        ("sin <em>x</em> ≤ 1", r"$\sin x \le 1$"),
        (
            "<strong>x</strong> ∈ ℱ, <em>x̂</em>, <em>x̄</em>, <em>v⃗</em>, <em>f</em>′",
            r"$\mathbf{x} \in \mathcal{F}, \hat{x}, \bar{x}, \vec{v}, f'$",
        ),
        ("<em>a</em> (mod  <em>n</em>)", r"$a \pmod{n}$"),
        ("√2 + √(<em>x</em>+1)", r"$\sqrt{2} + \sqrt{x+1}$"),
        ("√<span style='border-top:1px solid'>2<em>x</em></span>", r"$\sqrt{2x}$"),
        ("<sup>1</sup>⁄<sub>2</sub>", r"$\frac{1}{2}$"),
        ("{<em>x</em> : 10%}, ∥<em>x</em>∥", r"$\{x : 10\%\}, \|x\|$"),
        ("lim<sub><em>x</em> → 0</sub><em>f</em>", r"$\lim_{x \to 0}f$"),
        ("tr <em>A</em> = <b>α</b> <i>length</i>", r"$\mathrm{tr} A = \boldsymbol{\alpha} \mathit{length}$"),
        ("x<sup>a</sup><sup>b</sup>", "$x^{a}{}^{b}$"),
        ("<em>z</em><sup><em>q</em></sup>", "$z^{q}$"),
    ],
)
def test_elements_that_are_formulas(body: str, tex: str) -> None:
    """As pandoc writes them without a way to set mathematics, and Wikipedia for short ones."""
    assert written(f'<p><span class="math inline">{body}</span></p>') == tex
    assert written(f'<p><span class="texhtml">{body}</span></p>') == tex


def test_a_formula_alone_in_its_paragraph_is_displayed() -> None:
    """And one that says so."""
    assert written("<p><i>x</i><sup>2</sup> + <i>y</i><sup>2</sup> = 1.</p>") == "$$x^{2} + y^{2} = 1$$."
    assert written('<p><span class="math display"><em>x</em> = 1</span></p>') == "$$x = 1$$"


def test_formulas_that_are_tokens_already_end_a_run() -> None:
    """Nothing is taken twice."""
    markup = b"<html><body><p>x</p></body></html>"
    root, tokens = lxml_html.document_fromstring(markup), Tokens(markup)
    root.find("body/p").text = f"{tokens.add(Formula('y', False, 'mathml'))} ∈ ℝ and a ∈ ℝ"
    take_runs(root, "∈".encode(), tokens, True)
    assert root.find("body/p").text_content() == "zqi0qz ∈ ℝ and zqi1qz"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("T<sub>ab</sub> word<sup>a</sup> word<sup>n−1</sup>", "T_{ab} word^a word^{n−1}"),
        (
            "a very<sup>long remark that nobody would take for a script</sup>",
            "a verylong remark that nobody would take for a script",
        ),
        ("f<sup>2<i>n</i></sup>", "f^{2n}"),
        ("<sup>1</sup> See Smith", "¹ See Smith"),
    ],
)
def test_scripts_that_are_left_become_text(body: str, text: str) -> None:
    """Ten to the third never reads as 103."""
    root = lxml_html.fromstring(f"<p>{body}</p>")
    mark_scripts(root)
    assert root.text_content() == text
    assert not list(root.iter("sub", "sup"))


PIECES = ["<i>x</i> ", "x<sup>2</sup>, ", "x<sup>", "<i>", "<i>x</i> = ", "√(", "x ∈ y ", "<i>f</i>(", ": ", "1 2 "]


@pytest.mark.parametrize("piece", PIECES)
def test_many_of_anything_come_to_an_end(piece: str) -> None:
    """Thousands in one paragraph, in each other or in a row."""
    assert isinstance(written(f"<p><i>y</i>{piece * 3_000}</p>", sure=True), str)
