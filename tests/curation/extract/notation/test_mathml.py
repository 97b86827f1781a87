import json
import re
from pathlib import Path

import pytest

from curation.extract.notation.markup import Unconvertible, read_markup
from curation.extract.notation.mathml import mathml_to_tex

PRODUCERS = Path(__file__).parent / "mathml_producers.jsonl"  # our own formulas, as real programs render them

HALF = "<mfrac><mi>a</mi><mi>b</mi></mfrac>"


def convert(inner: str, attributes: str = "") -> str:
    return mathml_to_tex(read_markup(f"<math{attributes}>{inner}</math>"))


def row(*leaves: str) -> str:
    """Leaves written `x` (identifier), `1` (number) or `+` (operator)."""
    tags = [("mn" if leaf[0].isdigit() else "mi" if leaf.isalpha() else "mo", leaf) for leaf in leaves]
    return "".join(f"<{tag}>{leaf}</{tag}>" for tag, leaf in tags)


@pytest.mark.parametrize("line", PRODUCERS.read_text(encoding="utf-8").splitlines())
def test_what_real_programs_write_becomes_what_the_author_wrote(line: str) -> None:
    formula = json.loads(line)
    written = mathml_to_tex(read_markup(formula["mathml"]))
    assert re.sub(r"\s", "", written) == re.sub(r"\s", "", formula["tex"]), formula["producer"]


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        ("<mi>x</mi><mo>∈</mo><mi>ℝ</mi>", r"x\in\mathbb{R}"),
        ("<mi>𝑥</mi><mi>𝐱</mi><mi>𝔤</mi><mi>ⅇ</mi><mi>𝜶</mi>", r"x\mathbf{x}\mathfrak{g}e\boldsymbol{\alpha}"),
        ('<mi mathvariant="normal">k</mi><mi mathvariant="normal">g</mi>', r"\mathrm{kg}"),
        ('<mi mathvariant="bold">A</mi><mn mathvariant="bold">1</mn>', r"\mathbf{A1}"),
        ('<mi mathvariant="normal">d</mi><mi>x</mi>', r"\mathrm{d}x"),
        ('<mi mathvariant="normal">∞</mi>', r"\infty"),
        ("<mi>Γ</mi><mi>ε</mi><mi>ϵ</mi><mi>φ</mi>", r"\Gamma\varepsilon\epsilon\varphi"),
        ("<mn>1</mn><mn>0</mn><mo>−</mo><mn>1,000.5</mn>", "10-1{,}000.5"),
        ("<mi>sin</mi><mo>⁡</mo><mi>x</mi>", r"\sin x"),
        ("<mi>lcm</mi><mo>⁡</mo><mo>(</mo><mi>a</mi><mo>)</mo>", r"\operatorname{lcm}(a)"),
        ("<mi>lim sup</mi>", r"\limsup"),
        ("<mi>kg</mi><mo>⁢</mo><mi>m</mi>", r"\mathrm{kg}m"),
        ("<mi>数学</mi>", r"\text{数学}"),
        ("<mi>x₁</mi><mi>m²</mi>", "x_{1}m^{2}"),
    ],
)
def test_letters_and_numbers(mathml: str, tex: str) -> None:
    assert convert(mathml) == tex


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        (row("a", "≤", "b"), r"a\leq b"),
        ("<mo>=\u0338</mo><mo>≉</mo>", r"\neq\not\approx"),
        ("<mn>90</mn><mo>°</mo>", r"90^\circ"),
        ("<msup><mn>90</mn><mo>°</mo></msup>", r"90^\circ"),
        ("<mi>f</mi><mo>′</mo><mo>″</mo>", "f'''"),
        ("<msup><mi>f</mi><mrow><mo>′</mo><mn>2</mn></mrow></msup>", "f'^2"),
        ("<mi>f</mi><msup><mi>′</mi><mn>2</mn></msup>", "f'^2"),
        ("<mi>f</mi><msub><mi>″</mi><mi>n</mi></msub>", "f''_n"),
        ("<msup><mi>x</mi><mn>2</mn></msup><mo>′</mo>", "x^2{}'"),
        ("<msup><mi>x</mi><mrow><mo>*</mo><mo>′</mo></mrow></msup>", r"x^{*\prime}"),
        ("<mo>≙</mo>", "≙"),
        ("<mi>a</mi><mo>mod</mo><mi>n</mi>", r"a\bmod n"),
        ("<mi>a</mi><mspace width='1em'/><mo>(</mo><mi>mod</mi><mi>n</mi><mo>)</mo>", r"a\pmod{n}"),
        ("<mi>a</mi><mspace width='1em'/><mi>b</mi><mspace width='0.167em'/><mi>c</mi>", r"a\quad b\,c"),
        ("<mo>#</mo><mi>%</mi><mo>&amp;</mo><mi>_</mi><mo>$</mo>", r"\#\%\&\_\$"),
    ],
)
def test_signs(mathml: str, tex: str) -> None:
    assert convert(mathml) == tex


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a,b)"),
        ('<mfenced open="[" close=")" separators=";"><mn>0</mn><mn>1</mn></mfenced>', "[0;1)"),
        (f"<mfenced>{HALF}</mfenced>", r"\left(\frac{a}{b}\right)"),
        (f"<mo>(</mo>{HALF}<mo>)</mo><mo>(</mo><mi>c</mi><mo>)</mo>", r"\left(\frac{a}{b}\right)(c)"),
        (f'<mo stretchy="false">(</mo>{HALF}<mo stretchy="false">)</mo>', r"(\frac{a}{b})"),
        ("<mrow><mo>|</mo><mi>x</mi><mo>|</mo></mrow>", "|x|"),
        (f"<msub><mrow>{HALF}<mo>|</mo></mrow><mn>0</mn></msub>", r"\left.\frac{a}{b}\right|_0"),
        (f"<mrow><mo>(</mo>{HALF}<mo>|</mo><mi>B</mi><mo>)</mo></mrow>", r"\left(\frac{a}{b}\middle|B\right)"),
        ("<mo>(</mo><mfrac linethickness='0'><mi>n</mi><mi>k</mi></mfrac><mo>)</mo>", r"\binom{n}{k}"),
        ("<mo>[</mo><mfrac linethickness='0pt'><mi>n</mi><mi>k</mi></mfrac><mo>]</mo>", r"\genfrac{[}{]}{0pt}{}{n}{k}"),
        ('<mo minsize="1.2em">(</mo><mi>x</mi><mo minsize="1.2em">)</mo>', r"\bigl(x\bigr)"),
        ('<mo stretchy="false">[</mo><mn>0</mn><mo>,</mo><mn>1</mn><mo stretchy="false">[</mo>', "[0,1["),
        ("<msup><mrow><mo>(</mo><mi>a</mi><mo>+</mo><mi>b</mi><mo>)</mo></mrow><mn>2</mn></msup>", "(a+b)^2"),
    ],
)
def test_delimiters_stretch_only_where_they_have_to(mathml: str, tex: str) -> None:
    assert convert(mathml) == tex


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        ("<msup><mi>e</mi><mrow><mi>i</mi><mi>π</mi></mrow></msup>", r"e^{i\pi}"),
        ("<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>", "x_i^2"),
        ("<msup><msup><mi>x</mi><mn>2</mn></msup><mn>3</mn></msup>", "{x^2}^3"),
        ("<msup><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></msup>", "{a+b}^2"),
        ("<msub><mrow/><mn>1</mn></msub><mi>x</mi>", "{}_1x"),
        ("<mmultiscripts><mi>C</mi><mprescripts/><mn>6</mn><mn>14</mn></mmultiscripts>", "{}_6^{14}C"),
        ("<msub><mi>x</mi><mtext>max</mtext></msub>", r"x_{\text{max}}"),
        ("<msub><mi>y</mi><mi>tot</mi></msub>", r"y_{\mathrm{tot}}"),
        ("<munder><mi>lim</mi><mrow><mi>x</mi><mo>→</mo><mn>0</mn></mrow></munder><mi>f</mi>", r"\lim_{x\to0}f"),
        ("<munder><mi>argmax</mi><mi>x</mi></munder>", r"\operatorname*{argmax}_x"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover><mi>i</mi>", r"\sum_i^ni"),
        ("<munderover><mo>∫</mo><mn>0</mn><mn>1</mn></munderover>", r"\int\limits_0^1"),
        ("<munder><mo>⊕</mo><mi>i</mi></munder>", r"\bigoplus_i"),
        ("<mover><mo>=</mo><mtext>def</mtext></mover>", r"\overset{\text{def}}{=}"),
        ("<munderover><mo>→</mo><mi>a</mi><mi>b</mi></munderover>", r"\xrightarrow[a]{b}"),
        ("<munder><munder><mi>x</mi><mo>⏟</mo></munder><mi>n</mi></munder>", r"\underbrace{x}_n"),
        ("<msqrt><mi>a</mi><mo>+</mo><mi>b</mi></msqrt><mroot><mi>x</mi><mn>3</mn></mroot>", r"\sqrt{a+b}\sqrt[3]{x}"),
    ],
)
def test_scripts_and_limits(mathml: str, tex: str) -> None:
    assert convert(mathml) == tex


@pytest.mark.parametrize(
    ("accent", "one", "several"),
    [
        ("^", r"\hat{x}", r"\widehat{ab}"),
        ("¯", r"\bar{x}", r"\overline{ab}"),
        ("→", r"\vec{x}", r"\overrightarrow{ab}"),
    ],
)
def test_accents_are_as_wide_as_what_they_stand_on(accent: str, one: str, several: str) -> None:
    assert convert(f"<mover><mi>x</mi><mo>{accent}</mo></mover>") == one
    assert convert(f"<mover><mrow><mi>a</mi><mi>b</mi></mrow><mo>{accent}</mo></mover>") == several


def table(attributes: str, *rows: str) -> str:
    lines = ("".join(f"<mtd>{cell}</mtd>" for cell in line.split("|")) for line in rows)
    return f"<mtable {attributes}>" + "".join(f"<mtr>{line}</mtr>" for line in lines) + "</mtable>"


A, B, C, D = (f"<mi>{letter}</mi>" for letter in "abcd")


def test_tables_become_the_environment_they_look_like() -> None:
    square = table("", A + "|" + B, C + "|" + D)
    assert convert(f"<mfenced>{square}</mfenced>") == r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}"
    assert convert(f"<mo>|</mo>{square}<mo>|</mo>") == r"\begin{vmatrix} a & b \\ c & d \end{vmatrix}"
    assert convert(square) == r"\begin{matrix} a & b \\ c & d \end{matrix}"
    cases = table('columnalign="left"', A + "|<mtext>if </mtext>" + B, C + "|<mtext>else</mtext>")
    assert (
        convert(f"<mrow><mo>{{</mo>{cases}</mrow>") == r"\begin{cases} a & \text{if }b \\ c & \text{else} \end{cases}"
    )
    equations = table('columnalign="right left" columnspacing="0em"', A + "|<mo>=</mo>" + B, "|<mo>=</mo>" + C)
    assert convert(equations) == r"\begin{aligned} a & =b \\ & =c \end{aligned}"
    lined = table('columnalign="right center" columnlines="solid" rowlines="solid"', A + "|" + B, C + "|" + D)
    assert convert(lined) == r"\begin{array}{r|c} a & b \\ \hline c & d \end{array}"


def test_rows_that_begin_with_a_bracket_are_no_options_of_the_line_break() -> None:
    brackets = table("", "<mo>[</mo>", "<mo>[</mo>")
    assert convert(brackets) == r"\begin{array}{c} {}[ \\ {}[ \end{array}"


def test_equation_numbers_are_tags_of_displayed_formulas_only() -> None:
    labelled = "<mtable><mlabeledtr><mtd><mtext>(7)</mtext></mtd><mtd><mi>x</mi></mtd></mlabeledtr></mtable>"
    assert convert(labelled, ' display="block"') == r"x\tag{7}"
    assert convert(labelled) == "x"


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("a &lt; 5% &amp; $3 {x}", r"\text{a < 5\% \& \$3 \{x\}}"),
        ("if\u00a0", r"\text{if }"),
        ("If <b>x</b> holds", r"\text{If x holds}"),
        ("\u2003", r"\quad"),
        (r"\foo", r"\foo"),  # a macro unknown to the typesetter, shown by its name
    ],
)
def test_text(text: str, tex: str) -> None:
    assert convert(f"<mtext>{text}</mtext>") == tex


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        ("<mstyle displaystyle='true'><mfrac><mi>a</mi><mi>b</mi></mfrac></mstyle><mi>c</mi>", r"\dfrac{a}{b}c"),
        ("<mstyle displaystyle='true'><mfrac><mi>a</mi><mi>b</mi></mfrac></mstyle>", r"\frac{a}{b}"),
        ("<mphantom><mi>x</mi></mphantom><mi>y</mi>", r"\phantom{x}y"),
        ("<menclose notation='box'><mi>x</mi></menclose>", r"\boxed{x}"),
        ("<menclose notation='updiagonalstrike'><mi>x</mi></menclose>", r"\cancel{x}"),
        ("<maction selection='2'><mi>x</mi><mi>y</mi></maction>", "y"),
        ("<semantics><mi>x</mi><annotation encoding='application/x-tex'>y</annotation></semantics>", "x"),
        ("", ""),
        ("<mrow><mrow/></mrow>", ""),
    ],
)
def test_styles_wrappers_and_nothing(mathml: str, tex: str) -> None:
    assert convert(mathml) == tex


@pytest.mark.parametrize(
    "markup",
    [
        '<m:math xmlns:m="http://www.w3.org/1998/Math/MathML"><m:mfrac><m:mi>a</m:mi><m:mi>b</m:mi></m:mfrac></m:math>',
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><mfrac><mi>a</mi><mi>b</mi></mfrac></math>',
        "<mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mi>b</mml:mi></mml:mfrac></mml:math>",
        "<MATH><MFRAC><MI>a</MI><MI>b</MI></MFRAC></MATH>",
    ],
)
def test_prefixes_namespaces_and_capitals_make_no_difference(markup: str) -> None:
    assert mathml_to_tex(read_markup(markup)) == r"\frac{a}{b}"


@pytest.mark.parametrize(
    ("mathml", "reason"),
    [
        ("<apply><plus/><ci>x</ci></apply>", "content_mathml"),
        ("<mi>x</mi><mo>\ue012</mo>", "private_use"),
        ("<mtext>\uf8ff</mtext>", "private_use"),
        ("<merror><mtext>Misplaced &amp;</mtext></merror>", "merror"),
        ("<mrow>" * 150 + "<mi>x</mi>" + "</mrow>" * 150, "too_deep"),
        ("<mmultiscripts>" + "<mi>x</mi>" * 60 + "</mmultiscripts>", "too_deep"),
    ],
)
def test_what_has_no_latex_says_why(mathml: str, reason: str) -> None:
    with pytest.raises(Unconvertible, match=reason):
        convert(mathml)
