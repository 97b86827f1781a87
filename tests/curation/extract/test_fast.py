"""The text of a page keeps its shape, its money and its code; the same page always gives the same text."""

import pytest

from curation.extract.fast import extract_fast

SCRIPT = "<script src='MathJax.js'></script>"
PARAGRAPH = "<p>Some ordinary paragraph of text about real numbers, long enough to be kept as content.</p>"


def text_of(inner: str) -> str:
    page = f"<html><head><title>A &amp; B</title>{SCRIPT}</head><body>{PARAGRAPH}{inner}</body></html>"
    return extract_fast(page.encode()).text.split("content.", 1)[1].strip()


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("<h2>Part <span class='math'>\\(x\\)</span><a class='headerlink' href='#x'>#</a></h2>", "## Part $x$"),
        ("<h1></h1><p>after</p>", "after"),
        ("<table><tr><td><h3>in a cell</h3></td></tr></table>", "### in a cell"),
        (
            "<ul><li>first item</li><li>second<ul><li>nested</li></ul></li></ul>",
            "- first item\n  - second\n    - nested",
        ),
        ("<ul><li><a href='/'>Home</a></li><li><a href='/about'>About us</a></li></ul>", ""),
        ("<ol><li>one \\(x\\)</li><li>\\[y\\]</li></ol>", "1. one $x$\n  2. $$y$$"),
        ("<table><tr><th>f</th><th>F</th></tr><tr><td>$x$</td><td>$$x^2$$</td></tr></table>", "f\t\tF\n$x$\t\t$x^2$"),
        (
            "<table><tr><td></td><td><math display='block' alttext='a=b'></math></td><td>(1.2)</td></tr></table>",
            "$$a=b$$\n(1.2)",
        ),
        ("<pre><code>if a:\n    print('$x$ \\(y\\)')\n</code></pre>", "```\nif a:\n    print('$x$ \\(y\\)')\n```"),
        ("<p>Type <code>$x^2$</code> to get <code>x</code>.</p>", "Type `$x^2$` to get x."),
        (
            "<p>area x<sup>2</sup>, 10<sup>-3</sup>, a<sub>n+1</sub>, H<sub>2</sub>O</p>",
            "area x^2, 10^{-3}, a_{n+1}, H_2O",
        ),
        (
            "<p>the 19<sup>th</sup> century, known<sup>3</sup> since<sup><a href='#f'>1</a></sup>, XIX<sup>e</sup></p>",
            "the 19th century, known3 since1, XIXe",
        ),
        ("<p>We have $$a = b<br>+ c$$, and so on.</p>", "We have\n$$a = b\n+ c$$,\nand so on."),
        (
            "<p>It costs $5 and then $10 more, where $x$ is $y+1$, see [12].</p>",
            "It costs $5 and then $10 more, where $x$ is $y+1$, see [12].",
        ),
        (
            "<div class='tex2jax_ignore'><p>$x$ stays, <span class='math'>\\(y\\)</span> not</p></div>",
            "$x$ stays, $y$ not",
        ),
        ("<p>a&nbsp;b&shy;c&#x200b;d</p>", "a bcd"),
    ],
)
def test_shape(inner: str, text: str) -> None:
    """Headings, lists, tables, code, scripts, money."""
    assert text_of(inner) == text


def test_dollars_that_a_page_shields_are_no_formulas() -> None:
    """Code and ignored parts do not count; the formula beside them does."""
    page = f"<body>{SCRIPT}{PARAGRAPH}<p><code>$a^2$</code> <tt>\\(b\\)</tt> \\(c\\)</p></body>"
    extraction = extract_fast(page.encode())
    assert extraction.formula_kinds == {"delim-paren": 1}


def test_theorems_are_not_mistaken_for_boilerplate() -> None:
    """Short articles full of links, and PreTeXt's class names, hold formulas and stay."""
    theorem = "<article class='theorem theorem-like'><p>For all <math alttext='x'></math> it holds.</p></article>"
    linked = (
        "<article><a href='1'>semiperfect</a> <a href='2'>numbers</a> <a href='3'>divide</a> "
        "<math alttext='n'></math></article>"
    )
    nested = f"<div><div><div>{theorem}{linked}</div></div></div>"
    assert text_of(nested) == "For all $x$ it holds.\n\nsemiperfect numbers divide $n$"


def test_title_and_charset() -> None:
    """The title is unescaped and on one line."""
    extraction = extract_fast(f"<title> A &amp;\n B </title>{PARAGRAPH}".encode("utf-16"), "utf-8", "text/html")
    assert (extraction.title, extraction.charset) == ("A & B", "utf-16-le")


def test_the_same_page_gives_the_same_outcome() -> None:
    """Tokens, kinds and text do not depend on what was extracted before."""
    page = f"{PARAGRAPH}<p>\\(x\\) zq <math alttext='y'></math> $$z^2$$</p>".encode()
    first = extract_fast(page)
    extract_fast(b"<p>another page \\(q\\)</p>")
    assert extract_fast(page) == first
    assert list(first.formula_kinds) == sorted(first.formula_kinds)
