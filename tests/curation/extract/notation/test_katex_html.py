"""KaTeX's HTML without its MathML: formulas of our own as three versions of KaTeX render them, whole and cut down."""

import gzip
import json
import re
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from resiliparse.parse.html import HTMLTree

from curation.extract.notation.katex_html import katex_html_to_mathml
from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathml import mathml_to_tex

CASES = [json.loads(line) for line in Path(__file__).with_name("rendered_katex.jsonl").read_text().splitlines()]
NEWEST = {case["tex"]: case["html"] for case in CASES if case["renderer"] == "KaTeX 0.16.22"}


def tex_of(html: str) -> str:
    return mathml_to_tex(katex_html_to_mathml(HTMLTree.parse(html).body.first_child.html))


def reason_for(markup: str) -> str:
    with pytest.raises(Unconvertible) as caught:
        katex_html_to_mathml(markup)
    return str(caught.value)


def without_styles(html: str) -> str:
    return re.sub(r' style="[^"]*"', "", html)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['renderer']}: {case['tex']}")
def test_what_katex_renders_comes_back(case: dict[str, str]) -> None:
    assert tex_of(case["html"]) == case["tex"]


@pytest.mark.parametrize("tex", NEWEST)
def test_styles_are_not_needed(tex: str) -> None:
    if "cases" in tex:
        assert reason_for(without_styles(NEWEST[tex])) == "ambiguous"  # which row is the short column's only cell in?
    else:
        assert tex_of(without_styles(NEWEST[tex])) == tex


def test_a_sole_script_hangs_or_rises_by_the_depth_of_its_list() -> None:
    script = (
        '<span class="katex-html"><span class="mord"><span class="mord mathnormal">x</span><span class="msupsub">'
        '<span class="vlist-t%s"><span class="vlist-r"><span class="vlist"><span><span class="pstrut"></span>'
        '<span class="mord mtight">2</span></span></span></span></span></span></span></span>'
    )
    assert tex_of(script % "") == "x^2"
    assert tex_of(script % " vlist-t2") == "x_2"


@pytest.mark.parametrize("tex", [tex for tex in NEWEST if "arrow" in tex or "cancel" in tex or "brace" in tex])
def test_a_formula_whose_drawings_were_cut_out_is_refused(tex: str) -> None:
    assert reason_for(re.sub(r"<svg.*?</svg>", "", NEWEST[tex], flags=re.DOTALL)) == "ambiguous"


def test_a_tall_delimiter_whose_drawing_was_cut_out_is_refused() -> None:
    matrix = next(html for tex, html in NEWEST.items() if "pmatrix" in tex)
    assert reason_for(re.sub(r"<svg.*?</svg>", "", matrix, flags=re.DOTALL)) == "unknown_glyph"


def test_phantoms_stay_phantoms_and_equation_numbers_go() -> None:
    hidden = '<span class="katex-html"><span class="base"><span class="mord mathnormal" style="color:transparent;">x'
    assert tex_of(hidden + '</span><span class="mord">1</span></span></span>') == r"\phantom{x}1"
    tagged = (
        '<span class="katex-html"><span class="base"><span class="mord">1</span></span><span class="tag">(7)</span>'
    )
    assert tex_of(tagged + "</span>") == "1"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("", "no_markup"),
        ('<span class="katex-html"></span>', "empty"),
        ('<span class="katex-html"><span class="mord">\ue123</span></span>', "unknown_glyph"),
        ('<span class="katex-html"><span class="mord">a<b>b</b>c</span></span>', "no_structure"),
        ('<span class="katex-html"><span class="mfrac"><span class="mord">1</span></span></span>', "no_structure"),
        ('<span class="katex-html">' + '<span class="mord">' * 5000 + "x" + "</span>" * 5001, "too_deep"),
        ('<span class="mord">1</span>' * 20_000, "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(markup: str, reason: str) -> None:
    assert reason_for(markup) == reason


def test_the_formulas_of_a_real_book_without_any_tex(shared_data: Path) -> None:
    with gzip.open(shared_data / "webmath-sample.manifest.jsonl.gz", "rt") as lines:
        pages = {row["url"] for row in map(json.loads, lines) if "katex-html-only" in (row["kinds"] or {})}
    written: list[str] = []
    with (shared_data / "webmath-sample.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            if record.headers.get("WARC-Target-URI") in pages:
                tree = HTMLTree.parse(record.reader.read().decode("utf-8"))
                carriers = tree.document.query_selector_all(".katex").values()
                written += [mathml_to_tex(katex_html_to_mathml(carrier.html)) for carrier in carriers]
    assert len(written) == 1881
    assert r"\mathcal{L}_i(X)=\prod_{j\neq i}\frac{X-x_j}{x_i-x_j},i\in[0..n-1]." in written
    assert r"a^k=\underbrace{a\times a\times\cdots\times a}_{k\text{ times}}" in written
