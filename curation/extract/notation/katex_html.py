"""KaTeX's HTML made MathML: what a page shows where the MathML and the TeX beside it were left out."""

import re
import unicodedata

from lxml import etree

from curation.extract.notation import katex_stacks as stacks
from curation.extract.notation.katex_drawings import drawing
from curation.extract.notation.katex_leaves import leaf, operator_name, space
from curation.extract.notation.katex_tables import table
from curation.extract.notation.markup import Unconvertible, read_markup
from curation.extract.notation.rendered_glyphs import NOT, stacked_delimiter
from curation.extract.notation.rendered_tree import (
    Row,
    Rule,
    fenced,
    fold,
    joined,
    name,
    node,
    whole,
    words,
)

_UNSEEN = frozenset(("mathml", "strut", "pstrut", "vlist-s", "fix", "tag", "arraycolsep", "vertical-separator"))
_TRANSPARENT = re.compile(r"(?:^|;)\s*color:\s*transparent")


def katex_html_to_mathml(markup: str) -> etree._Element:
    """The MathML of a formula of which KaTeX's HTML alone is left. Raises Unconvertible."""
    root = read_markup(markup)
    shown = next((element for element in root.iter() if "html" in words(element)), root)
    return whole(_negated(fold(shown, _rule)))


def _rule(element: etree._Element, parts: list[Row]) -> Row:
    tag, classes = name(element), words(element)
    if tag == "svg":
        return drawing(element)
    if tag in ("path", "line") or not _UNSEEN.isdisjoint(classes):
        return []
    made = next((_RULES[word] for word in reversed(classes) if word in _RULES), _row)(element, parts)
    hidden = made and _TRANSPARENT.search(element.get("style") or "")
    return [node("mphantom", *made)] if hidden and all(piece.tag not in _PSEUDO for piece in made) else made


def _row(element: etree._Element, parts: list[Row]) -> Row:
    """What stands side by side in an element; the scripts at its end belong to all that is before them."""
    if not len(element):
        return leaf(element)
    if any((child.tail or "").strip() for child in element):
        raise Unconvertible("no_structure")
    row = _negated(_settled(joined(parts)))
    return stacks.attached(row) if row and row[-1].tag == "scripts" else row


def _settled(row: Row) -> Row:
    """The row with a meaning found for the stacks that no class explains."""
    if all(piece.tag != "vlist" for piece in row):
        return row
    return joined([stacks.plain(list(piece)) if piece.tag == "vlist" else [piece] for piece in row])


def _negated(row: Row) -> Row:
    """The row with every stroke of `\\not` put on the operator after it, that of `\\notin` on the one before."""
    made: Row = []
    for piece in row:
        last = made[-1] if made else node("none")
        if last.text == NOT and piece.tag in ("mo", "mi") and piece.text:
            piece.text = unicodedata.normalize("NFC", piece.text[0] + NOT) + piece.text[1:]
            made[-1] = piece
        elif piece.get("data-lap") and last.tag == "mo" and last.text:
            last.text = unicodedata.normalize("NFC", last.text + NOT)
        else:
            made.append(piece)
    return made


def _stacked(element: etree._Element, parts: list[Row]) -> Row:
    return joined(parts)


def _absent(element: etree._Element, parts: list[Row]) -> Row:
    """The delimiter that is not there, `\\left.`."""
    return [node("mo")]


def _delimiter(element: etree._Element, parts: list[Row]) -> Row:
    """A delimiter: a glyph, or a tall one of glyphs or of a drawing."""
    if "mult" not in words(element):
        return _row(element, parts)
    pieces = "".join("".join(element.itertext()).replace("\u200b", "").split())
    if pieces:
        return [node("mo", text=stacked_delimiter(pieces))]
    tall = [mark.get("char") for piece in joined(parts) for mark in piece.iter("mark") if mark.get("name") == "tall"]
    if not tall:
        raise Unconvertible("unknown_glyph")
    return [node("mo", text=tall[0])]


def _inner(element: etree._Element, parts: list[Row]) -> Row:
    """What stands between `\\left` and `\\right`. An absent delimiter may have been lost, for its element is empty."""
    if not len(element):
        return leaf(element)
    opens, closes = "mopen" in words(element[0]), "mclose" in words(element[-1])
    if not (opens or closes):
        return _row(element, parts)
    row = _negated(_settled(joined(parts)))
    return [fenced([*([] if opens else [node("mo")]), *row, *([] if closes else [node("mo")])])]


def _ordinary(element: etree._Element, parts: list[Row]) -> Row:
    """A row; a fraction or binomial coefficient with its delimiters."""
    row = _row(element, parts)
    if len(row) < 2 or all("mfrac" not in words(child) for child in element):
        return row
    first, last = row[0], row[-1]
    if first.tag != "mo" or "mopen" not in words(element[0]):
        return row
    if first.text or (last.tag == "mo" and last.text):
        return [fenced(row)]
    return [piece for piece in row if piece.tag == "mfrac"]


def _operator(element: etree._Element, parts: list[Row]) -> Row:
    """An operator, such as a sum, or the name of one."""
    spelt = operator_name(element, parts)
    return [node("mi", text=spelt)] if spelt else _row(element, parts)


def _overlapping(element: etree._Element, parts: list[Row]) -> Row:
    """What takes no room to its right; KaTeX strikes out `\\in` so to make `\\notin`."""
    row = _row(element, parts)
    if [piece.text for piece in row if piece.tag != "mspace"] == ["/"]:
        return [node("mo", text=NOT, **{"data-lap": "yes"})]
    return row


def _text(element: etree._Element, parts: list[Row]) -> Row:
    """Text, its neighbouring pieces in one font as one."""
    made: Row = []
    for piece in _row(element, parts):
        last = made[-1] if made else node("none")
        if piece.tag == last.tag == "mtext" and piece.get("mathvariant") == last.get("mathvariant"):
            last.text = (last.text or "") + (piece.text or "")
        else:
            made.append(piece)
    return made


_PSEUDO = frozenset(("vlist", "layer", "mark", "scripts"))
_RULES: dict[str, Rule] = {
    "vlist": stacks.stack, "vlist-t": _stacked, "vlist-r": _stacked, "root": _stacked,
    "col-align-c": _stacked, "col-align-l": _stacked, "col-align-r": _stacked,
    "msupsub": stacks.scripts, "mfrac": stacks.fraction, "sqrt": stacks.root, "accent": stacks.accent,
    "accentunder": stacks.accent_below, "overline": stacks.line_over, "underline": stacks.line_under,
    "mover": stacks.brace_or_label, "munder": stacks.brace_or_label, "op-limits": stacks.limits,
    "x-arrow": stacks.arrow, "mtable": table, "mspace": space, "nulldelimiter": _absent, "delimsizing": _delimiter,
    "llap": _overlapping, "text": _text, "minner": _inner, "mop": _operator, "mord": _ordinary,
}  # fmt: skip
