"""MathJax's SVG (versions 3 and 4) made MathML: its groups bear the names of MathML's elements."""

import re
from itertools import zip_longest

from lxml import etree

from curation.extract.notation import mathjax_pieces as pieces
from curation.extract.notation.markup import Unconvertible, read_markup
from curation.extract.notation.mathjax_tokens import finished, glyph, stretched_operator, token
from curation.extract.notation.rendered_tree import Row, fold, group, joined, name, node, scripted

_FONT = re.compile(r"#?(?:MJX-(?:\d+-)?)?([A-Z]+-[A-Z]+\d*)-[0-9A-F]+")
_CODE = re.compile(r"[0-9A-F]{1,6}")
_TRANSLATE = re.compile(r"translate\(\s*(-?(?:\d++(?:\.\d++)?+|\.\d++))[\s,]+(-?(?:\d++(?:\.\d++)?+|\.\d++))\s*\)")
_TOKENS = frozenset(("mi", "mn", "mtext", "ms"))
_UNSEEN = frozenset(("defs", "title", "rect", "line", "polygon", "ellipse", "mjx-assistive-mml", "mjx-speech", "style"))
_LINK = "{http://www.w3.org/1999/xlink}href"

_Child = tuple[etree._Element, Row]


def mathjax_svg_to_mathml(markup: str) -> etree._Element:
    """The MathML of a formula that MathJax 3 or 4 drew as SVG. Raises Unconvertible, also for version 2."""
    root = read_markup(markup)
    if next((True for element in root.iter() if element.get("data-mml-node")), None) is None:
        raise Unconvertible("no_structure")
    return finished(fold(root, _rule))


def _rule(element: etree._Element, parts: list[Row]) -> Row:
    tag, kind = name(element), element.get("data-mml-node") or ""
    if tag in _UNSEEN or element.get("data-labels"):
        return []
    if tag in ("use", "path", "text") or (tag == "g" and element.get("data-c")):
        return _glyph(element, tag)
    if kind in _TOKENS:
        return token(kind, joined(parts))
    return _RULES[kind](element, parts) if kind in _RULES else joined(parts)


def _glyph(element: etree._Element, tag: str) -> Row:
    """A glyph by its code. Its font is named where it links to; a path of its own does not name any."""
    if tag == "text":
        return [glyph(element.text)] if element.text else []
    code = element.get("data-c") or ""
    if not _CODE.fullmatch(code) or not 0 < int(code, 16) <= 0x10FFFF:
        return []
    font = _FONT.fullmatch(element.get(_LINK) or element.get("xlink:href") or element.get("href") or "")
    return [glyph(chr(int(code, 16)), font[1] if font else "?")]


def _children(element: etree._Element, parts: list[Row], least: int) -> list[_Child]:
    """The groups in an element with their rows. Raises Unconvertible if there are fewer than its kind has."""
    found = [(child, part) for child, part in zip(element, parts, strict=True) if name(child) == "g"]
    if len(found) < least:
        raise Unconvertible("no_structure")
    return found


def _height(child: etree._Element) -> float | None:
    """How far above its parent's baseline a group stands."""
    moved = _TRANSLATE.search(child.get("transform") or "")
    return float(moved[2]) if moved else None


def _delimited(element: etree._Element, parts: list[Row]) -> Row:
    return pieces.delimited(joined(parts))


def _operator(element: etree._Element, parts: list[Row]) -> Row:
    """An operator; a stretched one of pieces, those that fill it in pictures of their own."""
    plain = [part for child, part in zip(element, parts, strict=True) if name(child) != "svg"]
    fill = [part for child, part in zip(element, parts, strict=True) if name(child) == "svg"]
    if not fill:
        return token("mo", joined(plain))
    around = element.getparent()
    if around is not None and around.get("data-mml-node") in ("msqrt", "mroot"):
        return []  # a tall root sign
    return [stretched_operator(*("".join(piece.text or "" for piece in joined(row)) for row in (plain, fill)))]


def _scripts(element: etree._Element, parts: list[Row]) -> Row:
    kind = element.get("data-mml-node")
    both = kind == "msubsup"
    (_, base), *others = _children(element, parts, 3 if both else 2)
    if both:
        return [scripted(base, others[1][1], others[0][1])]
    return [scripted(base, others[0][1], [])] if kind == "msub" else [scripted(base, [], others[0][1])]


def _limits(element: etree._Element, parts: list[Row]) -> Row:
    """Limits, accents and labels. Two of them are told apart by height, since within a line the upper one is first."""
    kind = element.get("data-mml-node")
    (_, base), *others = _children(element, parts, 3 if kind == "munderover" else 2)
    labelled = any(child.get("data-mml-node") == "mpadded" for child, _ in others)
    if kind != "munderover":
        row = others[0][1]
        return pieces.limits(base, row if kind == "munder" else [], row if kind == "mover" else [], labelled)
    heights = [_height(child) for child, _ in others[:2]]
    if heights[0] is None or heights[1] is None or heights[0] == heights[1]:
        raise Unconvertible("ambiguous")
    lower, upper = others[:2] if heights[0] < heights[1] else others[1::-1]
    return pieces.limits(base, lower[1], upper[1], labelled)


def _fraction(element: etree._Element, parts: list[Row]) -> Row:
    found = _children(element, parts, 2)
    if len(found) > 2:
        return joined([row for _, row in found])
    return [pieces.fraction(found[0][1], found[1][1], any(name(child) == "rect" for child in element))]


def _square_root(element: etree._Element, parts: list[Row]) -> Row:
    return [node("msqrt", *_body(element, parts))]


def _root(element: etree._Element, parts: list[Row]) -> Row:
    """A root, whose index is the group between the radicand and the sign."""
    index = _children(element, parts, 3)[1][1]
    return [node("mroot", group(_body(element, parts)), group(index))]


def _body(element: etree._Element, parts: list[Row]) -> Row:
    """What stands in the only group that is no element of MathML itself."""
    inner = [row for child, row in _children(element, parts, 1) if not child.get("data-mml-node")]
    if len(inner) != 1:
        raise Unconvertible("no_structure")
    return inner[0]


def _enclosed(element: etree._Element, parts: list[Row]) -> Row:
    strokes = [_stroke(child) for child in element if name(child) == "line"]
    return pieces.enclosed(_body(element, parts), strokes)


def _stroke(line: etree._Element) -> str:
    try:
        rise = float(line.get("y2") or 0) - float(line.get("y1") or 0)
    except ValueError:
        raise Unconvertible("no_structure") from None
    return "hstrike" if rise == 0 else "ustrike" if rise > 0 else "dstrike"


def _cell(element: etree._Element, parts: list[Row]) -> Row:
    first = next((child for child in element if name(child) == "g"), None)
    while first is not None and len(first) and first.get("data-mml-node") in ("mstyle", "TeXAtom"):
        first = first[0]
    empty = first is not None and first.get("data-mml-node") == "mi" and len(first) == 0
    made = pieces.cell(element, joined(parts), empty)
    moved = _TRANSLATE.search(element.get("transform") or "")
    made.set("data-left", moved[1] if moved else "0")
    return [made]


def _table_row(element: etree._Element, parts: list[Row]) -> Row:
    return [node("mtr", *joined(parts))]


def _table(element: etree._Element, parts: list[Row]) -> Row:
    """A table; a column is aligned to the left where cells of different length begin at one place.

    Other columns are taken to be like it. Where there is none, nothing tells how a table's columns are aligned.
    """
    rows = joined(parts)
    untold = ""
    for column in zip_longest(*pieces.cells(rows)):
        filled = [cell for cell in column if cell is not None and len(cell)]
        lengths = {len("".join(cell.itertext())) for cell in filled}
        if len(lengths) > 1 and len({cell.get("data-left") for cell in filled}) == 1:
            untold = "left"
    return pieces.table(rows, untold)


def _multiscripts(element: etree._Element, parts: list[Row]) -> Row:
    """A base with what stands in front of it and behind it, raised or lowered."""
    found = _children(element, parts, 1)
    at = next((at for at, (child, _) in enumerate(found) if child.get("data-mml-node")), None)
    if at is None:
        raise Unconvertible("no_structure")
    return pieces.multiscripts(found[at][1], _pairs(found[:at]), _pairs(found[at + 1 :]))


def _pairs(found: list[_Child]) -> list[tuple[Row, Row]]:
    heights = [_height(child) for child, _ in found]
    if None in heights:
        raise Unconvertible("ambiguous")
    raised = [row for height, (_, row) in zip(heights, found, strict=True) if height is not None and height > 0]
    lowered = [row for height, (_, row) in zip(heights, found, strict=True) if height is not None and height <= 0]
    if len(raised) > 1 or len(lowered) > 1:
        raise Unconvertible("no_structure")
    return [(joined(lowered), joined(raised))] if found else []


def _phantom(element: etree._Element, parts: list[Row]) -> Row:
    return [node("mphantom", *joined(parts))]


def _refused(element: etree._Element, parts: list[Row]) -> Row:
    raise Unconvertible("error_message")


_RULES = {
    "mo": _operator, "mrow": _delimited, "mfenced": _delimited, "msub": _scripts, "msup": _scripts, "msubsup": _scripts,
    "munder": _limits, "mover": _limits, "munderover": _limits, "mfrac": _fraction, "msqrt": _square_root,
    "mroot": _root, "menclose": _enclosed, "mtd": _cell, "mtr": _table_row, "mlabeledtr": _table_row,
    "mtable": _table, "mmultiscripts": _multiscripts, "mphantom": _phantom, "merror": _refused,
}  # fmt: skip
