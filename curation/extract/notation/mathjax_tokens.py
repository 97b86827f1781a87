"""MathJax's glyphs as MathML tokens: mathematical letters made plain, fonts named, delimiters with their size."""

import re

from lxml import etree

from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.rendered_glyphs import known, plain_letter, stacked_delimiter
from curation.extract.notation.rendered_tree import Row, node, whole

_CALLIGRAPHIC = {"data-mjx-variant": "-tex-calligraphic"}
# The fonts that hold plain letters in another shape, by the end of their names (those of version 2 have lower case);
# all other letters of versions 3 and 4 have codes of their own.
_FONTS = {
    "C": {"mathvariant": "script", **_CALLIGRAPHIC},
    "CB": {"mathvariant": "bold-script", **_CALLIGRAPHIC},
    "MI": {"mathvariant": "italic"},
    "cal-R": {"mathvariant": "script", **_CALLIGRAPHIC},
    "cal-B": {"mathvariant": "bold-script", **_CALLIGRAPHIC},
    "math-I": {"mathvariant": "italic"},
    "main-I": {"mathvariant": "italic"},
    "main-B": {"mathvariant": "bold"},
    "math-BI": {"mathvariant": "bold-italic"},
    "ams-R": {"mathvariant": "double-struck"},
    "frak-R": {"mathvariant": "fraktur"},
    "frak-B": {"mathvariant": "bold-fraktur"},
    "script-R": {"mathvariant": "script"},
    "sans-R": {"mathvariant": "sans-serif"},
    "sans-B": {"mathvariant": "bold-sans-serif"},
    "sans-I": {"mathvariant": "sans-serif-italic"},
    "type-R": {"mathvariant": "monospace"},
}
# What versions 3 and 4 draw at the place of a similar sign, in a font of variants.
_OTHERS = {"⪇": "⩽\u0338", "⪈": "⩾\u0338", "⊈": "⫅\u0338", "⊉": "⫆\u0338", "≱": "≧\u0338", "≰": "≦\u0338"}
_SIZED = re.compile(r".*-(?:S\d|SO|LO)|size\d-R")
# The fonts in which versions 2, 3 and 4 set \big, \Big, \bigg and \Bigg.
_EM = {
    "TEX-S1": "1.2em", "TEX-S2": "1.8em", "TEX-S3": "2.4em", "TEX-S4": "3em",
    "size1-R": "1.2em", "size2-R": "1.8em", "size3-R": "2.4em", "size4-R": "3em",
    "NCM-S3": "1.2em", "NCM-S4": "1.8em", "NCM-S5": "2.4em", "NCM-S7": "3em",
}  # fmt: skip
_DELIMITERS = frozenset("()[]{}|/\\‖∣∥⌊⌋⌈⌉⟨⟩⟮⟯⎰⎱↑↓↕⇑⇓⇕")
_DRAWN_LINES = frozenset("\u2013\u2014\u2015\u203e\u2500\u0305\u0332")
_STRETCHED_LINES = _DRAWN_LINES | set("_\u00af\u2212")
# The braces of versions 2 and 3 are made of private pieces; the first is the left end.
_BRACES = {"\ue150": "⏞", "\ue152": "⏟"}
_PIECES = frozenset(map(chr, range(0x239B, 0x23AE)))
_DASHES = frozenset("−-=¯–")
_ARROWS = frozenset("←→↔⇐⇒⇔↦↼↽⇀⇁↩↪⏞⏟⎴⎵⏜⏝")
_GAPS = re.compile(r"[\s\u2000-\u200a\u00a0]+")
_FUNCTIONS = frozenset(
    [
        *("arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd"),
        *("hom", "inf", "ker", "lg", "ln", "log", "max", "min", "Pr", "sec", "sin", "sinh", "sup", "tan", "tanh"),
    ]
)


def glyph(char: str, font: str = "", stretched: bool = False) -> etree._Element:
    """A pseudo element for one glyph; `font` is its font's name, such as TEX-I, NCM-S3 or cal-R."""
    return node("glyph", text=char, font=font, **({"stretched": "yes"} if stretched else {}))


def token(tag: str, row: Row) -> Row:
    """The MathML token that these glyphs spell; an empty `mo` is kept, since it may be an absent delimiter."""
    text = known("".join(_char(piece) for piece in row if piece.tag == "glyph"))
    if not text:
        return [node("mo")] if tag == "mo" else []
    if tag == "mo":
        return [_operator(text, row)]
    letters, variant = _plain(text, row)
    if tag == "mi" and len(text) == 1 and text.isascii() and text.isupper() and row[0].get("font") == "?":
        raise Unconvertible("ambiguous")  # upright and calligraphic capitals have the same code
    if tag == "mtext":
        return [node("mtext", text=letters, **variant)]
    if tag == "mi":
        return [node("mi", text=letters, **_identifier_variant(letters, variant))]
    return [node(tag, text=letters, **variant)]


def _char(piece: etree._Element) -> str:
    font = (piece.get("font") or "").rpartition("-")[2]
    return _OTHERS.get(piece.text or "", piece.text or "") if font in ("A", "V") else piece.text or ""


def _plain(text: str, row: Row) -> tuple[str, dict[str, str]]:
    pairs = [plain_letter(char) for char in text]
    variants = {variant for _, variant in pairs if variant}
    name = row[0].get("font") or ""
    font = _FONTS.get(name) or _FONTS.get(name.rpartition("-")[2], {})
    if name == "ams-R" and not (text.isascii() and text.isalpha()):
        font = {}  # its symbols are no letters
    letters = "".join(letter for letter, _ in pairs)
    if len(variants) == 1:
        return letters, {"mathvariant": variants.pop()}
    return (letters, dict(font)) if not variants else (text, {})


def _identifier_variant(letters: str, variant: dict[str, str]) -> dict[str, str]:
    """One letter is italic unless told otherwise; several are upright, and the name of a function if it is one."""
    if variant.get("mathvariant") == "italic" and len(letters) == 1:
        return {}
    if variant.get("mathvariant") == "script" and len(variant) == 1:
        return {**variant, "class": "mathscr"}
    upright = not variant and letters.isascii() and letters.isalpha() and letters not in _FUNCTIONS
    return {"mathvariant": "normal"} if upright else variant


def _operator(text: str, row: Row) -> etree._Element:
    if text in ("←→", "⇐⇒") or _PIECES.issuperset(text):
        return stretched_operator(text)
    if len(text) > 1 and text[0].isalpha():
        return node("mo", text=_GAPS.sub("\u2009", text.strip()))
    letters, variant = _plain(text, row)
    made = node("mo", text=letters, **{name: value for name, value in variant.items() if value != "italic"})
    first = row[0]
    if first.get("stretched"):
        made.set("stretchy", "true")
    elif text in _DELIMITERS:
        _set_size(made, first.get("font") or "")
    elif _SIZED.fullmatch(first.get("font") or ""):
        made.set("stretchy", "true")
    return made


def _set_size(made: etree._Element, font: str) -> None:
    if _SIZED.fullmatch(font):
        made.set("minsize", _EM.get(font, "1.2em"))
        made.text = {"∣": "|", "∥": "‖"}.get(made.text or "", made.text)
    elif made.text not in ("∣", "∥"):
        made.set("stretchy", "false")


def stretched_operator(ends: str, fill: str = "") -> etree._Element:
    """An operator of several pieces: those that stand once, and those that fill it between them."""
    pieces = ends or fill
    text = _BRACES.get(pieces[:1]) or _across(pieces) or stacked_delimiter(pieces)
    return node("mo", text=known({"∣": "|", "∥": "‖"}.get(text, text)), stretchy="true")


def _across(pieces: str) -> str | None:
    """The arrow or line that pieces beside each other draw."""
    told = "".join(sorted(set(pieces) - _DASHES)) or pieces[:1]
    if told in ("←→", "⇐⇒"):
        return "↔" if told == "←→" else "⇔"
    return told if told in _ARROWS or told in _STRETCHED_LINES else None


def is_delimiter(piece: etree._Element) -> bool:
    """Whether it may stand after `\\left` or `\\right`."""
    return piece.tag == "mo" and len(piece) == 0 and (not piece.text or piece.text in _DELIMITERS)


def has_grown(piece: etree._Element) -> bool:
    """Whether a delimiter is absent or larger than its plain glyph: `\\left` and `\\right` alone do so in a row."""
    return not piece.text or piece.get("stretchy") == "true" or piece.get("minsize") is not None


def accent_sign(row: Row, below: bool) -> etree._Element | None:
    """The operator that alone stands above or below a base, lines made one kind; None if there is more, or none."""
    if len(row) != 1 or row[0].tag != "mo" or len(row[0].text or "") != 1:
        return None
    sign = row[0]
    sign.text = "`" if sign.text == "‵" else sign.text
    if sign.text in (_STRETCHED_LINES if sign.get("stretchy") == "true" else _DRAWN_LINES):
        sign.text = "_" if below else "‾"
        sign.set("stretchy", "true")
    if sign.get("stretchy") is None:
        sign.set("stretchy", "false")
    return sign


def finished(row: Row) -> etree._Element:
    """The finished formula, in which words before an invisible application are the names of functions again."""
    made = whole(row)
    for sign in made.iter("mo"):
        before = sign.getprevious() if sign.text == "\u2061" else None
        word = next(before.iter("mi"), None) if before is not None else None
        if word is not None and len(word.text or "") > 1 and word.get("mathvariant") == "normal":
            del word.attrib["mathvariant"]
    return made
