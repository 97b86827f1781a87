"""The careful extractor, whole: what it makes of pages of every kind, and what it says became of their formulas."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roundtrip.micro import PROBES, Probe, failures, page_of

from curation.extract.careful import extract_careful
from curation.extract.fast import extract_fast
from curation.extract.outcome import Extraction

OPENING = "Some opening words that any reader would take for the main content of this page."
CLOSING = "Some closing words that any reader would take for the main content of this page."


def extract(inner: str, head: str = "") -> Extraction:
    page = f"<html><head>{head}</head><body><article><p>{OPENING}</p>{inner}<p>{CLOSING}</p></article></body></html>"
    return extract_careful(page.encode())


def between(extraction: Extraction) -> str:
    assert extraction.reason is None
    return extraction.text.removeprefix(OPENING).removesuffix(CLOSING).strip()


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_what_stands_beside_formulas_and_what_looks_like_one(probe: Probe) -> None:
    assert failures(probe, extract_careful(page_of(probe)).text) == []


def test_what_became_of_each_formula_is_counted() -> None:
    page = extract(
        r"<p>One \(a+b\), two <math><msup><mi>x</mi><mn>2</mn></msup></math>, three "
        r'<img src="https://latex.codecogs.com/a.png" alt="">, four \(\nosuch{x}\).</p>',
        '<script src="MathJax.js"></script>',
    )
    assert between(page) == r"One $a+b$, two $x^2$, three [formula], four $\nosuch{x}$."
    assert (page.formulas_found, page.formulas_kept, page.formulas_converted) == (3, 3, 1)
    assert page.formula_kinds == {"delim-paren": 2, "mathml": 1}
    assert page.formula_failures == {"img: no_source": 1}
    assert page.undefined_macros == ("nosuch",)
    assert page.extractor == "trafilatura"


def test_formulas_lost_with_a_menu_are_found_and_not_kept() -> None:
    links = "".join(rf'<li><a href="/{number}">Chapter {number} on \(x_{number}\)</a></li>' for number in range(9))
    text = "".join(rf"<p>Paragraph {number}. {OPENING} It says that \(y_{number} = 1\).</p>" for number in range(20))
    page = extract_careful(
        f'<html><body><nav class="menu"><ul>{links}</ul></nav><main>{text}</main></body></html>'.encode()
    )
    assert (page.formulas_found, page.formulas_kept) == (29, 20)
    assert "x_3" not in page.text


def test_macros_of_the_page_are_expanded_wherever_it_defines_them() -> None:
    configured = r'<script>MathJax = {tex: {macros: {RR: "\\mathbb{R}", abs: ["\\lvert #1 \\rvert", 1]}}};</script>'
    assert between(extract(r"<p>For \(\abs{x} \in \RR\) it holds.</p>", configured)) == (
        r"For $\lvert x \rvert \in \mathbb{R}$ it holds."
    )
    hidden = r'<div class="hidden">\(\newcommand{\N}{\mathbb{N}}\)</div>'
    page = extract(rf"{hidden}<p>For \(n \in \N\) it holds.</p>")
    assert between(page) == r"For $n \in \mathbb{N}$ it holds."
    assert page.formulas_found == 1, "a list of definitions is no formula"


def test_where_one_choice_of_the_main_content_loses_the_formulas_the_other_stands() -> None:
    rows = "".join(
        rf'<div class="sidebar related"><div>\[ \int_0^{number} f(t)\,dt = {number} \]</div></div>'
        for number in range(30)
    )
    page = extract(rf"<div>{rows}</div>")
    assert page.formulas_kept >= 27


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"%PDF-1.4 ...", b"plain words without any tag", b"\x89PNG\r\n", b"<rss><channel/></rss>"],
)
def test_what_is_no_page_is_refused_as_by_the_fast_extractor(body: bytes) -> None:
    careful, fast = extract_careful(body), extract_fast(body)
    assert careful.text == ""
    assert (careful.reason, careful.detail) == (fast.reason, fast.detail)


HOSTILE = {
    "open delimiters": "<p>" + "\\( a $ b [itex] c \\begin{align} " * 20_000,
    "formatting that is never closed": "<p><b><i>x " * 5_000,
    "tables in tables": "<table><tr><td>" * 400 + "x",
    "deep MathML": "<math>" + "<mrow>" * 2_000 + "<mi>x</mi>",
    "many formulas": "<p>" + "<math><mi>x</mi></math> and " * 5_000,
    "wide cells": "<table><tr><td colspan=1000000000>a</td><td rowspan=99999999>b</td></tr><tr><td>c</td></tr></table>",
    "characters no text has": "<p>a\x00b\x0bc &#0; &#1; &#12; \ufffe $x^2$</p>",
    "entities": "<p>" + "&amp;&lt;&#x2061;" * 20_000,
    "a picture with a long text": f'<img class="latex" alt="{chr(92)}frac ab{"x" * 300_000}">',
    "endless macros": r"<script>MathJax={tex:{macros:{a:'\\b\\b',b:'\\c',c:'\\a'}}}</script>"
    r"<p>\(\a\b\c\)</p>",
    "tokens of our own": "<p>zqi0qz zqb1qz zqd99999qz \\(x\\)</p>",
    "an entity bomb": '<!DOCTYPE html [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><p>&b;</p>',
}


@pytest.mark.parametrize("inner", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_pages_end_with_text_or_a_reason(inner: str) -> None:
    page = extract(inner)
    assert page.reason in (None, "too_deep", "too_many_tags", "too_costly", "too_many_attributes")
    assert bool(page.text) == (page.reason is None)
    assert page.formulas_kept <= page.formulas_found


_PIECES = (
    "<p>", "</p>", "<table>", "<tr>", "<td>", "<pre>", "<code>", "<math>", "<msup>", "<mi>", "x", "$", "\\(", "\\)",
    "<span class='katex'>", "<script type='math/tex'>", "</script>", "<ul><li>", "<sup>2</sup>", "<i>", "zqi0qz",
    "<br>", "`", "\\[", "\\]", "|", "&amp;", "[12]", "words of a sentence ", "<mjx-container>", "<img alt='$x$'>",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=60))
@settings(deadline=None, max_examples=150)
def test_any_soup_of_tags_ends_the_same_way_twice(pieces: list[str]) -> None:
    page = f"<html><body><article><p>{OPENING}</p>{''.join(pieces)}</article></body></html>".encode()
    first = extract_careful(page)
    assert first.reason != "parse_error", first.detail
    assert first == extract_careful(page)
    assert first.formulas_kept == sum(first.formula_kinds.values()) <= first.formulas_found


def test_a_page_too_costly_for_the_first_choice_is_read_by_the_second_with_all_its_formulas() -> None:
    row = "<div>" + "<b>a</b> " * 12 + "<math><msup><mi>x</mi><mn>2</mn></msup></math></div>"
    page = extract(row * 5_000)
    assert page.extractor == "resiliparse"
    assert page.formula_kinds["mathml"] == 5_000
    assert page.text.count("$x^2$") == 5_000
