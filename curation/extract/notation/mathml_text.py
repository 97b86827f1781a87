"""Text and space inside formulas."""

import re

from lxml import etree

from curation.extract.notation.mathml_pieces import NOTHING, Kind, Piece, join, remembered
from curation.extract.notation.mathml_symbols import INVISIBLE, escape_text, plain_letter

_BLANKS = re.compile("[ \t\r\n]+")
_UNDEFINED = re.compile(r"\\[A-Za-z]+")
_SPACE_WIDTHS = (  # em, up to and including; the widths of TeX's own spaces, rounded up
    (-0.01, r"\!"),
    (0.09, ""),
    (0.19, r"\,"),
    (0.25, r"\:"),
    (0.3, r"\;"),
    (0.75, r"\ "),
    (1.5, r"\quad"),
)
_SPACE_CHARS = {
    "\u2003": r"\quad",
    "\u2001": r"\quad",
    "\u2009": r"\,",
    "\u200a": "",
    "\u2006": r"\,",
    "\u2005": r"\:",
    "\u205f": r"\:",
}
_LENGTH = re.compile(r"\s*([+-]?[0-9]{0,6}\.?[0-9]{0,9})\s*(em|ex|px|pt|mu|%|)\s*")
_EM = {"em": 1.0, "ex": 0.43, "px": 0.06, "pt": 0.1, "mu": 1 / 18, "%": 0.01, "": 1.0}
_NAMED_SPACES = {
    "veryverythinmathspace": 0.05,
    "verythinmathspace": 0.11,
    "thinmathspace": 0.167,
    "mediummathspace": 0.222,
    "thickmathspace": 0.278,
    "verythickmathspace": 0.33,
    "veryverythickmathspace": 0.39,
}
_TEXT_COMMANDS = {
    "bold": r"\textbf",
    "italic": r"\textit",
    "bold-italic": r"\textbf",
    "monospace": r"\texttt",
    "sans-serif": r"\textsf",
}


def text(element: etree._Element, variant: str) -> Piece:
    """`<mtext>`: text in its font, or the space it stands for."""
    raw = "".join(element.itertext()).translate(INVISIBLE)
    raw = _BLANKS.sub(" ", raw)
    return _text(raw, element.get("mathvariant") or variant)


@remembered
def _text(raw: str, variant: str) -> Piece:
    if not raw.strip():
        return Piece(join(_SPACE_CHARS.get(char, r"\ ") for char in raw[:8]), Kind.SPACE) if raw else NOTHING
    if _UNDEFINED.fullmatch(raw.strip()):
        return Piece(raw.strip(), Kind.ATOM)  # a macro that the page's typesetter did not know, shown as its name
    fonts = {font for char in raw if (font := plain_letter(char)[0])}
    if len(fonts) == 1:
        raw, variant = "".join(plain_letter(char)[1] for char in raw), fonts.pop()
    command = _TEXT_COMMANDS.get(variant, r"\text")
    return Piece(f"{command}{{{escape_text(raw)}}}", Kind.TEXT, command)


def string(element: etree._Element, variant: str) -> Piece:
    """`<ms>`: text in its quotes."""
    left, right = element.get("lquote", '"'), element.get("rquote", '"')
    return _text("".join((left, *element.itertext(), right)), variant)


def glyph(element: etree._Element, variant: str) -> Piece:
    """`<mglyph>`: what its alternative text says."""
    return _text(element.get("alt") or "", variant)


def space(element: etree._Element, variant: str) -> Piece:
    """`<mspace>` as the nearest of TeX's spaces."""
    return _space(element.get("width") or "", "")


@remembered
def _space(width: str, _variant: str) -> Piece:
    em = length(width)
    tex = next((name for most, name in _SPACE_WIDTHS if em <= most), r"\qquad")
    return Piece(tex, Kind.SPACE) if tex else NOTHING


def length(text: str) -> float:
    """A length in em; 0 where it cannot be read."""
    if text in _NAMED_SPACES:
        return _NAMED_SPACES[text]
    found = _LENGTH.fullmatch(text)
    digits = found[1].strip("+") if found else ""
    if found is None or digits in ("", "-", ".", "-."):
        return 0.0
    return float(digits) * _EM[found[2]]
