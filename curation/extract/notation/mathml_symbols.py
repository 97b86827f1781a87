"""Characters of formulas as TeX: the commands that show them, letters in mathematical alphabets, text."""

import json
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathml_pieces import join

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\u2063\u2064\ufeff\u00ad\ufe00\ufe0e\ufe0f"))
FONTS = {
    "normal": r"\mathrm",
    "bold": r"\mathbf",
    "bold-italic": r"\boldsymbol",
    "double-struck": r"\mathbb",
    "script": r"\mathcal",
    "bold-script": r"\boldsymbol\mathcal",
    "fraktur": r"\mathfrak",
    "bold-fraktur": r"\boldsymbol\mathfrak",
    "sans-serif": r"\mathsf",
    "bold-sans-serif": r"\mathsf",
    "sans-serif-italic": r"\mathsf",
    "sans-serif-bold-italic": r"\mathsf",
    "monospace": r"\mathtt",
}
_NAMED_FONTS = {  # as Unicode names its mathematical alphabets
    "BOLD": "bold",
    "ITALIC": "italic",
    "BOLD ITALIC": "bold-italic",
    "SCRIPT": "script",
    "BOLD SCRIPT": "bold-script",
    "FRAKTUR": "fraktur",
    "BOLD FRAKTUR": "bold-fraktur",
    "DOUBLE-STRUCK": "double-struck",
    "BLACK-LETTER": "fraktur",
    "SANS-SERIF": "sans-serif",
    "SANS-SERIF BOLD": "bold-sans-serif",
    "SANS-SERIF ITALIC": "sans-serif-italic",
    "SANS-SERIF BOLD ITALIC": "sans-serif-bold-italic",
    "MONOSPACE": "monospace",
}
_ALPHABET = re.compile(
    "(?:MATHEMATICAL )?(" + "|".join(sorted(_NAMED_FONTS, key=len, reverse=True)) + ") "
    "(?:CAPITAL|SMALL|DIGIT|NABLA|PARTIAL|EPSILON|THETA|KAPPA|PHI|RHO|PI)\\b"
)
_OWN_SYMBOLS = {  # what KaTeX has no command for, or shows by another character
    **{char: "\\" + char for char in "#$%&_{}"},
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True)),
    "\\": r"\backslash",
    "^": r"\hat{}",
    "~": r"\sim",
    "\u00a8": r"\ddot{}",
    "\u00af": r"\bar{}",
    "\u00b7": r"\cdot",
    "\u2010": "-",
    "\u2011": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u2016": r"\|",
    "\u2022": r"\bullet",
    "\u2044": "/",
    "\u2215": "/",
    "\u2217": "*",
    "\u221a": r"\surd",
    "\u2236": ":",
    "\u2237": "::",
    "\u2254": ":=",
    "\u2255": "=:",
    "\u220a": r"\in",
    "\u220d": r"\ni",
    "\u20d7": r"\vec{}",
    "\u2103": r"{}^{\circ}\mathrm{C}",
    "\u2126": r"\Omega",
    "\u212b": r"\AA",
    "\u00c5": r"\AA",
    "\u00b5": r"\mu",
    "\u2145": "D",
    "\u2146": "d",
    "\u2147": "e",
    "\u2148": "i",
    "\u2149": "j",
    "\u2206": r"\Delta",
    "\u2300": r"\varnothing",
    "\u27c2": r"\perp",
    "\u2329": r"\langle",
    "\u232a": r"\rangle",
    "\u3008": r"\langle",
    "\u3009": r"\rangle",
    "\u2758": "|",
    "\u29f5": r"\setminus",
    "\u25b5": r"\triangle",
    "\u25b3": r"\triangle",
    "\u25ab": r"\square",
    "\u25aa": r"\blacksquare",
    "\u25cb": r"\bigcirc",
    "\u25cf": r"\bullet",
    "\u25fb": r"\square",
    "\u22d6": r"\lessdot",
    "\u2a7d": r"\leqslant",
    "\u2a7e": r"\geqslant",
    "\u2032": r"\prime",
}
SYMBOLS: dict[str, str] = {
    **json.loads((Path(__file__).parent / "symbols.json").read_text(encoding="utf-8"))["symbols"],
    **_OWN_SYMBOLS,
}
_TEXT = {
    **{char: "\\" + char for char in "#$%&_{}"},
    "\\": r"\textbackslash ",
    "~": r"\textasciitilde ",
    "^": r"\textasciicircum ",
    **dict.fromkeys("\t\n\r\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f", " "),
}
_TEXT_TABLE = str.maketrans(_TEXT)
_TEX_SPACE = re.compile(r"\\[,;:! ]")  # some typesetters leave these and the next in text as they are
_TEX_ESCAPE = re.compile(r"\\([#$%&_{}])")
_SPACES = re.compile(" {2,}")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_SLASHED = re.compile("(.)\u0338", re.DOTALL)


def spell(text: str) -> str:
    """The characters of an operator or an odd identifier, each as its command. Raises Unconvertible for private use."""
    if "\u0338" in text and len(text) > 1:
        text = unicodedata.normalize("NFC", text)
        text = _SLASHED.sub("\u0338\\1", text)  # \not stands before what it crosses out
    return join(map(_character, text))


@lru_cache(maxsize=4096)
def _character(char: str) -> str:
    if char in SYMBOLS:
        return SYMBOLS[char]
    font, letter = plain_letter(char)
    if font:
        tex = SYMBOLS.get(letter, letter)
        return in_font(FONTS[font], tex) if font in FONTS else tex
    if char.isspace():
        return ""
    refuse_private(char)
    negated = unicodedata.normalize("NFD", char)
    if len(negated) == 2 and negated[1] == "\u0338":
        return join((r"\not", _character(negated[0])))
    return char


def plain_letter(char: str) -> tuple[str, str]:
    """The font of a letter or digit of a mathematical alphabet, and the plain one: 𝐱 is ("bold", "x")."""
    if char == "\u210e":
        return "italic", "h"
    if char in SYMBOLS or not ("\u2100" <= char <= "\u214f" or "\U0001d400" <= char <= "\U0001d7ff"):
        return "", char
    named = _ALPHABET.match(unicodedata.name(char, ""))
    letter = unicodedata.normalize("NFKC", char)
    return (_NAMED_FONTS[named[1]], letter) if named and len(letter) == 1 else ("", char)


def in_font(font: str, tex: str) -> str:
    """TeX in a font; bold Greek needs another command than bold Latin."""
    if font == r"\mathrm" and tex.startswith("\\"):
        return tex
    if font == r"\mathbf" and tex.startswith("\\"):
        font = r"\boldsymbol"
    if font.startswith(r"\boldsymbol\math"):
        return rf"\boldsymbol{{{font[11:]}{{{tex}}}}}"
    return f"{font}{{{tex}}}"


def escape_text(text: str) -> str:
    """Text as it stands inside `\\text{…}`."""
    refuse_private(text)
    if "\\" in text:
        text = _TEX_ESCAPE.sub(r"\1", _TEX_SPACE.sub(" ", text))
    return _SPACES.sub(" ", text.translate(_TEXT_TABLE))


def refuse_private(text: str) -> None:
    """Raises Unconvertible where a character means something in one font only."""
    if _PRIVATE.search(text):
        raise Unconvertible("private_use")
