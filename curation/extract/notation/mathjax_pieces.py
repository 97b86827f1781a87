"""MathML from what MathJax's renderings have in common: scripts, limits, accents, rows with delimiters, tables."""

import re
from collections.abc import Sequence

from lxml import etree

from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathjax_tokens import accent_sign, has_grown, is_delimiter
from curation.extract.notation.rendered_tree import Row, fenced, group, node, scripted

_ACCENTS = frozenset("^ˆ\u0302~˜\u0303¯ˉ‾_→\u20d7←↔⟶⟵⟷˙\u0307¨\u0308ˇ\u030c˘\u0306´ˊ\u0301`ˋ\u0300˚\u030a⏞⏟⎴⎵⏠⏡…")
_LONG = {"⟶": "→", "⟵": "←", "⟷": "↔"}
_ARROWS = frozenset("→←↔⇒⇐⇔↦↪↩⇌↠↞⟶⟵⟹⟸=")
_STROKES = {
    "ustrike": "updiagonalstrike", "dstrike": "downdiagonalstrike", "hstrike": "horizontalstrike",
    "vstrike": "verticalstrike",
}  # fmt: skip
_MAX_CELLS = 20_000  # chosen here, as a bound on what one long row among many short ones asks for
_ALIGN = re.compile(r"text-align:\s*(left|right|center)")


def delimited(row: Row) -> Row:
    """A row; one group if delimiters that have grown, or absent ones, stand at its ends, or a binomial's do."""
    if len(row) < 2 or not (is_delimiter(row[0]) and is_delimiter(row[-1])):
        return row
    binomial = len(row) == 3 and row[1].tag == "mfrac" and row[1].get("linethickness") == "0"
    if binomial or has_grown(row[0]) or has_grown(row[-1]):
        return [fenced(row)]
    return row


def limits(base: Row, under: Row, over: Row, labelled: bool) -> Row:
    """A base with what stands below and above it; `labelled` where they are padded, as those of long arrows are."""
    if not (under or over):
        return base
    signs = [accent_sign(row, below) for row, below in ((under, True), (over, False))]
    if len(base) == 1 and base[0].tag == "mo" and base[0].text in _ARROWS:
        base[0].set("stretchy", "true" if labelled else "false")
    made = scripted(base, under, over, limits=True)
    for sign, name in zip(signs, ("accentunder", "accent"), strict=True):
        if sign is not None and sign.text in _ACCENTS:
            sign.text = _LONG.get(sign.text, sign.text)
            made.set(name, "true")
    return [made]


def fraction(upper: Row, lower: Row, line: bool) -> etree._Element:
    """A fraction, or two things one above the other without a line."""
    made = node("mfrac", group(upper), group(lower))
    if not line:
        made.set("linethickness", "0")
    return made


def enclosed(row: Row, strokes: Sequence[str]) -> Row:
    """A row struck out, or framed where no strokes are named."""
    notation = [_STROKES[stroke] for stroke in strokes if stroke in _STROKES]
    return [node("menclose", *row, notation=" ".join(notation) or "box")]


def multiscripts(base: Row, before: Sequence[tuple[Row, Row]], after: Sequence[tuple[Row, Row]]) -> Row:
    """A base with pairs of a subscript and a superscript on both sides."""
    made = node("mmultiscripts", group(base), *(_or_none(row) for pair in after for row in pair))
    if before:
        made.append(node("mprescripts"))
        made.extend(_or_none(row) for pair in before for row in pair)
    return [made]


def _or_none(row: Row) -> etree._Element:
    return group(row) if row else node("none")


def cells(rows: Row) -> list[Row]:
    """The cells of a table by rows. Raises Unconvertible where there are none, or could be too many."""
    grid = [list(row) for row in rows if row.tag == "mtr"]
    if not grid:
        raise Unconvertible("no_structure")
    if len(grid) * max(map(len, grid)) > _MAX_CELLS:
        raise Unconvertible("too_large")
    return grid


def table(rows: Row, untold: str = "center") -> Row:
    """A table of `mtr`, its columns aligned as most cells say, or as the empty letters show that `align` leaves.

    `untold` is the side of columns whose cells say nothing. A single cell is what a numbered formula stands in.
    """
    grid = cells(rows)
    if [len(row) for row in grid] == [1]:
        return list(grid[0][0])
    width = max(map(len, grid))
    sides = [_side([row[at] for row in grid if at < len(row)]) or untold for at in range(width)]
    if any(cell.get("data-aligned") for row in grid for cell in row[1::2]):
        sides = [("right", "left")[at % 2] for at in range(width)]
    made = node("mtable", *rows, **({"columnalign": " ".join(sides)} if all(sides) else {}))
    if sides[:2] == ["right", "left"]:
        made.set("displaystyle", "true")
    return [made]


def _side(column: Row) -> str:
    told = [side for cell in column if len(cell) and (side := cell.get("columnalign"))]
    return max(sorted(set(told)), key=told.count, default="")


def cell(element: etree._Element, row: Row, aligned: bool) -> etree._Element:
    """A table's cell; `aligned` where it begins with the empty letter that `align` puts into every second one."""
    made = node("mtd", *row, **({"data-aligned": "yes"} if aligned else {}))
    if side := _ALIGN.search(element.get("style") or ""):
        made.set("columnalign", side[1])
    return made
