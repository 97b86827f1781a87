"""KaTeX's tables, which it writes column by column."""

import re
from bisect import bisect_right

from lxml import etree

from curation.extract.notation.katex_stacks import SAME_LINE, layers
from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.rendered_tree import Row, node, words

_ALIGN = re.compile(r"col-align-([clr])")
_SIDES = {"c": "center", "l": "left", "r": "right"}
_MAX_CELLS = 20_000  # chosen here, as a bound on what a few rows of many columns can ask for

_Column = list[etree._Element]


def table(element: etree._Element, parts: list[Row]) -> Row:
    """The columns as a table of rows, with the alignment of each column and the lines between them."""
    columns: list[_Column] = []
    sides, lines = [], []
    for child, part in zip(element, parts, strict=True):
        if align := _ALIGN.search(child.get("class") or ""):
            columns.append(layers([part]) if part else [])
            sides.append(_SIDES[align[1]])
            lines.append("none")
        elif "vertical-separator" in words(child) and lines:
            lines[-1] = "solid"
    made = node("mtable", columnalign=" ".join(sides))
    if "solid" in lines[:-1]:
        made.set("columnlines", " ".join(lines[:-1]))
    _fill(made, columns)
    return [made]


def _fill(made: etree._Element, columns: list[_Column]) -> None:
    rows = _row_shifts(columns)
    count = len(rows) if rows else max(map(len, columns), default=0)
    if count * len(columns) > _MAX_CELLS:
        raise Unconvertible("too_large")
    if not rows and any(len(column) not in (0, count) for column in columns):
        raise Unconvertible("ambiguous")
    grid = [[node("mtd") for _ in columns] for _ in range(count)]
    for at, column in enumerate(columns):
        for row, cell in enumerate(column):
            grid[_nearest(rows, cell) if rows else row][at].extend(list(cell))
    made.extend(node("mtr", *cells) for cells in grid)
    made.set("data-shifts", " ".join(map(str, rows)))


def _row_shifts(columns: list[_Column]) -> list[float]:
    """How far below the baseline each row stands; empty where the styles are lost."""
    cells = [cell.get("shift") for column in columns for cell in column]
    if None in cells:
        return []
    shifts = sorted(float(shift) for shift in cells if shift)
    return [shift for at, shift in enumerate(shifts) if at == 0 or shift - shifts[at - 1] > SAME_LINE]


def _nearest(rows: list[float], cell: etree._Element) -> int:
    """The row of a cell: the last that does not start below it."""
    return max(bisect_right(rows, float(cell.get("shift") or "0")) - 1, 0)
