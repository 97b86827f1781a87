"""Formulas written without any markup for them: runs of italics, raised and lowered letters and Unicode signs."""

import re
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from curation.extract.notation.markup import Unconvertible
from curation.extract.text import lexemes as lex
from curation.extract.text.flow import Cut, Flow, Surroundings, flows_of
from curation.extract.text.inline_tex import is_italic, tex_of
from curation.extract.text.lexemes import lexemes_of
from curation.extract.text.run_rules import runs_of
from curation.extract.text.run_verdicts import Verdict, judged
from curation.extract.tokens import Formula

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curation.extract.text.lexemes import Lexeme
    from curation.extract.tokens import Tokens

_STYLED = ("sup", "sub", "i", "em", "var")
_CARRIERS = etree.XPath(
    "descendant::*[(self::span or self::div) and (starts-with(@class, 'math ') or @class = 'SimpleMath'"
    " or starts-with(@class, 'texhtml'))]"
)
# Patterns that begin with one known byte find out faster than `in` does that there is nothing to look for.
_CARRIER_CLASS = re.compile(rb'="(?:math |texhtml|SimpleMath)')  # of pandoc, Wikipedia, GAPDoc
_TRUSTED = frozenset(("inline", "display", "texhtml", "SimpleMath"))
_WORD = re.compile(r"[^\W\d_]{5}")
_MAX_ITALIC = 80
_SLANTED = etree.XPath("descendant::span[contains(@style, 'italic')]")
_SIGNS = "∈∉∀∃∑∏∫√∂≤≥≠≡≅⊂⊆∪∩⊕⊗ℝℕℤℚℂ∞≈"
_SIGNED = etree.XPath(f"descendant::text()[translate(., '{_SIGNS}', '') != .][not(parent::script or parent::style)]")
_SIGN_SET = frozenset(_SIGNS + "\U0001d453\U0001d465")
_SIGN_BYTES = re.compile(b"\xe2(?:%s)" % b"|".join(sign.encode()[1:] for sign in _SIGNS))
_ALPHABET_BYTES = re.compile(b"\xf0\x9d\x91[\x93\xa5]")
_ALPHABETS = etree.XPath("descendant::text()[contains(., '\U0001d453') or contains(., '\U0001d465')]")
_SKIPPED = frozenset(("dt", "nav", "footer", "address"))
_PARAGRAPHS = frozenset(("p", "div", "center", "blockquote", "dd"))
_CERTAIN = 3  # formulas that leave no doubt make a page one that sets formulas; chosen here
_MAX_CHARS = 2_000
_MARGIN = 80  # characters of space and punctuation around a formula that has its block to itself


class _Run(NamedTuple):
    """A run that may be a formula."""

    start: int
    end: int
    verdict: Verdict
    display: bool


def take_runs(root: "etree._Element", markup: bytes, tokens: "Tokens", sure: bool) -> int:
    """How many formulas without markup for formulas were found under `root` and are tokens there now.

    `markup` is what `root` was parsed from; `sure` says that the page sets formulas in other ways too. Only then, or
    where other runs leave no doubt, is a lone `<i>x</i>` a variable. Formulas of other kinds must be tokens already.
    """
    found = _take_carriers(root, tokens) if _CARRIER_CLASS.search(markup) else 0
    flows = [(flow, runs) for block, flow in _flows(root, markup) if (runs := _runs(block, flow, tokens))]
    certain = sum(run.verdict is Verdict.CERTAIN for _, runs in flows for run in runs)
    math_page = sure or found > 0 or certain >= _CERTAIN
    for flow, runs in flows:
        found += _take(flow, [run for run in runs if math_page or run.verdict is Verdict.CERTAIN], tokens)
    return found


def _take_carriers(root: "etree._Element", tokens: "Tokens") -> int:
    """Elements that say they are a formula and hold one in plain HTML."""
    found = 0
    for element in _CARRIERS(root):
        classes = frozenset(element.get("class", "").split())
        if not classes & _TRUSTED:
            continue
        flows = list(flows_of(element))
        if (
            len(flows) != 1
            or not flows[0].text.strip()
            or flows[0].length > _MAX_CHARS
            or tokens.pattern.search(flows[0].text)
        ):
            continue
        display = "display" in classes or element.tag == "div"
        found += _take(flows[0], [_Run(0, flows[0].length, Verdict.CERTAIN, display)], tokens)
    return found


def _flows(root: "etree._Element", markup: bytes) -> "Iterator[tuple[etree._Element, Flow]]":
    """The stretches of text that hold italics, scripts or signs of mathematics, in order of their blocks."""
    surroundings = Surroundings()
    elements = {element for element in root.iter(*_STYLED) if _may_be_variables(element)}
    if b"italic" in markup:
        elements.update(element for element in _SLANTED(root) if _may_be_variables(element))
    texts = _SIGNED(root) if _SIGN_BYTES.search(markup) else []
    texts += _ALPHABETS(root) if _ALPHABET_BYTES.search(markup) else []
    signed = {parent for text in texts if (parent := _around(text)) is not None}
    blocks = {surroundings.block(element): None for element in elements}
    blocks |= {surroundings.block(element): None for element in signed}
    for block in blocks:
        if block.tag not in _SKIPPED and not surroundings.shielded(block):
            for flow in flows_of(block):
                if any(edge.element in elements for edge in flow.edges) or not _SIGN_SET.isdisjoint(flow.text):
                    yield block, flow


def _may_be_variables(element: "etree._Element") -> bool:
    """Whether this is a script, or so short that its letters may be variables."""
    if element.tag in ("sup", "sub"):
        return True
    text = element.text or ""
    return is_italic(element) and len(text) < _MAX_ITALIC and not _WORD.search(text)


def _around(text: "etree._ElementUnicodeResult") -> "etree._Element | None":
    parent = text.getparent()
    return parent.getparent() if parent is not None and text.is_tail else parent


def _runs(block: "etree._Element", flow: Flow, tokens: "Tokens") -> list[_Run]:
    if not flow.text.strip():
        return []
    found = []
    for run in runs_of(lexemes_of(flow, tokens.opening)):
        verdict = judged(run) if run[-1].end - run[0].start <= _MAX_CHARS else Verdict.NONE
        if verdict is not Verdict.NONE and not _is_item(flow, run):
            start, end = run[0].start, run[-1].end
            related = any(lexeme.kind in (lex.RELATION, lex.SYMBOL) for lexeme in run)
            alone = block.tag in _PARAGRAPHS and related and _is_alone(flow.text, start, end)
            found.append(_Run(start, end, verdict, alone))
    return found


def _is_item(flow: Flow, run: "list[Lexeme]") -> bool:
    """Whether this is the letter of an enumeration, as in `(<i>a</i>)`, or a word of one letter, emphasised."""
    if len(run) > 1:
        return False
    if run[0].text in ("I", "a", "A") and any(
        edge.element.tag == "em" for edge in flow.edges_within(run[0].start, run[0].end)
    ):
        return True
    return flow.text[max(run[0].start - 1, 0) : run[0].start] == "(" and flow.text[run[0].end : run[0].end + 1] == ")"


def _is_alone(text: str, start: int, end: int) -> bool:
    if len(text) - (end - start) > _MARGIN:
        return False
    return not text[:start].strip() and not text[end:].strip(" \t\n\u00a0.,;")


def _take(flow: Flow, runs: list[_Run], tokens: "Tokens") -> int:
    cuts = []
    for run in runs:
        try:
            tex = tex_of(flow, run.start, run.end)
        except Unconvertible:
            continue
        if tex:
            cuts.append(Cut(run.start, run.end, tokens.add(Formula(tex, run.display, "html"))))
    if cuts:
        flow.replace(cuts)
    return len(cuts)
