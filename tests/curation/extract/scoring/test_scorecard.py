"""The scorecard counts what comes back, and its pages are what they say."""

import re
from html import unescape

import pytest

from curation.extract.fast import extract_fast
from curation.extract.scoring.scorecard import Case, cases, score

BY_NAME = {case.encoding: case for case in cases()}
GROUPS = {"A", "B", "C", "D", "H", "M", "S"}


def delimited(case: Case) -> str:
    """All formulas of a page as Markdown."""
    return "\n\n".join(f"$${tex}$$" if display else f"${tex}$" for tex, display in case.formulas)


def test_there_is_a_page_for_every_markup() -> None:
    assert len(BY_NAME) == len(cases()) >= 80
    assert {case.group for case in cases()} == GROUPS
    assert all(len(case.formulas) >= 30 for case in cases() if case.group != "S")


def test_an_extractor_that_loses_nothing_scores_full_marks() -> None:
    texts = {case.html: delimited(case) for case in cases()}
    for one in score(texts.__getitem__).values():
        assert (one.exact, one.equal, one.display, one.spurious) == (one.formulas, one.formulas, one.formulas, 0)
        assert one.share == 1 and not one.failure


def test_an_extractor_that_finds_nothing_scores_none() -> None:
    for one in score(lambda body: "").values():
        assert (one.exact, one.equal, one.display, one.spurious) == (0, 0, 0, 0)
        assert one.formulas > 0


def test_another_spelling_is_equal_and_not_exact() -> None:
    texts = {case.html: delimited(case).replace("\\frac", "\\dfrac") for case in cases()}
    one = score(texts.__getitem__)["parentheses"]
    assert one.equal == one.formulas > one.exact


def test_formulas_in_the_wrong_form_and_foreign_ones_are_counted() -> None:
    case = BY_NAME["parentheses"]
    shown = sum(not display for _, display in case.formulas)
    one = score(lambda body: delimited(case).replace("$$", "$") + " $never_seen$")["parentheses"]
    assert (one.equal, one.display, one.spurious) == (one.formulas, shown, 1)


def test_an_extractor_that_fails_is_named() -> None:
    def broken(body: bytes) -> str:
        raise RuntimeError("no luck")

    one = score(broken)["katex"]
    assert (one.equal, one.failure) == (0, "RuntimeError: no luck")


@pytest.mark.parametrize(
    "encoding", ["parentheses", "dollars-mathjax2", "katex-auto", "stackexchange", "script-tex", "gitlab"]
)
def test_pages_hold_the_formulas_they_say(encoding: str) -> None:
    case = BY_NAME[encoding]
    page = re.sub(r"\s", "", unescape(case.html.decode()))
    assert all(re.sub(r"\s", "", tex) in page for tex, _ in case.formulas)


@pytest.mark.parametrize("encoding", ["mathjax3-chtml", "mathml-katex", "katex-html", "mathjax3-svg-bare", "wiris"])
def test_pages_without_tex_do_not_hold_it(encoding: str) -> None:
    html = BY_NAME[encoding].html.decode()
    assert "\\frac" not in html and "\\sum" not in html


def test_the_first_pass_recovers_what_stands_in_the_text() -> None:
    scores = score(lambda body: extract_fast(body, "utf-8").text)
    for encoding in ("parentheses", "katex", "script-tex", "mathjax4-chtml", "codecogs", "wikipedia"):
        assert scores[encoding].share == 1, encoding
    assert scores["mathml-katex"].equal == 0  # it converts nothing
