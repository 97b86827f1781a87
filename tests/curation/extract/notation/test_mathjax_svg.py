"""MathJax's SVG without assistive MathML: formulas of our own as versions 3 and 4 draw them, whole and cut down."""

import json
import re
from pathlib import Path

import pytest
from resiliparse.parse.html import HTMLTree

from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathjax_svg import mathjax_svg_to_mathml
from curation.extract.notation.mathml import mathml_to_tex

CASES = [json.loads(line) for line in Path(__file__).with_name("rendered_mathjax_svg.jsonl").read_text().splitlines()]


def tex_of(html: str) -> str:
    return mathml_to_tex(mathjax_svg_to_mathml(HTMLTree.parse(html).body.first_child.html))


def drawn(inner: str) -> str:
    return f'<mjx-container><svg><g data-mml-node="math">{inner}</g></svg></mjx-container>'


def letter(code: str, transform: str = "", font: str = "TEX-I") -> str:
    link = f' xlink:href="#MJX-1-{font}-{code}"' if font else ""
    return f'<g data-mml-node="mi" transform="{transform}"><use data-c="{code}"{link}></use></g>'


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['renderer']}: {case['tex']}")
def test_what_mathjax_draws_comes_back(case: dict[str, str]) -> None:
    assert tex_of(case["html"]) == case["tex"]


def test_limits_are_told_apart_by_height() -> None:
    total = '<g data-mml-node="mo"><use data-c="2211"></use></g>'
    low, high = letter("1D44E", "translate(10,-900)"), letter("1D44F", "translate(10,900)")
    for pair in (low + high, high + low):
        assert tex_of(drawn(f'<g data-mml-node="munderover">{total}{pair}</g>')) == r"\sum_a^b"


def test_limits_without_heights_are_ambiguous() -> None:
    total = next(case["html"] for case in CASES if r"\sum" in case["tex"])
    with pytest.raises(Unconvertible, match="ambiguous"):
        tex_of(re.sub(r' transform="[^"]*"', "", total))


def test_capitals_without_a_font_are_ambiguous() -> None:
    assert tex_of(drawn(letter("41", font="TEX-C"))) == r"\mathcal{A}"
    assert tex_of(drawn(letter("41", font="TEX-N"))) == r"\mathrm{A}"
    with pytest.raises(Unconvertible, match="ambiguous"):
        tex_of(drawn(letter("41", font="")))


def test_a_formula_broken_into_lines_is_one_formula() -> None:
    line = '<svg><g data-mml-node="math">{}</g></svg>'
    both = line.format(letter("1D44E")) + "<mjx-break></mjx-break>" + line.format(letter("1D44F"))
    assert tex_of(f"<mjx-container>{both}</mjx-container>") == "ab"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("", "no_markup"),
        ('<span class="MathJax_SVG"><svg><use href="#MJMATHI-78"></use></svg></span>', "no_structure"),
        (drawn(""), "empty"),
        (drawn('<g data-mml-node="mfrac"></g>'), "no_structure"),
        (drawn(letter("E123")), "unknown_glyph"),
        (drawn('<g data-mml-node="merror"></g>'), "error_message"),
        (drawn('<g data-mml-node="mrow">' * 5000 + "</g>" * 5000), "too_deep"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(markup: str, reason: str) -> None:
    with pytest.raises(Unconvertible) as caught:
        mathjax_svg_to_mathml(markup.replace("xlink:", ""))
    assert str(caught.value) == reason
