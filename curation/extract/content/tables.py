"""Data tables as Markdown tables: rows and columns as a reader sees them, formulas in their cells.

The finished table is a token, which stands twice in the tree around the table's own text (see `code_blocks`). Tables
that only lay out a page stay what they are, and one that lays out an equation and its number becomes a line of text.
"""

import re
from collections.abc import Iterator

from lxml import etree

from curation.extract.content.code_blocks import MAX_WEIGHT
from curation.extract.content.dollars import safe_dollars
from curation.extract.content.writer import write_markdown
from curation.extract.tokens import BLOCK, DISPLAY, INLINE, Tokens

MAX_SPAN = 100
_MANY_CELLS = 2_000  # chosen here: above this the table's text stays in the tree without its rows, which cost time
_LAYOUT = frozenset((
    "h1", "h2", "h3", "form", "input", "select", "textarea", "iframe", "article", "section", "main", "nav",
))  # fmt: skip
_MAX_CELL = 600  # characters on average, chosen here: longer cells are columns of a page
_LINK_SHARE = 0.7
_NUMBER = re.compile(r"[\s.,;:]*(?:\(?[\w.*′'-]{1,10}\)?)?[\s.,;:]*")
_SPACES = re.compile(r"\s+")


def protect_tables(root: etree._Element, tokens: Tokens) -> None:
    """Every data table becomes a Markdown table kept by a token; tables around one equation become that equation."""
    tables = list(root.iter("table"))
    outer = {ancestor for table in tables for ancestor in table.iterancestors("table")}
    for table in tables:
        if table in outer or table.getparent() is None or table.get("role") in ("presentation", "none"):
            continue
        rows = [list(_cells(row)) for row in _rows(table)]
        if not _spans_are_sane(rows):
            etree.strip_attributes(table, "colspan", "rowspan")
        if len(rows) == 1 and _leads_away(table):
            _become_lines(table, [])
        elif _lays_out_equation(table, rows, tokens):
            _become_lines(table, rows)
        elif _is_data(table, rows, tokens):
            _protect(table, rows, tokens)


def table_markdown(rows: list[list[etree._Element]], caption: str, tokens: Tokens) -> str:
    """The rows as a Markdown table headed by the first; "" if they make none of 2 by 2 or more. Empty columns go."""
    grid = [row for row in _grid(rows, tokens) if any(row)]
    columns = sorted({column for row in grid for column, cell in enumerate(row) if cell})
    if len(grid) < 2 or len(columns) < 2:
        return ""
    lines = ["| " + " | ".join(row[column] if column < len(row) else "" for column in columns) + " |" for row in grid]
    lines.insert(1, "|" + " --- |" * len(columns))
    return "\n".join(([caption, ""] if caption else []) + lines)


def _grid(rows: list[list[etree._Element]], tokens: Tokens) -> Iterator[list[str]]:
    """The cells' texts, each at its place; what a cell spans beyond its first place is empty."""
    below: dict[int, int] = {}
    for cells in rows:
        row: list[str] = []
        for cell in cells:
            _skip_spanned(row, below)
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            if down > 1:
                below.update(dict.fromkeys(range(len(row), len(row) + across), down - 1))
            row += [_cell_text(cell, tokens), *[""] * (across - 1)]
        _skip_spanned(row, below)
        yield row


def _skip_spanned(row: list[str], below: dict[int, int]) -> None:
    while below.get(len(row)):
        below[len(row)] -= 1
        row.append("")


def _spans_are_sane(rows: list[list[etree._Element]]) -> bool:
    """Spans that would make a table several times as large as its cells are made up, and do not count."""
    cells = sum(map(len, rows))
    spanned = sum(_span(cell, "colspan") * _span(cell, "rowspan") for row in rows for cell in row if cell.attrib)
    return spanned <= 20 * cells + 1_000


def _span(cell: etree._Element, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return max(1, min(int(value), MAX_SPAN)) if value.isdecimal() and len(value) < 12 else 1


def _cell_text(cell: etree._Element, tokens: Tokens) -> str:
    text = write_markdown(cell, tokens) if len(cell) else (cell.text or "")
    text = _SPACES.sub(" ", text).strip().replace("|", "\\|")
    if tokens.display_mark in text:
        text = tokens.pattern.sub(lambda token: _inline(token, tokens), text)
    return safe_dollars(text, tokens) if "$" in text else text


def _inline(token: re.Match[str], tokens: Tokens) -> str:
    return f"{tokens.opening}{INLINE}{token[2]}qz" if token[1] == DISPLAY else token[0]


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    """The table's own rows, not those of tables in its cells."""
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("tbody", "thead", "tfoot"):
            yield from (row for row in child if row.tag == "tr")


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    return (cell for cell in row if cell.tag in ("td", "th"))


def _is_data(table: etree._Element, rows: list[list[etree._Element]], tokens: Tokens) -> bool:
    if len(rows) < 2 or max(map(len, rows)) < 2:
        return False
    for element in table.iterdescendants():
        if element.tag in _LAYOUT or element.tag in ("table", "pre"):
            return False
    text = "".join(table.itertext())
    length, cells = len(_SPACES.sub(" ", text)), sum(map(len, rows))
    if f"{tokens.opening}{BLOCK}" in text and "\n" in text and length > _MAX_CELL * cells:
        return False
    linked = sum(len("".join(link.itertext()).strip()) for link in table.iter("a"))
    return length <= _MAX_CELL * cells and linked <= _LINK_SHARE * len("".join(text.split()))


def _leads_away(table: etree._Element) -> bool:
    """Whether there is nothing but links in it, several of them: a menu as a row of cells."""
    text = "".join("".join(table.itertext()).split())
    links = list(table.iter("a"))
    return len(links) > 1 and len(text) == sum(len("".join("".join(link.itertext()).split())) for link in links)


def _lays_out_equation(table: etree._Element, rows: list[list[etree._Element]], tokens: Tokens) -> bool:
    """Whether formulas and an equation's number are all that stands in the table, as LaTeXML writes equations."""
    text = "".join(table.itertext())
    if tokens.opening not in text or not rows:
        return False
    if "ltx_eqn" in (table.get("class") or "") or "ltx_equation" in (table.get("class") or ""):
        return True
    found = len(tokens.pattern.findall(text))
    return found == 1 and bool(_NUMBER.fullmatch(tokens.pattern.sub(" ", text)))


def _become_lines(table: etree._Element, rows: list[list[etree._Element]]) -> None:
    """Writes every row of the table as a paragraph: the formula, then its number."""
    lines = [" ".join(" ".join("".join(cell.itertext()) for cell in row).split()) for row in rows]
    del table[:]
    table.text = None
    table.tag = "div"
    table.attrib.clear()
    for line in filter(None, lines):
        etree.SubElement(table, "p").text = line


def _protect(table: etree._Element, rows: list[list[etree._Element]], tokens: Tokens) -> None:
    caption = next((" ".join("".join(element.itertext()).split()) for element in table if element.tag == "caption"), "")
    markdown = table_markdown(rows, caption, tokens)
    if not markdown:
        return
    token = tokens.add_block(markdown)
    for element in list(table):
        if element.tag == "caption":
            table.remove(element)
    filled = [cell for row in rows for cell in row]
    if len(filled) > _MANY_CELLS:
        text = _SPACES.sub(" ", "".join(table.itertext()))[:MAX_WEIGHT]
        del table[:]
        row = etree.SubElement(table, "tr")
        filled = [etree.SubElement(row, "td"), etree.SubElement(row, "td")]
        filled[0].text = text
    first, last = filled[0], filled[-1]
    first.text = f"{token} {first.text or ''}"
    if len(last):
        last[-1].tail = f"{last[-1].tail or ''} {token}"
    else:
        last.text = f"{last.text or ''} {token}"
