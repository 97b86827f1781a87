"""Presentation MathML to LaTeX.

Each element becomes a piece of TeX from the pieces of its children, bottom up, and knows what its neighbours need: what
kind of thing it is, whether it is tall, which character it shows. Nothing is read twice, so the time is linear.
"""

from collections.abc import Callable

from lxml import etree

from curation.extract.notation import mathml_letters as letters
from curation.extract.notation import mathml_operators as operators
from curation.extract.notation import mathml_scripts as scripts
from curation.extract.notation import mathml_tables as tables
from curation.extract.notation import mathml_text as text
from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathml_pieces import NOTHING, SCRIPT_SIGNS, Kind, Piece, option
from curation.extract.notation.mathml_rows import row, sequence, upright

MAX_DEPTH = 120  # chosen here; each level takes two Python frames of the thousand there are by default
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
Writer = Callable[[etree._Element, list[Piece]], Piece]


def mathml_to_tex(math: etree._Element) -> str:
    """The LaTeX of a `<math>` element, without delimiters; "" if it shows nothing.

    Tags may be namespaced, prefixed (`mml:mi`) or upper case. Annotations are not read. Raises Unconvertible:
    `too_deep`, `private_use`, `content_mathml` or `merror`.
    """
    piece = _piece(math, "", 0)
    if piece.kind is Kind.TABLE and math.get("display") == "block":
        return tables.numbered(piece)
    return upright(piece).tex


def _piece(element: etree._Element, variant: str, depth: int) -> Piece:
    """The piece of an element and everything in it."""
    tag = _TAGS.get(element.tag) or _local_name(element.tag)
    leaf = _LEAVES.get(tag)
    if leaf is not None and (len(element) == 0 or tag in _TEXT_LEAVES):
        return leaf(element, variant)
    if depth > MAX_DEPTH:
        raise Unconvertible("too_deep")
    if tag in _SKIPPED:
        return NOTHING
    if tag in _CONTENT:
        raise Unconvertible("content_mathml")
    inner = _variant(element, variant) if tag in _STYLES else variant
    pieces = [_piece(child, inner, depth + 1) for child in element if isinstance(child.tag, str)]
    return _WRITERS.get(tag, _row)(element, pieces)


def _local_name(tag: str) -> str:
    """A tag without namespace or prefix, in lower case."""
    return tag.rpartition("}")[2].rpartition(":")[2].lower()


def _variant(element: etree._Element, variant: str) -> str:
    return element.get("mathvariant") or variant


def _row(element: etree._Element, pieces: list[Piece]) -> Piece:
    return row(pieces)


def _first(element: etree._Element, pieces: list[Piece]) -> Piece:
    return pieces[0] if pieces else NOTHING


def _mrow(element: etree._Element, pieces: list[Piece]) -> Piece:
    piece = row(pieces)
    if "border:1px solid" in (element.get("style") or ""):
        return Piece(rf"\boxed{{{piece.tex}}}", Kind.ATOM, tall=piece.tall)
    return piece


def _style(element: etree._Element, pieces: list[Piece]) -> Piece:
    """`<mstyle>`: style is left out, but for fractions that it makes large or small."""
    piece = row(pieces)
    shown = element.get("displaystyle")
    if piece.kind is Kind.FRACTION and shown in _SIZED and not _is_alone(element):
        return piece._replace(tex=piece.tex.replace("\\", _SIZED[shown], 1), kind=Kind.ATOM)
    return piece


_SIZED = {"true": r"\d", "false": r"\t"}


def _is_alone(element: etree._Element) -> bool:
    """Whether the style is that of a whole cell, box or formula, which sets it by itself."""
    while element.getnext() is None and element.getprevious() is None:
        parent = element.getparent()
        if parent is None:
            return False
        tag = _local_name(parent.tag)
        if tag not in ("mstyle", "mrow"):
            return tag in ("mtd", "math", "semantics", "menclose")
        element = parent
    return False


def _padded(element: etree._Element, pieces: list[Piece]) -> Piece:
    """`<mpadded>`: shows its content; an invisible one without width or height is a strut."""
    piece = row(pieces)
    if piece.kind is Kind.PHANTOM:
        kind = "v" if text.length(element.get("width") or "1") == 0 else ""
        return piece._replace(tex=rf"\{kind}phantom{{{piece.mark}}}")
    return upright(piece) if element.get("lspace") == "0" else piece


def _phantom(element: etree._Element, pieces: list[Piece]) -> Piece:
    tex = sequence(pieces)
    return Piece(rf"\phantom{{{tex}}}", Kind.PHANTOM, tex) if tex else NOTHING


def _fraction(element: etree._Element, pieces: list[Piece]) -> Piece:
    upper, lower = (*pieces, NOTHING, NOTHING)[:2]
    thickness = element.get("linethickness")
    if thickness and thickness[0] in "0." and text.length(thickness) == 0:
        below = "{}" * (lower.tex[:1] in SCRIPT_SIGNS) + lower.tex
        return Piece(rf"{{{upper.tex} \atop {below}}}", Kind.STACKED, tall=True, parts=(upper.tex, lower.tex))
    if element.get("bevelled") == "true":
        return Piece(f"{_grouped(upper)}/{_grouped(lower)}")
    return Piece(rf"\frac{{{upper.tex}}}{{{lower.tex}}}", Kind.FRACTION, tall=True)


def _grouped(piece: Piece) -> str:
    return f"{{{piece.tex}}}" if piece.kind is Kind.ROW else piece.tex


def _root(element: etree._Element, pieces: list[Piece]) -> Piece:
    main, index = (*pieces, NOTHING, NOTHING)[:2]
    tex = option(index.tex)
    return Piece(rf"\sqrt[{tex}]{{{main.tex}}}" if tex else rf"\sqrt{{{main.tex}}}", Kind.ATOM, tall=main.tall)


def _square_root(element: etree._Element, pieces: list[Piece]) -> Piece:
    inner = row(pieces)
    return Piece(rf"\sqrt{{{inner.tex}}}", Kind.ATOM, tall=inner.tall)


def _enclosed(element: etree._Element, pieces: list[Piece]) -> Piece:
    """`<menclose>` as the commands for its lines; notations without a command leave what they enclose."""
    inner = row(pieces)
    notation = frozenset((element.get("notation") or "longdiv").lower().split())
    if inner.kind is Kind.TABLE and notation <= _SIDES:
        return tables.framed(inner, notation)
    if notation >= _SIDES or notation & {"box", "roundedbox", "circle"}:
        return Piece(rf"\boxed{{{inner.tex}}}", Kind.ATOM, tall=True)
    if notation >= {"updiagonalstrike", "downdiagonalstrike"}:
        return Piece(rf"\xcancel{{{inner.tex}}}", Kind.ATOM)
    for name, command in _ENCLOSURES:
        if name in notation:
            return Piece(f"{command}{{{inner.tex}}}", Kind.ATOM, tall=inner.tall)
    return inner


_SIDES = frozenset(("top", "bottom", "left", "right"))
_ENCLOSURES = (
    ("updiagonalstrike", r"\cancel"),
    ("downdiagonalstrike", r"\bcancel"),
    ("horizontalstrike", r"\sout"),
    ("radical", r"\sqrt"),
    ("phasorangle", r"\phase"),
    ("top", r"\overline"),
    ("bottom", r"\underline"),
)


def _fenced(element: etree._Element, pieces: list[Piece]) -> Piece:
    """`<mfenced>` as the row of operators that it abbreviates."""
    separators = "".join((element.get("separators", ",")).split())
    items: list[Piece] = [operators.delimiter(element.get("open", "("))]
    for place, piece in enumerate(pieces):
        if place and separators:
            items.append(operators.delimiter(separators[min(place, len(separators)) - 1]))
        items.append(piece)
    return row([*items, operators.delimiter(element.get("close", ")"))])


def _action(element: etree._Element, pieces: list[Piece]) -> Piece:
    """`<maction>`: what it shows first."""
    chosen = element.get("selection") or "1"
    place = int(chosen) - 1 if chosen.isdecimal() and len(chosen) < 4 else 0
    return pieces[place] if 0 <= place < len(pieces) else _first(element, pieces)


def _error(element: etree._Element, pieces: list[Piece]) -> Piece:
    """`<merror>`: the name of a macro that was not known stays, as it would in the source; a message is no formula."""
    shown = row(pieces)
    if shown.kind is Kind.EMPTY or (shown.kind is Kind.ATOM and shown.tex[0] == "\\" and shown.tex[1:].isalpha()):
        return shown
    raise Unconvertible("merror")


def _identifier(element: etree._Element, variant: str) -> Piece:
    return operators.bar(element.text or "") or letters.identifier(element, variant)


def _prescripts(element: etree._Element, variant: str) -> Piece:
    return scripts.PRESCRIPTS


_TEXT_LEAVES = frozenset(("mtext", "ms"))
_LEAVES: dict[str, Callable[[etree._Element, str], Piece]] = {
    "mi": _identifier,
    "mn": letters.number,
    "mo": operators.operator,
    "mtext": text.text,
    "ms": text.string,
    "mspace": text.space,
    "mglyph": text.glyph,
    "mprescripts": _prescripts,
}
_WRITERS: dict[str, Writer] = {
    "mrow": _mrow,
    "mstyle": _style,
    "mpadded": _padded,
    "mphantom": _phantom,
    "mfrac": _fraction,
    "msqrt": _square_root,
    "mroot": _root,
    "menclose": _enclosed,
    "mfenced": _fenced,
    "maction": _action,
    "merror": _error,
    "semantics": _first,
    "msub": scripts.lower,
    "msup": scripts.upper,
    "msubsup": scripts.both,
    "mover": scripts.over,
    "munder": scripts.under,
    "munderover": scripts.under_over,
    "mmultiscripts": scripts.multiscripts,
    "mtable": tables.table,
    "mtr": lambda element, pieces: tables.cells(pieces, labelled=False),
    "mlabeledtr": lambda element, pieces: tables.cells(pieces, labelled=True),
    "mtd": lambda element, pieces: tables.cell(element, row(pieces)),
}
_SKIPPED = frozenset(("annotation", "annotation-xml", "script", "style", "malignmark", "maligngroup", "none"))
_CONTENT = frozenset(("apply", "bind", "ci", "cn", "csymbol", "cs", "lambda", "reln", "set", "vector", "piecewise"))
_STYLES = frozenset(("mstyle", "math"))
_TAGS = {prefix + tag: tag for tag in (*_LEAVES, *_WRITERS, "math") for prefix in ("", _NAMESPACE)}
