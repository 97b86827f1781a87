"""MathJax 2's CommonHTML made MathML: spans whose classes name MathML's elements, around real characters."""

import re
from collections.abc import Callable

from lxml import etree

from curation.extract.notation import mathjax_pieces as pieces
from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathjax_tokens import finished, glyph, stretched_operator, token
from curation.extract.notation.rendered_tree import Row, Rule, fold, group, joined, name, node, scripted, words

_FONT = re.compile(r"MJXc-TeX-([a-zA-Z0-9]+-[A-Z]+)")
_WIDTH = re.compile(r"(?:^|;)\s*(?:width|margin-left|margin-right):\s*(-?(?:\d++(?:\.\d++)?+|\.\d++))em")
_TOKENS = frozenset(("mi", "mn", "mo", "mtext", "ms"))
_PLACES = frozenset(("base", "sub", "sup", "op", "under", "over", "numerator", "denominator", "root"))


def common_html_to_mathml(root: etree._Element) -> etree._Element:
    """The MathML of a formula in MathJax 2's CommonHTML. Raises Unconvertible."""
    if next((True for element in root.iter() if "mjx-math" in words(element)), None) is None:
        raise Unconvertible("no_structure")
    return finished(fold(root, _rule))


def _kind(element: etree._Element) -> str:
    """The name of what a span stands for."""
    return next((word[4:] for word in words(element) if word.startswith("mjx-")), "")


def _rule(element: etree._Element, parts: list[Row]) -> Row:
    kind = _kind(element)
    if kind in ("char", "charbox"):
        return _glyph(element) + joined(parts)
    if kind in _TOKENS:
        return _token(element, kind, parts)
    if kind in _PLACES:
        padded = any(_kind(child) == "mpadded" for child in element)
        return [node("place", *joined(parts), name=kind, padded="yes" if padded else "")]
    if name(element) in ("script", "style", "math"):
        return []
    if kind in _RULES:
        return _RULES[kind](element, parts)
    if (element.text or "").strip():
        raise Unconvertible("no_structure")
    return joined(parts)


def _glyph(element: etree._Element) -> Row:
    font = next((match[1] for word in words(element) if (match := _FONT.fullmatch(word))), "")
    return [glyph(element.text, font)] if element.text else []


def _token(element: etree._Element, kind: str, parts: list[Row]) -> Row:
    if kind == "mo" and any(_kind(child) in ("delim-v", "delim-h") for child in element):
        drawn = "".join("".join(piece.text or "" for piece in joined(parts)).split())
        if not drawn:
            raise Unconvertible("unknown_glyph")
        return [stretched_operator(drawn)]
    return token(kind, joined(parts))


def _found(parts: list[Row]) -> dict[str, Row]:
    return {piece.get("name") or "": list(piece) for piece in joined(parts) if piece.tag == "place"}


def _scripts(element: etree._Element, parts: list[Row]) -> Row:
    """Scripts and limits alike; limits within a line are set like scripts."""
    found = _found(parts)
    base = found.get("op", found.get("base", []))
    under, over = found.get("under", found.get("sub", [])), found.get("over", found.get("sup", []))
    if not (under or over):
        return base
    if _kind(element) in ("msub", "msup", "msubsup"):
        return [scripted(base, under, over)]
    labelled = any(piece.get("padded") for piece in joined(parts))
    return pieces.limits(base, under, over, labelled)


def _fraction(element: etree._Element, parts: list[Row]) -> Row:
    found = _found(parts)
    if not {"numerator", "denominator"} <= found.keys():
        return joined(parts)
    line = any(_kind(part) == "line" for child in element for part in child)
    return [pieces.fraction(found["numerator"], found["denominator"], line)]


def _root(element: etree._Element, parts: list[Row]) -> Row:
    index = _found(parts).get("root")
    body = [piece for piece in joined(parts) if piece.tag != "place"]
    return [node("mroot", group(body), group(index))] if index else [node("msqrt", *body)]


def _space(element: etree._Element, parts: list[Row]) -> Row:
    width = _WIDTH.search(element.get("style") or "")
    return [node("mspace", width=f"{width[1]}em")] if width else []


def _cell(element: etree._Element, parts: list[Row]) -> Row:
    first = element[0] if len(element) else None
    while first is not None and len(first) and _kind(first) in ("mrow", "mstyle"):
        first = first[0]
    empty = first is not None and _kind(first) == "mi" and not "".join(first.itertext()).strip()
    return [pieces.cell(element, joined(parts), empty)]


def _strokes(element: etree._Element) -> list[str]:
    lines = [part for part in element.iter() if name(part) == "line"]
    return ["dstrike" if (line.get("y1") or "0") in ("0", "0px") else "ustrike" for line in lines]


def _enclosed(element: etree._Element, parts: list[Row]) -> Row:
    return pieces.enclosed(joined(parts), _strokes(element))


def _made(tag: str) -> Rule:
    return lambda element, parts: [node(tag, *joined(parts))]


def _nothing(element: etree._Element, parts: list[Row]) -> Row:
    return []


def _refused(element: etree._Element, parts: list[Row]) -> Row:
    raise Unconvertible("error_message")


_RULES: dict[str, Callable[[etree._Element, list[Row]], Row]] = {
    "mrow": lambda element, parts: pieces.delimited(joined(parts)),
    "mfenced": lambda element, parts: pieces.delimited(joined(parts)),
    **dict.fromkeys(("msub", "msup", "msubsup", "munder", "mover", "munderover"), _scripts),
    "mfrac": _fraction, "msqrt": _root, "mroot": _root, "mspace": _space, "menclose": _enclosed, "mtd": _cell,
    "mtr": _made("mtr"), "mlabeledtr": _made("mtr"), "mphantom": _made("mphantom"),
    "mtable": lambda element, parts: pieces.table(joined(parts)),
    **dict.fromkeys(("surd", "strut", "vsize", "line", "label"), _nothing), "merror": _refused,
}  # fmt: skip
