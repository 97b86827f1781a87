"""What KaTeX stacks: scripts, fractions, roots, accents, limits, boxes and tables, each read from the layers of a list.

A stack is the pseudo element `vlist` of `layer`s in KaTeX's order, which is from the bottom up except in tables and
over arrows. Where styles are kept a layer knows its `shift` below the baseline in em. Layers of strokes hold `mark`s.
"""

import re
from bisect import bisect_left

from lxml import etree

from curation.extract.notation.katex_drawings import combined
from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.rendered_tree import Row, group, joined, node, scripted, words

_TOP = re.compile(r"(?:^|;)\s*top:\s*(-?(?:\d++(?:\.\d++)?+|\.\d++))em")
_HEIGHT = re.compile(r"(?:^|;)\s*height:\s*((?:\d++(?:\.\d++)?+|\.\d++))em")
SAME_LINE = 0.02  # em, chosen here: KaTeX rounds to 0.0001, rows of a table are 0.6 apart at least
_ACCENTS_BELOW = {"→": "→", "←": "←", "↔": "↔", "~": "˷", "⏡": "⏡", "⏟": "⏟", "⎯": "_"}


def stack(element: etree._Element, parts: list[Row]) -> Row:
    """The layers of a `.vlist` as one pseudo element; nothing for those that only reserve depth."""
    made = [_layer(child, part) for child, part in zip(element, parts, strict=True) if part or len(child)]
    return [node("vlist", *made)] if made else []


def _layer(element: etree._Element, row: Row) -> etree._Element:
    layer = node("layer", *row)
    strut = next((child for child in element if "pstrut" in words(child)), None)
    top = _TOP.search(element.get("style") or "")
    height = _HEIGHT.search((strut.get("style") or "") if strut is not None else "")
    if top and height:
        layer.set("shift", str(float(top[1]) + float(height[1])))
    if any("sizing" in words(child) for child in element):
        layer.set("sized", "yes")
    if not row and "svg-align" in words(element):
        layer.set("lost", "yes")  # a drawing that was cut out of the page
    return layer


def layers(parts: list[Row]) -> list[etree._Element]:
    """The layers of the only stack among the parts. Raises Unconvertible where there is none, or more."""
    stacks = [piece for piece in joined(parts) if piece.tag == "vlist"]
    if len(stacks) != 1:
        raise Unconvertible("no_structure")
    return list(stacks[0])


def drawn(layer: etree._Element) -> bool:
    """Whether a layer holds strokes alone."""
    return len(layer) > 0 and all(piece.tag == "mark" for piece in layer)


def marks(stacked: list[etree._Element]) -> list[str]:
    """The names of all marks in these layers."""
    return [piece.get("name") or "" for layer in stacked for piece in layer if piece.tag == "mark"]


def scripts(element: etree._Element, parts: list[Row]) -> Row:
    """A pseudo element with the subscript and the superscript; the element before them is their base."""
    stacked = layers(parts)
    if len(stacked) > 2:
        raise Unconvertible("no_structure")
    if len(stacked) == 2:
        return [node("scripts", *stacked)]
    hangs = any("vlist-t2" in words(child) for child in element)
    empty = node("layer")
    return [node("scripts", *([stacked[0], empty] if hangs else [empty, stacked[0]]))]


def attached(row: Row) -> Row:
    """The row with its last element, `scripts`, on what comes before."""
    under, over = row[-1]
    return [scripted(row[:-1], list(under), list(over))]


def fraction(element: etree._Element, parts: list[Row]) -> Row:
    """A fraction; one without a line only where delimiters show that no line was lost with its empty element."""
    stacked = layers(parts)
    line = "frac-line" in marks(stacked)
    shown = [layer for layer in stacked if not drawn(layer)]
    if len(shown) != 2:
        raise Unconvertible("no_structure")
    made = node("mfrac", group(list(shown[1])), group(list(shown[0])))
    before = element.getprevious()
    if not line and before is not None and "mopen" in words(before):
        made.set("linethickness", "0")
    return [made]


def root(element: etree._Element, parts: list[Row]) -> Row:
    """A square root, or another one where an element `.root` holds its index."""
    index = [part for child, part in zip(element, parts, strict=True) if "root" in words(child)]
    body = [part for child, part in zip(element, parts, strict=True) if "root" not in words(child)]
    radicand = [piece for layer in layers(body) if not drawn(layer) for piece in layer]
    if not index:
        return [node("msqrt", *radicand)]
    return [node("mroot", group(radicand), group([piece for layer in layers(index) for piece in layer]))]


def limits(element: etree._Element, parts: list[Row]) -> Row:
    """An operator with what stands below and above it, which alone is set in a smaller size."""
    stacked = layers(parts)
    bases = [at for at, layer in enumerate(stacked) if not layer.get("sized")]
    if len(stacked) == 3:
        base = 1
    elif len(bases) == 1:
        base = bases[0]
    else:
        base = _on_baseline(stacked)
    under = [piece for layer in stacked[:base] for piece in layer]
    over = [piece for layer in stacked[base + 1 :] for piece in layer]
    middle = list(stacked[base])
    return [scripted(middle, under, over, limits=True)] if under or over else middle


def _on_baseline(stacked: list[etree._Element]) -> int:
    shifts = [abs(float(layer.get("shift") or "nan")) for layer in stacked]
    nearest = min(range(len(stacked)), key=lambda at: shifts[at])
    if not shifts[nearest] < SAME_LINE:
        raise Unconvertible("ambiguous")
    return nearest


def accent(element: etree._Element, parts: list[Row]) -> Row:
    """A base under an accent: a glyph, or a drawing that stretches."""
    base, sign = _two(parts)
    char = combined(list(sign)) if drawn(sign) else "".join(sign.itertext()).strip()
    if not char:
        raise Unconvertible("ambiguous")
    stretchy = drawn(sign) and char != "⃗"
    mark = node("mo", text=char, stretchy="true" if stretchy else "false")
    return [node("mover", group(list(base)), mark, accent="true")]


def accent_below(element: etree._Element, parts: list[Row]) -> Row:
    """A base over an accent."""
    sign, base = _two(parts)
    char = combined(list(sign)) if drawn(sign) else None
    if not char:
        raise Unconvertible("ambiguous")
    mark = node("mo", text=_ACCENTS_BELOW.get(char, char), stretchy="true")
    return [node("munder", group(list(base)), mark, accentunder="true")]


def _two(parts: list[Row]) -> tuple[etree._Element, etree._Element]:
    stacked = layers(parts)
    if len(stacked) != 2:
        raise Unconvertible("ambiguous")
    return stacked[0], stacked[1]


def line_over(element: etree._Element, parts: list[Row]) -> Row:
    """A base under a line."""
    return [node("mover", group(_undrawn(parts)), node("mo", text="‾", stretchy="true"), accent="true")]


def line_under(element: etree._Element, parts: list[Row]) -> Row:
    """A base over a line."""
    return [node("munder", group(_undrawn(parts)), node("mo", text="_", stretchy="true"), accentunder="true")]


def _undrawn(parts: list[Row]) -> Row:
    return [piece for layer in layers(parts) if not drawn(layer) for piece in layer]


def brace_or_label(element: etree._Element, parts: list[Row]) -> Row:
    """A base with a brace above or below it, or such a pair with the label of its brace."""
    stacked = layers(parts)
    if len(stacked) != 2:
        raise Unconvertible("no_structure")
    below = "munder" in words(element)
    sign, base = stacked if below else stacked[::-1]
    if sign.get("lost"):
        raise Unconvertible("ambiguous")
    row = [node("mo", text=combined(list(sign)) or "", stretchy="true")] if drawn(sign) else list(sign)
    if drawn(sign) and not row[0].text:
        raise Unconvertible("ambiguous")
    return [scripted(list(base), row if below else [], [] if below else row, limits=True)]


def arrow(element: etree._Element, parts: list[Row]) -> Row:
    """An arrow that stretches, with what stands above and below it, in this order."""
    stacked = layers(parts)
    at = next((at for at, layer in enumerate(stacked) if drawn(layer)), None)
    sign = combined(list(stacked[at])) if at is not None else None
    if at is None or not sign:
        raise Unconvertible("ambiguous")
    over = [piece for layer in stacked[:at] for piece in layer]
    under = [piece for layer in stacked[at + 1 :] for piece in layer]
    made = [node("mo", text=sign, stretchy="true")]
    return [scripted(made, under, over, limits=True)] if under or over else made


def plain(stacked: list[etree._Element]) -> Row:
    """The row of a stack that no class explains: something boxed, struck out, ruled or raised."""
    if any(layer.get("lost") for layer in stacked):
        raise Unconvertible("ambiguous")
    row = [piece for layer in stacked if not drawn(layer) for piece in layer if piece.tag != "mark"]
    names = " ".join(marks(stacked)).split()
    if "integral" in names:
        signs = [piece.get("char") or "" for layer in stacked for piece in layer if piece.get("name") == "integral"]
        return [node("mo", text=signs[0])]
    notation = [word for word in ("box", "updiagonalstrike", "downdiagonalstrike", "horizontalstrike") if word in names]
    if notation:
        return [node("menclose", *row, notation=" ".join(notation))]
    if "hline" in names and len(row) == 1 and row[0].tag == "mtable":
        _rule_rows(row[0], [layer for layer in stacked if drawn(layer)])
    return row


def _rule_rows(table: etree._Element, lines: list[etree._Element]) -> None:
    """Says in the table's attribute between which rows it is ruled, if styles tell where rows and lines are."""
    rows = [float(shift) for shift in (table.attrib.pop("data-shifts", None) or "").split()]
    above = {bisect_left(rows, float(line.get("shift") or "inf")) for line in lines}
    if rows and above:
        table.set("rowlines", " ".join("solid" if row in above else "none" for row in range(1, len(rows))))
