"""MathJax's CHTML (versions 3 and 4) made MathML: its elements are named after those of MathML, its glyphs by class."""

import re

from lxml import etree

from curation.extract.notation import mathjax_pieces as pieces
from curation.extract.notation.markup import Unconvertible, read_markup
from curation.extract.notation.mathjax_common_html import common_html_to_mathml
from curation.extract.notation.mathjax_tokens import finished, glyph, token
from curation.extract.notation.rendered_tree import (
    Row,
    Rule,
    fold,
    group,
    joined,
    name,
    node,
    scripted,
    words,
)

_CODE = re.compile(r"mjx-c([0-9A-F]{1,5})")
_FONT = re.compile(r"[A-Z]+-[A-Z]+\d*")
_WIDTH = re.compile(r"(?:^|;)\s*(?:width|margin-left):\s*(-?(?:\d++(?:\.\d++)?+|\.\d++))em")
_TOKENS = frozenset(("mjx-mi", "mjx-mn", "mjx-mo", "mjx-mtext", "mjx-ms"))
_UNSEEN = (
    *("nstrut", "dstrut", "tstrut", "mark", "spacer", "surd", "line", "break", "labels", "assistive-mml", "speech"),
    *("none", "tip", "beg", "ext", "mid", "end", "annotation", "annotation-xml", "malignmark", "maligngroup"),
)


def mathjax_chtml_to_mathml(markup: str) -> etree._Element:
    """The MathML of a formula of which the HTML of any version of MathJax is left. Raises Unconvertible."""
    root = read_markup(markup)
    shown = next((element for element in root.iter() if name(element).lower() == "mjx-math"), None)
    if shown is None:
        return common_html_to_mathml(root)
    return finished(fold(shown, _rule))


def _rule(element: etree._Element, parts: list[Row]) -> Row:
    tag = name(element).lower()
    if tag in _TOKENS:
        return token(tag[4:], joined(parts))
    return _RULES.get(tag.removeprefix("mjx-"), _row)(element, parts)


def _row(element: etree._Element, parts: list[Row]) -> Row:
    if (element.text or "").strip():
        raise Unconvertible("no_structure")
    return joined(parts)


def _nothing(element: etree._Element, parts: list[Row]) -> Row:
    return []


def _refused(element: etree._Element, parts: list[Row]) -> Row:
    raise Unconvertible("error_message")


def _glyph(element: etree._Element, parts: list[Row]) -> Row:
    """A glyph by the code in its class; version 4 has it as text too. Pieces of a stretched one have neither."""
    classes = words(element)
    text = _coded(classes) or element.text or ""
    if not text and _stretches(element.getparent()):
        return []
    if not text:
        raise Unconvertible("unknown_glyph")
    return [glyph(text, next((word for word in classes if _FONT.fullmatch(word)), ""))]


def _coded(classes: list[str]) -> str:
    code = next((match[1] for word in classes if (match := _CODE.fullmatch(word))), "0")
    return chr(int(code, 16)) if 0 < int(code, 16) <= 0x10FFFF else ""


def _stretches(parent: etree._Element | None) -> bool:
    return parent is not None and name(parent).lower() in ("mjx-beg", "mjx-ext", "mjx-mid", "mjx-end")


def _stretched(element: etree._Element, parts: list[Row]) -> Row:
    """A delimiter or accent of several pieces, whose class tells what they make."""
    text = _coded(words(element))
    if not text:
        raise Unconvertible("unknown_glyph")
    return [glyph(text, stretched=True)]


def _delimited(element: etree._Element, parts: list[Row]) -> Row:
    return pieces.delimited(joined(parts))


def _place(element: etree._Element, parts: list[Row]) -> Row:
    """A part of a formula whose place the element's name tells, as a pseudo element for the elements around it."""
    padded = any(name(child).lower() == "mjx-mpadded" for child in element)
    return [node("place", *joined(parts), name=name(element).lower()[4:], padded="yes" if padded else "")]


def _found(parts: list[Row], *names: str) -> list[Row]:
    """What stands at the named places."""
    found = {piece.get("name"): list(piece) for piece in joined(parts) if piece.tag == "place"}
    return [found.get(wanted, []) for wanted in names]


def _rest(parts: list[Row]) -> Row:
    return [piece for piece in joined(parts) if piece.tag != "place"]


def _layers(element: etree._Element, parts: list[Row]) -> Row:
    """One or two scripts, the upper one first."""
    rows = [part for child, part in zip(element, parts, strict=True) if name(child).lower() != "mjx-spacer"]
    return [node("place", *(node("layer", *row) for row in rows), name="script")]


def _scripts(element: etree._Element, parts: list[Row]) -> tuple[Row, Row, Row]:
    """The base, what is below and what is above, where they share one element."""
    layers = [list(layer) for layer in _found(parts, "script")[0]]
    tag = name(element).lower()
    if tag in ("mjx-msubsup", "mjx-munderover") and len(layers) == 2:
        return _rest(parts), layers[1], layers[0]
    if len(layers) != 1:
        raise Unconvertible("no_structure")
    below = tag in ("mjx-msub", "mjx-munder")
    return _rest(parts), layers[0] if below else [], [] if below else layers[0]


def _with_scripts(element: etree._Element, parts: list[Row]) -> Row:
    return [scripted(*_scripts(element, parts))]


def _with_limits(element: etree._Element, parts: list[Row]) -> Row:
    """Limits, accents and labels. One below is nested in what is above, and set like scripts within a line."""
    if any(piece.get("name") == "script" for piece in joined(parts)):
        return pieces.limits(*_scripts(element, parts), labelled=False)
    around = element.getparent()
    if around is not None and name(around).lower() == "mjx-box" and _is_under_over(around.getparent()):
        return joined(parts)
    base, under, over = _found(parts, "base", "under", "over")
    labelled = any(piece.get("padded") for piece in joined(parts))
    return pieces.limits(base, under, over, labelled)


def _is_under_over(element: etree._Element | None) -> bool:
    return element is not None and name(element).lower() == "mjx-munderover"


def _fraction(element: etree._Element, parts: list[Row]) -> Row:
    if not any(piece.tag == "place" for piece in joined(parts)):
        return joined(parts)
    line = any(name(part).lower() == "mjx-dbox" for part in element.iter())
    upper, lower = _found(parts, "num", "den")
    return [pieces.fraction(upper, lower, line)]


def _root(element: etree._Element, parts: list[Row]) -> Row:
    (index,) = _found(parts, "root")
    return [node("mroot", group(_rest(parts)), group(index))] if index else [node("msqrt", *_rest(parts))]


def _space(element: etree._Element, parts: list[Row]) -> Row:
    width = _WIDTH.search(element.get("style") or "")
    return [node("mspace", width=f"{width[1]}em")] if width else []


def _phantom(element: etree._Element, parts: list[Row]) -> Row:
    return [node("mphantom", *joined(parts))]


def _enclosed(element: etree._Element, parts: list[Row]) -> Row:
    return pieces.enclosed(joined(parts), [name(child).lower()[4:] for child in element])


def _cell(element: etree._Element, parts: list[Row]) -> Row:
    first = element[0] if len(element) else None
    while first is not None and len(first) and name(first).lower() == "mjx-mstyle":
        first = first[0]
    aligned = first is not None and len(first) == 0 and name(first).lower() == "mjx-mi"
    return [pieces.cell(element, joined(parts), aligned)]


def _table_row(element: etree._Element, parts: list[Row]) -> Row:
    return [node("mtr", *joined(parts))]


def _table(element: etree._Element, parts: list[Row]) -> Row:
    return pieces.table(joined(parts))


def _columns_of_scripts(element: etree._Element, parts: list[Row]) -> Row:
    """Pairs of a subscript and a superscript, from a row of superscripts above a row of subscripts."""
    if len(parts) < 2 or len(parts[0]) != len(parts[-1]):
        raise Unconvertible("no_structure")
    pairs = [
        node("layer", node("layer", *list(lower)), node("layer", *list(upper)))
        for upper, lower in zip(parts[0], parts[-1], strict=True)
    ]
    return [node("place", *pairs, name=name(element).lower()[4:])]


def _multiscripts(element: etree._Element, parts: list[Row]) -> Row:
    before, after = ([(list(one[0]), list(one[1])) for one in row] for row in _found(parts, "prescripts", "scripts"))
    return pieces.multiscripts(_rest(parts), before, after)


_RULES: dict[str, Rule] = {
    **dict.fromkeys(_UNSEEN, _nothing),
    "c": _glyph, "utext": _glyph, "stretchy-v": _stretched, "stretchy-h": _stretched, "merror": _refused,
    "mrow": _delimited, "mfenced": _delimited,
    "num": _place, "den": _place, "over": _place, "under": _place, "base": _place, "root": _place, "script": _layers,
    "msub": _with_scripts, "msup": _with_scripts, "msubsup": _with_scripts,
    "munder": _with_limits, "mover": _with_limits, "munderover": _with_limits,
    "mfrac": _fraction, "msqrt": _root, "mroot": _root, "mspace": _space, "mphantom": _phantom, "menclose": _enclosed,
    "mtd": _cell, "mtr": _table_row, "mlabeledtr": _table_row, "mtable": _table,
    "cell": _place, "prescripts": _columns_of_scripts, "scripts": _columns_of_scripts, "mmultiscripts": _multiscripts,
}  # fmt: skip
