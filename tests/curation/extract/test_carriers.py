"""Each way pages write formulas gives its TeX, once, in place, without the rendered copies."""

import pytest

from curation.extract.fast import extract_fast
from curation.extract.outcome import Extraction

OPENING = "Some opening words that any reader would take for the main content of this page."
CLOSING = "Some closing words that any reader would take for the main content of this page."


def extract(inner: str) -> Extraction:
    page = f"<html><body><article><p>{OPENING}</p><p>{inner}</p><p>{CLOSING}</p></article></body></html>"
    return extract_fast(page.encode())


def between(extraction: Extraction) -> str:
    assert extraction.reason is None
    return extraction.text.removeprefix(OPENING).removesuffix(CLOSING).strip()


KATEX_HTML = (
    '<span class="katex-html" aria-hidden="true"><span class="base">x<span class="vlist">2</span></span></span>'
)


@pytest.mark.parametrize(
    ("inner", "text", "kind"),
    [
        ('<script type="math/tex">a < b</script>', "$a < b$", "mathjax-script"),
        ("<script type='math/tex; mode=display'>% <![CDATA[\na\n%]]></script>", "$$a$$", "mathjax-script"),
        (
            '<span class="MathJax_Preview">p</span><span class="MathJax" id="q-Frame"><nobr>c</nobr></span>'
            '<script type="math/tex" id="q">c^2</script>',
            "$c^2$",
            "mathjax-script",
        ),
        (
            '<span class="katex"><span class="katex-mathml"><math><semantics><mrow><mi>x</mi></mrow>'
            f'<annotation encoding="application/x-tex">x^2</annotation></semantics></math></span>{KATEX_HTML}</span>',
            "$x^2$",
            "katex",
        ),
        (
            '<span class="katex-display"><span class="katex"><math><semantics><mi>x</mi>'
            '<annotation encoding="application/x-tex">x</annotation></semantics></math></span></span>',
            "$$x$$",
            "katex",
        ),
        ('<math alttext="n&gt;2"><mi>n</mi><mo>&gt;</mo><mn>2</mn></math>', "$n>2$", "mathml-alttext"),
        ('<math alttext="\\displaystyle A" display="block"><mi>A</mi></math>', "$$A$$", "mathml-alttext"),
        (
            '<mml:math><mml:semantics><mml:mi>x</mml:mi><mml:annotation encoding="TeX">x_1</mml:annotation>'
            "</mml:semantics></mml:math>",
            "$x_1$",
            "mathml-tex",
        ),
        (
            '<span class="mwe-math-element"><span class="mwe-math-mathml-inline" style="display: none;">'
            '<math alttext="{\\displaystyle x^{2}}"><mi>x</mi></math></span>'
            '<img class="mwe-math-fallback-image-inline" alt="{\\displaystyle x^{2}}" src="a.svg"></span>',
            "$x^{2}$",
            "wikipedia",
        ),
        (
            '<img class="mwe-math-fallback-image-inline" alt="{\\displaystyle x^{2}}" src="/math/render/svg/a">',
            "$x^{2}$",
            "img-alt",
        ),
        (
            '<mjx-container class="MathJax"><mjx-math aria-hidden="true"></mjx-math><mjx-assistive-mml>'
            '<math><semantics><mi>x</mi><annotation encoding="application/x-tex">x_1</annotation></semantics></math>'
            "</mjx-assistive-mml></mjx-container>",
            "$x_1$",
            "mathjax",
        ),
        (
            '<mjx-container><mjx-math data-latex="\\frac ab"><mjx-mi data-latex="a"></mjx-mi></mjx-math>'
            "</mjx-container>",
            "$\\frac ab$",
            "mathjax",
        ),
        ('<span class="mjx-chtml"><span class="mjx-math" aria-label="x^2">x</span></span>', "$x^2$", "mathjax"),
        ('<img class="math" src="a.png" alt="f(x) = mx">', "$$f(x) = mx$$", "img-alt"),
        ('<IMG SRC="img1.gif" ALT="$x$">', "$x$", "img-alt"),
        ('<img src="i.png" alt="\\begin{displaymath}y^2\\end{displaymath}">', "$$y^2$$", "img-alt"),
        (
            '<img class="latex" src="https://s0.wp.com/latex.php?latex=%5Cpi&bg=ff" alt="&#92;pi">',
            "$$\\pi$$",
            "img-alt",
        ),
        (
            '<img src="https://latex.codecogs.com/gif.latex?\\inline&space;x^2&space;+%5Calpha">',
            "$x^2 +\\alpha$",
            "img-url",
        ),
        ('<img src="http://chart.apis.google.com/chart?cht=tx&chl=x%5E2%2By" alt="chart">', "$$x^2+y$$", "img-url"),
        (
            '<img src="https://render.githubusercontent.com/render/math?math=e%5E%7Bi%5Cpi%7D">',
            "$$e^{i\\pi}$$",
            "img-url",
        ),
        (
            '<span class="ztext-math" data-tex="\\sum x"><span class="MathJax_SVG">s</span></span>',
            "$$\\sum x$$",
            "data-tex",
        ),
        ('<span class="tex" data-expr="x^2">x2</span>', "$$x^2$$", "data-expr"),
        ("<d-math>\\alpha</d-math>", "$\\alpha$", "element-text"),
        ("<dt-math block>w^{k+1}</dt-math>", "$$w^{k+1}$$", "element-text"),
        ('<span class="math notranslate nohighlight">\\(T_5\\)</span>', "$T_5$", "math-class"),
        ('<span class="math inline">x^2</span>', "$x^2$", "math-class"),
        ('<span class="math display">\\sum_i x</span>', "$$\\sum_i x$$", "math-class"),
        ('<span class="math-container">$$h \\over r$$</span>', "$$h \\over r$$", "math-class"),
        (
            '<span class="process-math">\\begin{align}a &amp;= b\\end{align}</span>',
            "$$\\begin{align}a &= b\\end{align}$$",
            "math-class",
        ),
        ('<code class="math js-render-math">a^2</code>', "$a^2$", "math-class"),
        ('<span class="katex-error" title="ParseError">\\foo{x}</span>', "$\\foo{x}$", "katex-error"),
    ],
)
def test_a_carrier_becomes_tex(inner: str, text: str, kind: str) -> None:
    """The TeX stands between dollars, alone, counted under the name of its carrier."""
    extraction = extract(inner)
    assert between(extraction) == text
    assert extraction.formula_kinds == {kind: 1}
    assert (extraction.formulas_found, extraction.formulas_kept, extraction.formulas_unconverted) == (1, 1, 0)


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("A <math><msup><mi>x</mi><mn>2</mn></msup></math> b", "A x^2 b"),
        ("<math><mfrac><mn>1</mn><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></mfrac></math>", "1/(n+1)"),
        (f'K <span class="katex">{KATEX_HTML}</span>', "K x2"),
        ('A <mjx-container><mjx-math><mjx-c class="mjx-c1D465"></mjx-c></mjx-math></mjx-container> b', "A [formula] b"),
        ('<script type="math/mml"><math><mi>q</mi></math></script>', "q"),
        ('<img src="https://latex.codecogs.com/a.png" alt="">', "[formula]"),
    ],
)
def test_a_formula_without_tex_stays_readable_and_is_counted(inner: str, text: str) -> None:
    """What cannot be converted is left as text or as a marker, never dropped."""
    extraction = extract(inner)
    assert between(extraction) == text
    assert (extraction.formulas_found, extraction.formulas_unconverted) == (0, 1)


@pytest.mark.parametrize(
    "inner",
    [
        '<img class="latex-picture" src="/latex-gloves.jpg" alt="Blue latex gloves for work">',
        '<img class="tex" src="logo.png" alt="logo.png">',
        '<span class="math">Mathematics and Physics</span>',
        '<math alttext=""></math>',
    ],
)
def test_what_only_looks_like_a_formula_is_left_alone(inner: str) -> None:
    """Prose in alternative texts, file names and headings of subjects are no formulas."""
    extraction = extract(inner)
    assert "$" not in extraction.text
    assert (extraction.formulas_found, extraction.formulas_unconverted) == (0, 0)


def test_hidden_macro_definitions_are_no_text() -> None:
    """A hidden list of macros disappears; a formula that begins with definitions loses only those."""
    extraction = extract(
        '<span id="latex-macros" style="display:none" class="process-math">\\(\\newcommand{\\N}{\\mathbb N}'
        "\\definecolor{shade}{gray}{0.9}x\\)</span>"
        '<span class="process-math">\\(\\def\\x#1{a}\\)</span>'
        '<span class="process-math">\\(\\renewcommand{\\d}{\\displaystyle}\\newcommand{\\N}{\\mathbb N} f:\\N\\)</span>'
    )
    assert between(extraction) == "$f:\\N$"


def test_overlong_tex_is_a_counted_marker() -> None:
    """A megabyte of TeX in an attribute is not put into the text."""
    tex = "\\frac{a}{b}" * 50_000
    extraction = extract(f'x <img class="math" src="a.png" alt="{tex}"> y')
    assert between(extraction) == "x [formula] y"
    assert extraction.formulas_unconverted == 1


def test_formulas_next_to_each_other_do_not_merge() -> None:
    """Two inline formulas without a space between would read as the start of a displayed one."""
    assert between(extract('<span class="math">\\(a\\)</span><span class="math">\\(b\\)</span>')) == "$a$ $b$"


def test_a_page_that_writes_tokens_gets_none_of_its_own_mixed_up() -> None:
    """Words that look like this extractor's tokens stay words."""
    extraction = extract('zqi0qz zqd7qz &#122;qi0qz <math alttext="x"></math>')
    assert between(extraction) == "zqi0qz zqd7qz zqi0qz $x$"


def test_menus_take_their_formulas_with_them() -> None:
    """A formula outside the main content is found but not kept."""
    page = (
        '<body><nav><a href="a"><math alttext="y"></math></a></nav>'
        f'<main><p>{OPENING} <math alttext="x"></math></p></main></body>'
    )
    extraction = extract_fast(page.encode())
    assert (extraction.formulas_found, extraction.formulas_kept) == (2, 1)
    assert extraction.formula_kinds == {"mathml-alttext": 1}


def test_a_formula_is_displayed_where_it_stands_alone_and_nothing_says_otherwise() -> None:
    image = '<img src="https://latex.codecogs.com/gif.latex?x^2" alt="x">'
    assert between(extract(image)) == "$$x^2$$"
    assert between(extract(f"We see {image} here.")) == "We see $x^2$ here."
    assert between(extract(image.replace("?", "?\\inline&space;"))) == "$x^2$"
