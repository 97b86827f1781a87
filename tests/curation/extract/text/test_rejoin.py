"""Formulas that elements run through are put together as their author wrote them."""

import pytest
from lxml import etree
from lxml import html as lxml_html

from curation.extract.text.delimited import take_text_formulas
from curation.extract.text.delimiters import Delimiters
from curation.extract.text.rejoin import repaired
from curation.extract.tokens import Formula, Tokens

WIDE = Delimiters(wide=True)


def tree_and_tex(body: str) -> tuple[str, list[str]]:
    """The markup afterwards, with `@` for every token, and the TeX of the formulas."""
    markup = f"<html><body>{body}</body></html>".encode()
    root = lxml_html.document_fromstring(markup, parser=lxml_html.HTMLParser(encoding="utf-8"))
    tokens = Tokens(markup)
    take_text_formulas(root, markup, tokens, True, WIDE)
    text = etree.tostring(root.find("body"), encoding="unicode", method="html")
    found = [tokens.entry(token) for token in tokens.pattern.finditer(text)]
    shown = tokens.pattern.sub("@", text).removeprefix("<body>").removesuffix("</body>")
    return shown, [formula.tex for formula in found if isinstance(formula, Formula)]


@pytest.mark.parametrize(
    ("body", "tex"),
    [
        ("We have $$a = b<br>+ c$$ so", "a = b\n+ c"),
        ("So $a_<em>1 + b</em>1$ holds", "a_1 + b_1"),
        ("So $a<em>1 + b</em>1$ holds", "a_1 + b_1"),
        ("So $x^<em> + y^</em>$ holds", "x^* + y^*"),
        (r"$\{x\}<em>{i=1}^n + \{y\}</em>{j}$", r"\{x\}_{i=1}^n + \{y\}_{j}"),
        (r"\begin{align<em>}a&amp;=b\end{align</em>}", r"\begin{align*}a&=b\end{align*}"),
        ("$2<strong>3 + 4</strong>5$", "2**3 + 4**5"),
        ("$x<sup>2</sup> + y<sub>n-1</sub>$", "x^2 + y_{n-1}"),
        ("$<i>x</i> + <em>y</em>$ and", "x + y"),
        ("$a_1 +<wbr> <span>b</span>&nbsp;<a href='u'>c.de</a>$", "a_1 + b c.de"),
        ("$f’(x) – 1$", "f'(x) - 1"),
        (r"\(a &amp;lt; b &amp;amp; c\)", "a < b & c"),
        (
            "\\[\\begin{pmatrix}a &amp; b \\\nc &amp; d\\end{pmatrix}\\]",
            "\\begin{pmatrix}a & b \\\\\nc & d\\end{pmatrix}",
        ),
    ],
)
def test_the_source_comes_back(body: str, tex: str) -> None:
    """Line breaks, marks that Markdown took for emphasis, scripts, links, curly quotes, entities of entities."""
    assert tree_and_tex(f"<p>{body}</p>")[1] == [tex]


def test_text_boxes_keep_their_dashes() -> None:
    """Words are typography, mathematics is not."""
    tokens = Tokens(b"")
    assert repaired("a–b \\text{pp. 1–2}", tokens) == "a-b \\text{pp. 1–2}"


def test_what_surrounds_a_formula_stays_where_it_was() -> None:
    """Text of the elements that a formula begins or ends in is kept, and so are links."""
    assert tree_and_tex("<p><em>so $z</em>+1$ x</p>") == ("<p><em>so @</em> x</p>", ["z+1"])
    assert tree_and_tex("<p><a href='u'>$x$</a> <b>y</b></p>") == ('<p><a href="u">@</a> <b>y</b></p>', ["x"])
    assert tree_and_tex("<p>$a$<br>$b$</p>") == ("<p>@<br>@</p>", ["a", "b"])


def test_a_display_runs_through_paragraphs() -> None:
    """As a publishing system leaves it that takes blank lines for paragraphs."""
    page = "<p>so $$ \\begin{aligned}</p>\n<p>x &amp;= 1 \\\\</p>\n<p>y &amp;= 2 \\end{aligned} $$ ok $z$</p><p>$w$</p>"
    markup, tex = tree_and_tex(page)
    assert tex == ["\\begin{aligned}\nx &= 1 \\\\\ny &= 2 \\end{aligned}", "z", "w"]
    assert markup == "<p>so @</p>\n<p></p>\n<p> ok @</p><p>@</p>"


@pytest.mark.parametrize(
    "page",
    [
        "<p>a $$ stray</p><p>$$ x^2 $$</p>",
        "<p>\\[ x</p><h2>Title</h2><p>y \\]</p>",
        "<p>$$ x</p>text between<p>y_2 $$</p>",
        "<p>$$ x</p><ul><li>y_2 $$</li></ul>",
    ],
)
def test_a_stray_opener_joins_nothing(page: str) -> None:
    """Where the next paragraphs have formulas of their own, or something else comes between."""
    assert all("Title" not in tex and "stray" not in tex and "y" not in tex for tex in tree_and_tex(page)[1])


def test_a_formula_inside_a_formula_is_its_tex() -> None:
    """A token that stands between delimiters means what it stands for."""
    markup = b"<html><body><p>token</p></body></html>"
    root, tokens = lxml_html.document_fromstring(markup), Tokens(markup)
    paragraph = root.find("body/p")
    paragraph.text = f"$a + {tokens.add(Formula('b_1', False, 'mathml'))}$"
    take_text_formulas(root, b"$", tokens, True, WIDE)
    assert paragraph.text == "zqi1qz"
    assert tokens.entry(next(tokens.pattern.finditer(paragraph.text))) == Formula("a + b_1", False, "delim-dollar")
