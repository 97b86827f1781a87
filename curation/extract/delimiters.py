"""Formulas written with bare delimiters, found in one linear pass; money and citations are left alone."""

import re
from dataclasses import dataclass

from curation.extract.tex import looks_like_prose, looks_like_tex

_ENVIRONMENTS = "align|alignat|equation|gather|multline|eqnarray|flalign|displaymath|math"
_MARK = re.compile(
    rf"\\\\|\\\$|\\[()\[\]]|\$\$?|\\(?:begin|end)\{{((?:{_ENVIRONMENTS})\*?)\}}|\[/?(?:itex|tex|latex|math)\]"
)
_MARKS = ("$", "\\(", "\\[", "\\begin{", "[itex]", "[tex]", "[latex]", "[math]")
_CLOSERS = {
    "\\(": "\\)",
    "\\[": "\\]",
    "$$": "$$",
    "$": "$",
    "[itex]": "[/itex]",
    "[tex]": "[/tex]",
    "[latex]": "[/latex]",
    "[math]": "[/math]",
}
_KINDS = {"\\(": "delim-paren", "\\[": "delim-bracket", "$$": "delim-dollars", "$": "delim-dollar"}
_DISPLAYED = {"\\[", "$$"}
_MAX_CHARS = 8_000
_MAX_DOLLAR_CHARS = 1_000
_AMOUNT = re.compile(r"\d[\d.,]*(?:\s*[-–]\s*|\s+)(?:[A-Za-z]{2,}|\d[\d.,]*$)")
_WORD_AFTER = re.compile(r"(?!th\b|st\b|nd\b|rd\b|s\b)[A-Za-z]")
_LIST = re.compile(r"[\w\s,.;:-]*")


@dataclass(frozen=True, slots=True)
class Span:
    """A delimited formula in a text: where it stands with its delimiters, and the TeX between them."""

    start: int
    end: int
    tex: str
    display: bool
    kind: str


@dataclass(frozen=True, slots=True)
class _Opening:
    mark: str
    closer: str
    start: int
    end: int


def has_delimiters(text: str) -> bool:
    """Whether it is worth looking for formulas in this text."""
    return any(mark in text for mark in _MARKS)


def find_formulas(text: str, math_page: bool) -> list[Span]:
    r"""The formulas in `text`, in order, without overlaps.

    `\(..\)`, `\[..\]`, `$$..$$`, `\begin{align}..`, `[itex]..[/itex]` count where both ends are there. `$..$` follows
    pandoc's rule (no space inside, no digit after the end) and needs either TeX between the dollars or `math_page`,
    the knowledge that this page sets formulas. Every mark is read once: time is linear whatever the page holds.
    """
    spans: list[Span] = []
    opening: _Opening | None = None
    for mark in _MARK.finditer(text):
        if mark[0] in ("\\\\", "\\$"):
            continue
        if opening and mark.start() - opening.end > _limit(opening):
            opening = None
        if opening and opening.mark == "$" and mark[0] == "$$":  # `$a$$b$`: two in a row
            span = _accepted(text, opening, mark.start(), mark.start() + 1, math_page)
            if span:
                spans.append(span)
                opening = _Opening("$", "$", mark.start() + 1, mark.end())
                continue
        if opening and _closes(opening, mark):
            span = _accepted(text, opening, mark.start(), mark.end(), math_page)
            if span:
                spans.append(span)
                opening = None
                continue
            opening = None
        if opening is None or _reopens(opening, mark):
            opening = _opened(text, mark)
    return spans


def _limit(opening: _Opening) -> int:
    return _MAX_DOLLAR_CHARS if opening.mark == "$" else _MAX_CHARS


def _closes(opening: _Opening, mark: re.Match[str]) -> bool:
    if opening.mark == "\\begin":
        return mark[0].startswith("\\end") and mark[1] == opening.closer
    return mark[0] == opening.closer


def _reopens(opening: _Opening, mark: re.Match[str]) -> bool:
    """Whether a new opener means that the last one was no formula: a lone dollar, or the same opener again."""
    if opening.mark in ("$$", "\\begin"):
        return False
    if opening.mark == "$":
        return mark[0] != "$" and mark[0] in _CLOSERS
    return mark[0] in _CLOSERS and mark[0] not in ("$", "$$")


def _opened(text: str, mark: re.Match[str]) -> _Opening | None:
    if mark[0].startswith("\\begin"):
        return _Opening("\\begin", mark[1], mark.start(), mark.end())
    if mark[0] not in _CLOSERS:
        return None
    if mark[0] == "$":
        before, after = text[mark.start() - 1 : mark.start()], text[mark.end() : mark.end() + 1]
        if not after or after.isspace() or before.isalnum():
            return None
    return _Opening(mark[0], _CLOSERS[mark[0]], mark.start(), mark.end())


def _accepted(text: str, opening: _Opening, inner_end: int, end: int, math_page: bool) -> Span | None:
    """The formula between an opening and its closer, or None where the two mean something else."""
    inner = text[opening.end : inner_end]
    if not inner.strip():
        return None
    if opening.mark == "\\begin":
        return Span(opening.start, end, text[opening.start : end], True, "delim-env")
    if opening.mark == "$" and not _is_dollar_formula(inner, text[end : end + 3], math_page):
        return None
    if opening.mark in ("\\(", "\\[") and not _is_bracket_formula(inner, math_page):
        return None
    kind = _KINDS.get(opening.mark, "delim-bbcode")
    return Span(opening.start, end, inner, opening.mark in _DISPLAYED, kind)


def _is_dollar_formula(inner: str, after: str, math_page: bool) -> bool:
    if inner[-1].isspace() or after[:1].isdigit() or "\n\n" in inner:
        return False
    if looks_like_tex(inner):
        return not (_AMOUNT.match(inner) and "\\" not in inner)
    return math_page and not (looks_like_prose(inner) or _AMOUNT.match(inner) or _WORD_AFTER.match(after))


def _is_bracket_formula(inner: str, math_page: bool) -> bool:
    r"""On a page without other signs of formulas `\[12\]` is an escaped citation, and `\(and\)` an escaped aside."""
    if looks_like_tex(inner):
        return True
    return not looks_like_prose(inner) and (math_page or not _LIST.fullmatch(inner))
