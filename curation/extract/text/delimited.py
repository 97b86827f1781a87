"""Formulas between bare delimiters in the text of a page's tree become tokens, wherever elements cut them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

from curation.extract.formulas import cleaned
from curation.extract.tex import looks_like_tex
from curation.extract.text.delimiters import Delimiters, Span, find_formulas
from curation.extract.text.flow import Cut, Flow, Surroundings, flows_of
from curation.extract.text.rejoin import repaired, source_of
from curation.extract.tokens import Formula

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curation.extract.tokens import Tokens

_BACKSLASHED = ("\\(", "\\[", "\\begin")
_CODES = ("tex]", "TEX]", "ath]", "ATH]", "athjax", "[katex]")
# Patterns that begin with one known byte find out faster than `in` does that there is nothing to look for.
_MAY_BE_BACKSLASHED = re.compile(rb"\\(?:[(\[]|begin)")
_MAY_BE_CODES = re.compile(rb"\[/")
_COMMAND = re.compile(r"\\[A-Za-z]{2}")
_PARAGRAPHS = frozenset(("p", "div", "blockquote", "center"))
_OPENING = re.compile(r"\$\$|\\\[|\\begin\{(\w+\*?)\}")
_EITHER = re.compile(r"\$\$|\\[\[\]]|\\(?:begin|end)\{\w+\*?\}")
_NEXT = 8  # paragraphs that a displayed formula may run through; chosen here
_CHARS = 8_000
_MARGIN = 80
_EITHER_FORM = frozenset(("[tex]", "[latex]", "[math]"))
_CERTAIN = 3  # formulas by their look that make a page one that sets formulas; one with a command is enough


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A flow, the block that it stands in, and whether it is the last one there."""

    block: "etree._Element"
    flow: Flow
    last: bool


def take_text_formulas(
    root: "etree._Element", markup: bytes, tokens: "Tokens", sure: bool, delimiters: Delimiters
) -> int:
    """How many formulas between delimiters were found in the text under `root` and are tokens there now.

    `markup` is what `root` was parsed from: what is not in it is not looked for. `sure` says that the page sets
    formulas; without that, only what looks like TeX between its delimiters counts. Code is left alone, and so is what
    the page keeps from MathJax. Elements of other kinds must be tokens already.
    """
    marks = tuple(mark for mark in _possible_marks(markup, delimiters) if mark.encode() in markup)
    stretches = _stretches(root, marks) if marks else []
    math_page = sure or _sets_formulas([stretch.flow.text for stretch in stretches], delimiters)
    joined: set[etree._Element] = set()
    found = 0
    for stretch in stretches:
        if stretch.block not in joined:
            flow, spans = stretch.flow, find_formulas(stretch.flow.text, math_page, delimiters)
            if stretch.last and (following := _following(stretch, spans[-1].end if spans else 0)):
                flow, spans = _joined(stretch, following, math_page, delimiters) or (flow, spans)
                joined.update(block for block, _ in following if flow is not stretch.flow)
            found += _take(flow, spans, tokens)
    return found


def _possible_marks(markup: bytes, delimiters: Delimiters) -> "Iterator[str]":
    yield "$"
    if _MAY_BE_BACKSLASHED.search(markup):
        yield from _BACKSLASHED
    if _MAY_BE_CODES.search(markup):
        yield from _CODES
    for pair in delimiters.pairs:
        yield pair.opening


def _stretches(root: "etree._Element", marks: tuple[str, ...]) -> list[_Stretch]:
    """The stretches of text under `root` that hold the mark of a formula, in order, without code."""
    surroundings = Surroundings()
    blocks: dict[etree._Element, None] = {}
    for text in _search(marks)(root):
        parent = text.getparent()
        around = parent.getparent() if text.is_tail else parent
        if around is not None and not surroundings.shielded(around):
            blocks[surroundings.block(around)] = None
    return [
        _Stretch(block, flow, flow is flows[-1])
        for block in blocks
        for flows in [list(flows_of(block))]
        for flow in flows
        if any(mark in flow.text for mark in marks)
    ]


@lru_cache(maxsize=64)
def _search(marks: tuple[str, ...]) -> etree.XPath:
    """A search for the texts that hold one of the marks, scripts apart."""
    tests = " or ".join(f"contains(., {_quoted(mark)})" for mark in marks)
    return etree.XPath(f"descendant::text()[{tests}][not(parent::script or parent::style)]")


def _quoted(mark: str) -> str:
    """A string of XPath, which knows no escapes."""
    return f"'{mark}'" if "'" not in mark else f'"{mark}"'


def _sets_formulas(texts: list[str], delimiters: Delimiters) -> bool:
    """Whether enough on this page looks like TeX between delimiters that `$x$` means a formula too."""
    found = 0
    for text in texts:
        for span in find_formulas(text, False, delimiters):
            found += _CERTAIN if _COMMAND.search(span.tex) else 1
            if found >= _CERTAIN:
                return True
    return False


def _following(stretch: _Stretch, at: int) -> list[tuple["etree._Element", Flow]]:
    """The paragraphs up to the one that ends a displayed formula which this stretch begins; none if it begins none."""
    opening = max(_OPENING.finditer(stretch.flow.text, at), key=re.Match.start, default=None)
    if opening is None or stretch.block.tag not in _PARAGRAPHS:
        return []
    closing = {"$$": "$$", "\\[": "\\]"}.get(opening[0], f"\\end{{{opening[1]}}}")
    block, paragraphs, length = stretch.block, [], 0
    for _ in range(_NEXT):
        if (block.tail or "").strip() or (following := block.getnext()) is None or following.tag not in _PARAGRAPHS:
            return []
        flows = [flow for flow in flows_of(following) if flow.text.strip()]
        length += sum(flow.length for flow in flows)
        if len(flows) > 1 or length > _CHARS:
            return []
        paragraphs += [(following, flow) for flow in flows]
        if flows and (mark := _EITHER.search(flows[0].text)):
            odd = closing != "$$" or flows[0].text.count("$$") % 2 == 1
            return paragraphs if mark[0] == closing and odd else []
        block = following
    return []


def _joined(
    stretch: _Stretch, following: list[tuple["etree._Element", Flow]], math_page: bool, delimiters: Delimiters
) -> tuple[Flow, list[Span]] | None:
    """One flow of all these paragraphs and its formulas, if one of them does begin in the first and end beyond it."""
    flow = Flow()
    for part in (stretch.flow, *(flow for _, flow in following)):
        flow.extend(part)
    spans = find_formulas(flow.text, math_page, delimiters)
    bound = stretch.flow.length
    across = any(span.start < bound < span.end and looks_like_tex(span.tex) for span in spans)
    return (flow, spans) if across else None


def _take(flow: Flow, spans: list[Span], tokens: "Tokens") -> int:
    """Puts a token in the place of each formula, and nothing in that of definitions."""
    cuts = []
    for span in spans:
        tex = cleaned(repaired(source_of(flow, span.inner, span.inner + len(span.tex)), tokens), tokens)
        if span.kind == "delim-dollar":
            tex = tex.removeprefix("latex ").lstrip()  # `$latex x^2$` is how WordPress writes it
        display = span.display or (span.kind == "delim-bbcode" and _is_alone(flow.text, span))
        cuts.append(Cut(span.start, span.end, tokens.add(Formula(tex, display, span.kind)) if tex else ""))
    if cuts:
        flow.replace(cuts)
    return sum(bool(cut.replacement) for cut in cuts)


def _is_alone(text: str, span: Span) -> bool:
    """Whether a formula of a forum, which has one code for both forms, stands on a line of its own."""
    if text[span.start : span.inner].lower() not in _EITHER_FORM:
        return False
    before, after = text[max(span.start - _MARGIN, 0) : span.start], text[span.end : span.end + _MARGIN]
    begins = "\n" in before or span.start < _MARGIN
    ends = "\n" in after or span.end + _MARGIN > len(text)
    return begins and ends and not before.rpartition("\n")[2].strip() and not after.partition("\n")[0].strip()
