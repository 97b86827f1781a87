"""Tables of formulas as environments: matrices, cases, aligned equations, arrays with their columns and lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxml import etree

from curation.extract.notation.mathml_pieces import NOTHING, Kind, Piece, join
from curation.extract.notation.mathml_text import length

_MATRICES = {
    ("(", ")"): "pmatrix",
    ("[", "]"): "bmatrix",
    (r"\{", r"\}"): "Bmatrix",
    ("|", "|"): "vmatrix",
    (r"\|", r"\|"): "Vmatrix",
}
_ALIGNED_BY_CLASS = re.compile(r"(?:tml|ltx_align)[-_](left|right|center)\b")
_ALIGNED_BY_STYLE = re.compile(r"text-align:\s*(?:-webkit-)?(left|right|center)")
_BORDER = re.compile(r"ltx_border_([lrtb])\1?\b|border-(l|r|t|b)[a-z]+:\s*[\d.]+[a-z]+ solid")
_WORD_TO_COLUMN = {"left": "l", "right": "r", "center": "c"}
_TAG = re.compile(r"(\\text\{)?(\()?([^{}()\\$&]{1,40})(?(2)\))(?(1)\})")


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a table by rows, and how it is set. `columns` are l, c, r or blank; lines stand before an index."""

    rows: tuple[tuple[str, ...], ...]
    columns: str
    column_lines: frozenset[int]
    row_lines: frozenset[int]
    display: bool
    small: bool
    spaced: bool
    tags: tuple[str, ...]


def cell(element: etree._Element, inner: Piece) -> Piece:
    """`<mtd>`: `mark` is "tag" for an equation number and "glue" for what only fills a line."""
    classes, style = element.get("class") or "", element.get("style") or ""
    found = _ALIGNED_BY_CLASS.search(classes) or _ALIGNED_BY_STYLE.search(style)
    word = found[1] if found else (element.get("columnalign") or "").strip()
    borders = "".join(match[1] or match[2] for match in _BORDER.finditer(f"{classes} {style}"))
    return Piece(inner.tex, Kind.CELL, _role(element, inner), parts=(_WORD_TO_COLUMN.get(word, ""), borders))


def _role(element: etree._Element, inner: Piece) -> str:
    classes = element.get("class") or ""
    fills = "padding:0;width:" in (element.get("style") or "").replace(" ", "") or element.get("width") == "50%"
    if "mml-eqn-num" in classes or "mtr-glue" in classes or fills:
        return "tag" if inner.tex else "glue"
    return ""


def cells(pieces: Sequence[Piece], labelled: bool) -> Piece:
    """`<mtr>` and `<mlabeledtr>`, whose first cell is a label."""
    row = [piece if piece.kind is Kind.CELL else Piece(piece.tex, Kind.CELL, parts=("", "")) for piece in pieces]
    if labelled and row:
        row[0] = row[0]._replace(mark="tag")
    elif len(row) > 2 and row[-2].mark == "glue" and not row[-1].mark:
        row[-1] = row[-1]._replace(mark="tag")
    return Piece("", Kind.CELLS, parts=tuple(row))


def table(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<mtable>` as the environment it looks like; its facts are kept for the delimiters that may stand around it."""
    rows = [piece.parts if piece.kind is Kind.CELLS else cells([piece], False).parts for piece in pieces]
    if not any(piece.tex for row in rows for piece in row):
        return NOTHING
    facts = _facts(element, rows)
    return Piece(_environment(facts), Kind.TABLE, tall=True, parts=(facts,))


def _facts(element: etree._Element, rows: Sequence[tuple[Piece, ...]]) -> Table:
    tags = tuple(next((piece.tex for piece in row if piece.mark == "tag" and piece.tex), "") for row in rows)
    shown = _without_edge_columns([[piece for piece in row if not piece.mark] for row in rows])
    width = max(map(len, shown))
    columns = _columns((element.get("columnalign") or "").split(), shown, width)
    column_lines, row_lines, kept = _lines(element, shown)
    spacing, classes = (element.get("columnspacing") or "").split(" ")[0], element.get("class") or ""
    return Table(
        tuple(tuple(piece.tex for piece in row) for row in kept),
        columns,
        frozenset(line for line in column_lines if line <= width),
        row_lines,
        element.get("displaystyle") == "true" or "tml-jot" in classes or element.get("rowspacing") == "0.25em",
        element.get("data-mjx-smallmatrix") == "true" or "tml-small" in classes,
        length(spacing) > 0.2,
        tags if any(tags) else (),
    )


def _without_edge_columns(rows: list[list[Piece]]) -> list[list[Piece]]:
    """Without the columns at the right that are empty in every row."""
    width = max((i + 1 for row in rows for i, piece in enumerate(row) if piece.tex), default=1)
    return [row[:width] for row in rows]


def _columns(words: Sequence[str], rows: Sequence[Sequence[Piece]], width: int) -> str:
    """The alignment of each column, from the table's own list or from the first cell that says it."""
    columns = [_WORD_TO_COLUMN.get(word, "") for word in words[:width]]
    columns += columns[-1:] * (width - len(columns)) or [""] * (width - len(columns))
    for row in rows:
        for place, piece in enumerate(row[:width]):
            columns[place] = columns[place] or piece.parts[0]
    if any(columns):
        columns = [column or "c" for column in columns]
    return "".join(columns)


def _lines(
    element: etree._Element, rows: Sequence[Sequence[Piece]]
) -> tuple[set[int], frozenset[int], list[Sequence[Piece]]]:
    """Lines between columns, lines between rows, and the rows without those that hold a line alone."""
    columns = {
        i + 1 for i, word in enumerate((element.get("columnlines") or "").split()) if word in ("solid", "dashed")
    }
    across = {i + 1 for i, word in enumerate((element.get("rowlines") or "").split()) if word in ("solid", "dashed")}
    kept: list[Sequence[Piece]] = []
    for row in rows:
        borders = [piece.parts[1] for piece in row]
        columns.update(i + 1 for i, sides in enumerate(borders) if "r" in sides)
        columns.update(i for i, sides in enumerate(borders) if "l" in sides)
        if row and all("t" in sides for sides in borders):
            across.add(len(kept))
        if not all("t" in sides and not piece.tex for sides, piece in zip(borders, row, strict=True)):
            kept.append(row)
        if row and all("b" in sides for sides in borders):
            across.add(len(kept))
    if element.get("frame") == "solid":
        columns |= {0, max(map(len, rows))}
        across |= {0, len(kept)}
    return columns, frozenset(line for line in across if line <= len(kept)), kept or [()]


def _environment(facts: Table) -> str:
    """A table that no delimiters surround."""
    columns = facts.columns
    if len(facts.rows) == 1 and len(facts.rows[0]) == 1 and not facts.column_lines and not facts.row_lines:
        return facts.rows[0][0]
    if facts.column_lines or facts.row_lines:
        return _array(facts)
    if max(map(len, facts.rows)) <= 1:
        if facts.small:
            return _begin("smallmatrix", facts)
        return _begin("gathered", facts) if facts.display and columns in ("", "c") else _array(facts)
    if _is_aligned(facts):
        return _begin("aligned", facts)
    if not columns.strip("c"):
        return _begin("smallmatrix" if facts.small else "matrix", facts)
    return _array(facts)


def _is_aligned(facts: Table) -> bool:
    """Whether the columns are those of equations: right and left in turn, without space between."""
    turns = ("rl" * len(facts.columns))[: len(facts.columns)]
    return len(facts.columns) > 1 and facts.columns == turns and not facts.spaced


def matrix(opening: str, piece: Piece, closing: str) -> Piece:
    """A table between delimiters; an empty one is the invisible kind."""
    facts: Table = piece.parts[0]
    opening, closing = opening.strip("."), closing.strip(".")
    plain = not facts.column_lines and not facts.row_lines
    name = _MATRICES.get((opening, closing))
    if name and plain and not facts.columns.strip("c"):
        return Piece(_begin(name, facts), Kind.ATOM, tall=True)
    if plain and len(facts.columns) <= 2 and set(facts.columns) <= {"l"} and (opening, closing) in _CASES:
        return Piece(_begin(_CASES[opening, closing], facts), Kind.ATOM, tall=True)
    inner = _array(facts) if name and not _is_aligned(facts) else piece.tex
    return Piece(join((rf"\left{opening or '.'}", inner, rf"\right{closing or '.'}")), Kind.ATOM, tall=True)


_CASES = {(r"\{", ""): "cases", ("", r"\}"): "rcases"}


def _array(facts: Table) -> str:
    width = max(map(len, facts.rows))
    columns = facts.columns.ljust(width, "c")
    spec = "".join(("|" if i in facts.column_lines else "") + column for i, column in enumerate(columns))
    return _begin("array", facts, f"{{{spec}{'|' if width in facts.column_lines else ''}}}")


def _begin(name: str, facts: Table, spec: str = "") -> str:
    """The environment with its rows."""
    rows = [_guarded(" & ".join(row).strip()) for row in facts.rows]
    lined = [(r"\hline " if place in facts.row_lines else "") + row for place, row in enumerate(rows)]
    body = r" \\ ".join(lined) + (r" \\ \hline" if len(rows) in facts.row_lines else "")
    return f"\\begin{{{name}}}{spec} {body} \\end{{{name}}}"


def _guarded(row: str) -> str:
    """A row, kept from being read as an option of the line break or the environment's name before it."""
    return "{}" + row if row[:1] in ("[", "*") else row


def substack(piece: Piece) -> str:
    """A table as a script: the lines below a sum."""
    facts: Table = piece.parts[0]
    if len(facts.columns) > 1:
        return piece.tex
    rows = r" \\ ".join(_guarded(join(row)) for row in facts.rows)
    return rf"\substack{{{rows}}}" if len(facts.rows) > 1 else piece.tex


def framed(piece: Piece, sides: frozenset[str]) -> Piece:
    """A table with lines around it."""
    facts: Table = piece.parts[0]
    width = max(map(len, facts.rows))
    across = {place for side, place in (("top", 0), ("bottom", len(facts.rows))) if side in sides}
    down = {place for side, place in (("left", 0), ("right", width)) if side in sides}
    lined = replace(facts, row_lines=facts.row_lines | across, column_lines=facts.column_lines | down)
    return piece._replace(tex=_array(lined), parts=(lined,))


def numbered(piece: Piece) -> str:
    """A displayed table with its equation numbers, where it has any."""
    facts: Table = piece.parts[0]
    if not facts.tags:
        return piece.tex
    if len(facts.rows) == 1 and len(facts.rows[0]) == 1:
        return join((piece.tex, _tag(facts.tags[0])))
    if len(facts.tags) != len(facts.rows):
        return piece.tex
    rows = tuple(
        (*row[:-1], join((row[-1], _tag(tag)))) for row, tag in zip(facts.rows, facts.tags, strict=True) if row
    )
    return _begin("align" if _is_aligned(facts) else "gather", replace(facts, rows=rows, row_lines=frozenset()))


def _tag(label: str) -> str:
    """An equation number as `\\tag`; nothing for a label that is more than text."""
    if not label:
        return r"\notag"
    inner = _TAG.fullmatch(label)
    if inner is None:
        return ""
    return rf"\tag{{{inner[3]}}}" if inner[2] else rf"\tag*{{{inner[3]}}}"
