"""Emphasis as marks in the text, so that the choosers see plain text and decide as ever.

Trafilatura decides otherwise on the same page when it is asked to keep formatting. The marks are code points that are
no characters, so no page means them; they become Markdown when the text is written.
"""

import re

from lxml import etree

_TAGS = {"em": 0, "i": 0, "dfn": 0, "b": 1, "strong": 1, "kbd": 2, "samp": 2, "tt": 2}
_OPEN = [chr(0x4FFFE + 0x10000 * number) for number in range(3)]
_CLOSE = [chr(0x4FFFF + 0x10000 * number) for number in range(3)]
_KINDS = {mark: number for marks in (_OPEN, _CLOSE) for number, mark in enumerate(marks)}
_WRITTEN = ("*", "**", "`")
_ANY = re.compile("([" + "".join(_KINDS) + "])")
_CODE = 2
_MANY = 3_000  # chosen here: trafilatura's time grows with the square of these in one paragraph, 1 s at 5,000
_STRIPPED = ("br", "code", "span", "font", "small", "u", "abbr", "var", "q", *_TAGS)
_CROWDED = etree.XPath(f"//*[count(*) > {_MANY}]")
_MAX_CHARS = 300  # chosen here; beyond this a style sheet slants a whole paragraph, and nobody stresses anything


def mark_inline(root: etree._Element) -> None:
    """Encloses the text of every inline element in marks; those around blocks or around nothing stay bare."""
    crowded = [block for block in _CROWDED(root) if sum(1 for _ in block.iterchildren(*_STRIPPED)) > _MANY]
    for code in (code for block in crowded for code in block.iterchildren("code")):
        code.tag = "tt"
    for element in root.iter(*_TAGS):
        if not any(text.strip() for text in element.itertext()):
            continue  # an icon, empty to the choosers, must stay empty
        kind = _TAGS[str(element.tag)]
        element.text = _OPEN[kind] + (element.text or "")
        if len(element):
            element[-1].tail = (element[-1].tail or "") + _CLOSE[kind]
        else:
            element.text += _CLOSE[kind]
    for block in crowded:
        _join_texts(block)


def _join_texts(block: etree._Element) -> None:
    """Takes a block's inline elements out, but for links, and makes one text of what they and the gaps held."""
    for line_break in block.iterchildren("br"):
        line_break.tail = " " + (line_break.tail or "")
    etree.strip_tags(block, *_STRIPPED)
    block.text = block.text or ""  # written as one piece; the pieces would be put together at every look
    for child in block:
        child.tail = child.tail or ""


def write_marks(text: str) -> str:
    """The text of one block with Markdown for its marks; marks without a partner, and around nothing, go."""
    pieces = _ANY.split(text)
    if len(pieces) == 1:
        return text
    out: list[str] = []
    opened: list[tuple[int, int]] = []
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            out.append(piece)
        elif piece in _OPEN:
            opened.append((_KINDS[piece], len(out)))
        elif opened and opened[-1][0] == _KINDS[piece]:
            kind, start = opened.pop()
            inner = "".join(out[start:])
            out[start:] = [_enclosed(kind, inner, nested=bool(opened))]
    return "".join(out)


def _enclosed(kind: int, text: str, nested: bool) -> str:
    inner = text.strip()
    if not inner:
        return text
    before, after = text[: text.index(inner)], text[text.index(inner) + len(inner) :]
    if kind == _CODE:
        inner = inner if "`" in inner else f"`{inner}`"
    elif len(inner) <= _MAX_CHARS and not nested and "*" not in inner and any(map(str.isalpha, inner)):
        inner = f"{_WRITTEN[kind]}{inner}{_WRITTEN[kind]}"
    return before + inner + after
