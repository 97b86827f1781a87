"""MathJax's HTML without assistive MathML: formulas of our own as versions 2, 3 and 4 render them."""

import json
import re
from pathlib import Path

import pytest
from resiliparse.parse.html import HTMLTree

from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathjax_chtml import mathjax_chtml_to_mathml
from curation.extract.notation.mathml import mathml_to_tex

CASES = [json.loads(line) for line in Path(__file__).with_name("rendered_mathjax_chtml.jsonl").read_text().splitlines()]
VERSION_3 = {case["tex"]: case["html"] for case in CASES if "3.2.2" in case["renderer"]}


def tex_of(html: str) -> str:
    return mathml_to_tex(mathjax_chtml_to_mathml(HTMLTree.parse(html).body.first_child.html))


def version_3(inner: str) -> str:
    return f"<mjx-container><mjx-math>{inner}</mjx-math></mjx-container>"


def mi(code: str) -> str:
    return f'<mjx-mi><mjx-c class="mjx-c{code}"></mjx-c></mjx-mi>'


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['renderer']}: {case['tex']}")
def test_what_mathjax_renders_comes_back(case: dict[str, str]) -> None:
    assert tex_of(case["html"]) == case["tex"]


@pytest.mark.parametrize("tex", [tex for tex in VERSION_3 if "cases" not in tex])
def test_styles_are_not_needed(tex: str) -> None:
    assert tex_of(re.sub(r' style="[^"]*"', "", VERSION_3[tex])) == tex


def test_one_letter_and_a_word_differ() -> None:
    assert tex_of(version_3(mi("1D465"))) == "x"
    assert tex_of(version_3(mi("78"))) == r"\mathrm{x}"
    letters = "".join(f'<mjx-c class="mjx-c{ord(letter):X}"></mjx-c>' for letter in "Tr")
    word = f"<mjx-mi>{letters}</mjx-mi>"
    assert tex_of(version_3(word)) == r"\mathrm{Tr}"
    applied = '<mjx-mo><mjx-c class="mjx-c2061"></mjx-c></mjx-mo>'
    assert tex_of(version_3(word + applied + mi("1D434"))) == r"\operatorname{Tr}A"


def test_two_scripts_are_written_from_the_top() -> None:
    scripts = f"<mjx-script>{mi('1D44E')}<mjx-spacer></mjx-spacer>{mi('1D44F')}</mjx-script>"
    assert tex_of(version_3(f"<mjx-msubsup>{mi('1D465')}{scripts}</mjx-msubsup>")) == "x_b^a"


def test_prescripts_keep_their_side() -> None:
    def column(name: str, upper: str, lower: str) -> str:
        rows = "</mjx-row><mjx-row></mjx-row><mjx-row>".join(
            f"<mjx-cell>{mi(code)}</mjx-cell>" for code in (upper, lower)
        )
        return f"<mjx-{name}><mjx-row>{rows}</mjx-row></mjx-{name}>"

    before, after = column("prescripts", "1D44E", "1D44F"), column("scripts", "1D450", "1D451")
    assert tex_of(version_3(f"<mjx-mmultiscripts>{before}{mi('1D465')}{after}</mjx-mmultiscripts>")) == "{}_b^ax_d^c"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("", "no_markup"),
        ('<span class="MathJax"><span class="math"><span class="mi">x</span></span></span>', "no_structure"),
        (version_3(""), "empty"),
        (version_3("<mjx-mi><mjx-c></mjx-c></mjx-mi>"), "unknown_glyph"),
        (version_3(mi("E123")), "unknown_glyph"),
        (version_3("<mjx-merror><mjx-mtext></mjx-mtext></mjx-merror>"), "error_message"),
        (version_3(f"<mjx-msup>{mi('1D465')}</mjx-msup>"), "no_structure"),
        (version_3("lost text"), "no_structure"),
        (version_3("<mjx-mrow>" * 5000 + "</mjx-mrow>" * 5000), "too_deep"),
        (version_3(mi("1D465") * 20_000), "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(markup: str, reason: str) -> None:
    with pytest.raises(Unconvertible) as caught:
        mathjax_chtml_to_mathml(markup)
    assert str(caught.value) == reason
