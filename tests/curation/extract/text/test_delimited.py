"""Formulas between delimiters in a page's tree: found wherever elements cut them, and nothing else taken for one."""

import re

import pytest
from lxml import html as lxml_html

from curation.extract.text.delimited import take_text_formulas
from curation.extract.text.page_delimiters import read_delimiters
from curation.extract.tokens import Formula, Tokens


def taken(body: str, sure: bool = True) -> str:
    """The text of a page, with `«…»` for an inline formula and `«« … »»` for a displayed one."""
    markup = f"<html><body>{body}</body></html>".encode()
    root = lxml_html.document_fromstring(markup, parser=lxml_html.HTMLParser(encoding="utf-8", huge_tree=True))
    tokens = Tokens(markup)
    take_text_formulas(root, markup, tokens, sure, read_delimiters(markup))
    text = "".join(root.find("body").xpath("descendant::text()[not(parent::script)]"))

    def shown(token: "re.Match[str]") -> str:
        entry = tokens.entry(token)
        assert isinstance(entry, Formula)
        return f"««{entry.tex}»»" if entry.display else f"«{entry.tex}»"

    return tokens.pattern.sub(shown, text)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"<p>a \(x\) b \[y\] c $z$ d $$w$$</p>", "a «x» b ««y»» c «z» d ««w»»"),
        (r"<p>\begin{align*}a&amp;=b\end{align*}</p>", r"««\begin{align*}a&=b\end{align*}»»"),
        (r"<p>\begin{pmatrix}1&amp;2\end{pmatrix}</p>", r"««\begin{pmatrix}1&2\end{pmatrix}»»"),
        ("<p>[itex]u[/itex] [TEX]v[/TEX] [mathjax]w[/mathjax]</p>", "«u» «v» «w»"),
        ("<p>so<br>[tex]x^2[/tex]<br>holds</p>", "so««x^2»»holds"),
        ("<p>$latex x^2+1$ and $latex y$</p>", "«x^2+1» and «y»"),
        ("<p>[; x^2 ;] but [;a;b;]</p>", "«x^2» but [;a;b;]"),
        (r"<p>\(\text{if $x$ and}\) or $\text{if $y$ is}$</p>", r"«\text{if $x$ and}» or «\text{if $y$ is}»"),
    ],
)
def test_delimiters_of_all_sorts(body: str, text: str) -> None:
    """Those of TeX, of forums in any case, of WordPress and of Reddit."""
    assert taken(body) == text


@pytest.mark.parametrize(
    "body",
    [
        "<code>$x$</code>",
        "<pre>\\(x\\)</pre>",
        "<p>run <kbd>$x^2$</kbd> <samp>$y$</samp> <tt>$z$</tt></p>",
        "<div class='tex2jax_ignore'><p>$x^2$</p></div>",
        "<span class='mathjax_ignore note'>$x^2$</span>",
        "<textarea>$x^2$</textarea>",
        "<p>Costs <b>$5</b> and <i>or</i> <b>$7</b>, US$20 to $30.</p>",
        "<p>As in [12], $HOME and $PATH, $(this).hide(), ${name}</p>",
        r"<p>\[ unclosed, and \( too</p>",
    ],
)
def test_what_is_no_formula_stays(body: str) -> None:
    """Code, what a page keeps from MathJax, money, citations, scripts, lone openers."""
    assert "«" not in taken(body)


def test_classes_of_prices_are_no_formulas() -> None:
    """Where nothing else says that the page sets formulas."""
    assert "«" not in taken("<p>Class $-$$ or $$-$$$ hotels; shown in $, $$, or $$$</p>", sure=False)
    assert taken("<p>$$x = y$$</p>", sure=False) == "««x = y»»"


def test_part_of_an_ignored_element_may_be_meant() -> None:
    """A class says so, as MathJax has it."""
    page = "<div class='tex2jax_ignore'><p>$x$</p><p class='tex2jax_process'>$y$</p></div>"
    assert taken(page) == "$x$«y»"


def test_a_page_shows_that_it_sets_formulas() -> None:
    """One command, or three things that look like TeX, and a lone letter between dollars is a formula too."""
    assert taken("<p>$x$ alone</p>", sure=False) == "$x$ alone"
    assert taken(r"<p>$x$</p><p>$\alpha$</p>", sure=False) == r"«x»«\alpha»"
    assert taken("<p>$x$ $a_1$</p>", sure=False) == "$x$ «a_1»"
    assert taken("<p>$x$ $a_1$ $a_2$ $a_3$</p>", sure=False) == "«x» «a_1» «a_2» «a_3»"


@pytest.mark.parametrize(
    ("setting", "body", "text"),
    [
        ("inlineMath: [['$','$'], ['\\\\(','\\\\)']]", "$x$ and \\(y\\)", "«x» and «y»"),
        ("inlineMath: [['\\\\(','\\\\)']]", "$x$ for $5 and \\(y\\)", "$x$ for $5 and «y»"),
        ("inlineMath: [['\\\\(','\\\\)']]", r"yet $\alpha$ is one", r"yet «\alpha» is one"),
        ("inlineMath: [['@@','@@']]", "@@x@@ or $x$", "«x» or $x$"),
        ('"displayMath": [["[mj]", "[/mj]"]]', "[mj]x[/mj]", "««x»»"),
        ('delimiters: [{left: "##", right: "##", display: false}]', "##x##", "«x»"),
        ("inlineMath: {'[+]': [['$', '$']]}", "$x$", "«x»"),
    ],
)
def test_settings_of_the_page_count(setting: str, body: str, text: str) -> None:
    """What MathJax or KaTeX is told on this page; without `$` there, dollars need TeX between them."""
    assert taken(f"<script>x = {{{setting}}}</script><p>{body}</p>", sure=True) == text


@pytest.mark.parametrize("setting", ["inlineMath: [['$'", "delimiters: ['{{','}}']", "inlineMath: " + "[" * 9_999, "x"])
def test_broken_settings_are_none(setting: str) -> None:
    """They are read by a scanner that never fails and never runs them."""
    assert read_delimiters(setting.encode()).pairs == ()
    assert read_delimiters(setting.encode()).dollar is None


def test_sites_with_settings_elsewhere_are_known() -> None:
    """Codeforces writes three dollars; the forum of physicists two number signs."""
    assert taken("<p>codeforces $$$n$$$ and</p>") == "codeforces «n» and"
    assert taken("<a href='physicsforums.com'>f</a><p>##n## is</p>") == "f«n» is"


@pytest.mark.parametrize(
    "piece",
    [
        "<p>$$ a b^2</p>",
        "<p>\\[ a b^2</p>",
        "<p>\\begin{align} a",
        "<i>$x",
        "$a<br>b$ ",
        "<span>\\(</span>",
        "[tex]x[/tex]",
    ],
)
def test_many_of_anything_come_to_an_end(piece: str) -> None:
    """Thousands of openers, paragraphs, elements in elements: done at once."""
    assert isinstance(taken(f"<div>{piece * 3_000}</div>"), str)
