"""Formulas written with bare delimiters, found in one linear pass; money and citations are left alone."""

import re
from dataclasses import dataclass
from functools import lru_cache

from curation.extract.tex import looks_like_prose, looks_like_tex

_ENVIRONMENTS = "align|alignat|equation|gather|multline|eqnarray|flalign|displaymath|math"
_MORE_ENVIRONMENTS = "aligned|array|[bBpvV]?matrix|cases|gathered|smallmatrix|split|subequations"
_CODES = ("itex", "tex", "latex", "math")  # of forums and course pages
_MORE_CODES = ("imath", "katex", "mathjax", "mathjaxinline")
_MARKS = ("$", "\\(", "\\[", "\\begin{", "[itex]", "[tex]", "[latex]", "[math]")
_CLOSERS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$", "$": "$"}
_CLOSERS |= {f"[{code}]": f"[/{code}]" for code in _CODES + _MORE_CODES}
_KINDS = {"\\(": "delim-paren", "\\[": "delim-bracket", "$$": "delim-dollars", "$": "delim-dollar"}
_DISPLAYED = {"\\[", "$$"}
_MAX_CHARS = 8_000
_MAX_DOLLAR_CHARS = 1_000
_AMOUNT = re.compile(r"\d[\d.,]*(?:\s*[-–]\s*|\s+)(?:[A-Za-z]{2,}|\d[\d.,]*$)")
_WORD_AFTER = re.compile(r"(?!th\b|st\b|nd\b|rd\b|s\b)[A-Za-z]")
_TEXT_BOX = re.compile(r"\\(?:text[a-z]*|[mh]box) *$")
_LETTER = re.compile(r"[^\W_]")
_EQUATION = re.compile(r"[^\W_][)\]'|]*\s*[=<>+*/-]\s*[(\[|-]*[^\W_]")
_OPTION = re.compile(r"(?<!\S)--?[a-z]{2}|[\"']\*")
_LIST = re.compile(r"[\w\s,.;:-]*")


@dataclass(frozen=True, slots=True)
class Pair:
    """What begins and ends a formula on some pages; `declared` where the page itself says so."""

    opening: str
    closing: str
    display: bool
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The delimiters that count on a page: the usual ones, and `pairs`.

    `dollar` is what the page says about single dollars, None where it says nothing. `wide` adds codes of forums in any
    case and environments that usually stand inside others.
    """

    pairs: tuple[Pair, ...] = ()
    dollar: bool | None = None
    wide: bool = False


USUAL = Delimiters()


@dataclass(frozen=True, slots=True)
class Span:
    """A delimited formula in a text: where it stands with its delimiters, the TeX between them, and where that is."""

    start: int
    end: int
    tex: str
    display: bool
    kind: str
    inner: int


@dataclass(frozen=True, slots=True)
class _Opening:
    mark: str
    closer: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Marks:
    pattern: re.Pattern[str]
    closers: dict[str, str]
    pairs: dict[str, Pair]


def has_delimiters(text: str) -> bool:
    """Whether it is worth looking for formulas in this text."""
    return any(mark in text for mark in _MARKS)


def find_formulas(text: str, math_page: bool, delimiters: Delimiters = USUAL) -> list[Span]:
    r"""The formulas in `text`, in order, without overlaps.

    `\(..\)`, `\[..\]`, `$$..$$`, `\begin{align}..`, `[itex]..[/itex]` count where both ends are there. `$..$` follows
    pandoc's rule (no space inside, no digit after the end) and needs either TeX between the dollars or `math_page`,
    the knowledge that this page sets formulas. Every mark is read once: time is linear whatever the page holds.
    """
    spans: list[Span] = []
    opening: _Opening | None = None
    marks = _marks(delimiters)
    dollar = math_page if delimiters.dollar is None else delimiters.dollar
    for mark in marks.pattern.finditer(text):
        sign = mark[0] if mark[0][0] != "[" else mark[0].lower()
        if sign in ("\\\\", "\\$"):
            continue
        if opening and mark.start() - opening.end > _limit(opening):
            opening = None
        if opening and opening.mark == "$" and sign == "$$":  # `$a$$b$`: two in a row
            span = _accepted(text, opening, mark.start(), mark.start() + 1, dollar, marks)
            if span:
                spans.append(span)
                opening = _Opening("$", "$", mark.start() + 1, mark.end())
                continue
        if opening and sign == "$" and opening.mark == "$" and _in_text_box(text[opening.end : mark.start()]):
            continue
        if opening and _closes(opening, mark, sign):
            sure = dollar if opening.mark == "$" else math_page
            span = _accepted(text, opening, mark.start(), mark.end(), sure, marks)
            if span:
                spans.append(span)
                opening = None
                continue
            opening = None
        if opening is None or _reopens(opening, sign, marks):
            opening = _opened(text, mark, sign, marks)
    return spans


@lru_cache(maxsize=256)
def _marks(delimiters: Delimiters) -> _Marks:
    """What to look for. Delimiters of the page's own come first, the longest of them before the others."""
    environments = f"{_ENVIRONMENTS}|{_MORE_ENVIRONMENTS}" if delimiters.wide else _ENVIRONMENTS
    codes = _CODES + _MORE_CODES if delimiters.wide else _CODES
    signs = {sign for pair in delimiters.pairs for sign in (pair.opening, pair.closing)}
    own = "".join(re.escape(sign) + "|" for sign in sorted(signs, key=lambda sign: (-len(sign), sign)))
    case = "i" if delimiters.wide else ""
    usual = rf"\\\\|\\\$|\\[()\[\]]|\$\$?|\\(?:begin|end)\{{((?:{environments})\*?)\}}"
    pattern = rf"{own}{usual}|(?{case}:\[/?(?:{'|'.join(codes)})\])"
    pairs = {pair.opening: pair for pair in delimiters.pairs}
    return _Marks(re.compile(pattern), _CLOSERS | {sign: pair.closing for sign, pair in pairs.items()}, pairs)


def _limit(opening: _Opening) -> int:
    return _MAX_DOLLAR_CHARS if opening.mark == "$" else _MAX_CHARS


def _closes(opening: _Opening, mark: re.Match[str], sign: str) -> bool:
    if opening.mark == "\\begin":
        return sign.startswith("\\end") and mark[1] == opening.closer
    return sign == opening.closer


def _in_text_box(inner: str) -> bool:
    r"""Whether a text box is open at the end, as in `\text{if `, where a dollar begins a formula within the formula."""
    brace = inner.rfind("{")
    return brace > inner.rfind("}") and bool(_TEXT_BOX.search(inner[max(brace - 12, 0) : brace]))


def _reopens(opening: _Opening, sign: str, marks: _Marks) -> bool:
    """Whether a new opener means that the last one was no formula: a lone dollar, or the same opener again."""
    if opening.mark in ("$$", "\\begin"):
        return False
    if opening.mark == "$":
        return sign != "$" and sign in marks.closers
    return sign in marks.closers and sign not in ("$", "$$")


def _opened(text: str, mark: re.Match[str], sign: str, marks: _Marks) -> _Opening | None:
    if sign.startswith("\\begin"):
        return _Opening("\\begin", mark[1], mark.start(), mark.end())
    if sign not in marks.closers:
        return None
    if sign == "$":
        before, after = text[mark.start() - 1 : mark.start()], text[mark.end() : mark.end() + 1]
        if not after or after.isspace() or before.isalnum():
            return None
    return _Opening(sign, marks.closers[sign], mark.start(), mark.end())


def _accepted(text: str, opening: _Opening, inner_end: int, end: int, sure: bool, marks: _Marks) -> Span | None:
    """The formula between an opening and its closer, or None where the two mean something else."""
    inner = text[opening.end : inner_end]
    if not inner.strip():
        return None
    if opening.mark == "\\begin":
        return Span(opening.start, end, text[opening.start : end], True, "delim-env", opening.start)
    if pair := marks.pairs.get(opening.mark):
        meant = _is_own_formula(inner, pair)
        return Span(opening.start, end, inner, pair.display, "delim-own", opening.end) if meant else None
    if opening.mark == "$" and not _is_dollar_formula(inner, text[end : end + 3], sure):
        return None
    if opening.mark == "$$" and not _is_dollars_formula(inner, sure):
        return None
    if opening.mark in ("\\(", "\\[") and not _is_bracket_formula(inner, sure):
        return None
    kind = _KINDS.get(opening.mark, "delim-bbcode")
    return Span(opening.start, end, inner, opening.mark in _DISPLAYED, kind, opening.end)


def _is_own_formula(inner: str, pair: Pair) -> bool:
    """Whether this is meant as a formula between delimiters that only some pages use."""
    if not pair.declared or (len(pair.opening) == 1 and not looks_like_tex(inner)):
        return looks_like_tex(inner) and "\n\n" not in inner
    return not looks_like_prose(inner)


def _is_dollar_formula(inner: str, after: str, sure: bool) -> bool:
    if inner[-1].isspace() or after[:1].isdigit() or "\n\n" in inner:
        return False
    if looks_like_tex(inner):
        return not (_AMOUNT.match(inner) and "\\" not in inner)
    return sure and not (looks_like_prose(inner) or _AMOUNT.match(inner) or _WORD_AFTER.match(after))


def _is_dollars_formula(inner: str, sure: bool) -> bool:
    """Between the signs of two classes of price, as in `$$-$$$` or `$$, or $$`, there is no formula."""
    if looks_like_tex(inner):
        return True
    return bool(_LETTER.search(inner) if sure else _EQUATION.search(inner)) and not looks_like_prose(inner)


def _is_bracket_formula(inner: str, sure: bool) -> bool:
    r"""On a page without other signs of formulas `\[12\]` is an escaped citation, `\(and\)` an escaped aside, and
    `\( -name "*.c" \)` a shell's."""
    if looks_like_tex(inner):
        return True
    return not looks_like_prose(inner) and (sure or not (_LIST.fullmatch(inner) or _OPTION.search(inner)))
