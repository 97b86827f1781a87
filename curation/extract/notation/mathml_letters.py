"""Identifiers and numbers: letters in their fonts, names of functions, words, digits, and Unicode's own scripts."""

import re

from lxml import etree

from curation.extract.notation.mathml_pieces import NOTHING, Kind, Piece, join, remembered
from curation.extract.notation.mathml_symbols import FONTS, INVISIBLE, escape_text, in_font, plain_letter, spell

FUNCTIONS = frozenset(
    re.findall(
        r"\w+",
        "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf injlim ker lg lim liminf limsup ln "
        "log max min Pr projlim sec sin sinh sup tan tanh",
    )
)
PRIMES = {"\u2032": "'", "\u2033": "''", "\u2034": "'''", "\u2057": "''''", "'": "'", "\u2019": "'", "\u00b4": "'"}
_LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni")
_SUBSCRIPTS = str.maketrans(_LOWERED, "0123456789+-()")
_SCRIPT_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ]+|[₀₁₂₃₄₅₆₇₈₉₊₋₍₎]+")
WORD = re.compile(r"[A-Za-z]+(?:[\s\u2000-\u200a\u202f\u205f\u00a0-][A-Za-z]+)*")
_UPRIGHT = "upright"  # a word that MathJax says is no operator's name
_GAP = re.compile(r"[^A-Za-z]")
_NUMBER = re.compile(r"[0-9A-Za-z.,+\s\u00a0\u2009-]+")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})++(?:\.[0-9]+)?")
_GROUPING = re.compile(r"[\s\u00a0\u2009]+")


def content(element: etree._Element) -> str:
    """The text of a leaf without the space around it."""
    text = element.text if len(element) == 0 else "".join(element.itertext())
    return text.translate(INVISIBLE).strip() if text else ""


def identifier(element: etree._Element, variant: str) -> Piece:
    """`<mi>`: a letter, a function's name or a word."""
    variant = element.get("mathvariant") or variant
    if element.get("data-mjx-auto-op") == "false" and variant in ("", "normal"):
        return _letters(content(element), _UPRIGHT)
    if variant != "script" and "ltx_font_math" in (element.get("class") or ""):
        variant = "script"  # LaTeXML, where a font around it hides this one
    piece = _letters(content(element), variant)
    if piece.mark == r"\mathcal" and _is_mathscr(element):
        return piece._replace(tex=piece.tex.replace(r"\mathcal", r"\mathscr"))
    return piece


def _is_mathscr(element: etree._Element) -> bool:
    """Whether a script letter is of the curlier kind, as classes say it, or MathJax by not naming the other kind."""
    classes, parent = element.get("class") or "", element.getparent()
    if "mathscr" in classes:
        return True
    named = element.get("data-mjx-variant") is not None or "cal" in classes
    return not named and parent is not None and parent.get("data-mjx-texclass") is not None


@remembered
def _letters(text: str, variant: str) -> Piece:
    if not text:
        return NOTHING
    if len(text) == 1:
        return letter(text, variant)
    if variant == _UPRIGHT:
        return Piece(in_font(r"\mathrm", spell(text)), Kind.LETTERS, r"\mathrm")
    if WORD.fullmatch(text):
        return word(text, variant)
    if (runs := _font_runs(text)) is not None:
        return runs
    if text.isascii() and text.isalnum() and not text.isdigit():
        return Piece(rf"\mathrm{{{text}}}", Kind.LETTERS, r"\mathrm")
    if text.isalpha() and not text.isascii():
        return Piece(rf"\text{{{escape_text(text)}}}", Kind.TEXT, r"\text")
    return _spelled(text)


def letter(char: str, variant: str) -> Piece:
    """A single letter or sign in its font."""
    if char in PRIMES:
        return Piece(PRIMES[char], Kind.POSTFIX, char)
    if char == "\u00b0":
        return Piece(r"^\circ", Kind.POSTFIX, char)
    own_font, plain = plain_letter(char)
    font = FONTS.get(own_font or variant, "")
    tex = spell(plain)
    if not font or tex.startswith("{") or (font == r"\mathrm" and (tex.startswith("\\") or not tex.isalpha())):
        return Piece(tex, Kind.ATOM)
    tex = in_font(font, tex)
    command = tex[: tex.find("{")]
    return Piece(tex, Kind.LETTERS if command in _MERGING else Kind.ATOM, command)


_MERGING = frozenset((r"\mathrm", r"\mathbf", r"\mathsf", r"\mathtt", r"\mathit"))


def word(text: str, variant: str) -> Piece:
    """A word of several letters: a known function, a run in a font, or an operator's name."""
    name = _GAP.sub("", text)
    if variant == "italic":
        return Piece(rf"\mathit{{{name}}}", Kind.LETTERS, r"\mathit")
    if variant in FONTS and variant != "normal":
        return Piece(in_font(FONTS[variant], name), Kind.LETTERS, FONTS[variant])
    if name in FUNCTIONS:
        return Piece("\\" + name, Kind.NAME, name)
    return Piece(rf"\operatorname{{{_GAP.sub(_gap, text)}}}", Kind.NAME, name)


def _gap(match: re.Match[str]) -> str:
    return "-" if match[0] == "-" else r"\,"


def _font_runs(text: str) -> Piece | None:
    """Several letters of mathematical alphabets, such as 𝐚𝐛 or 𝑎𝑏."""
    letters = [plain_letter(char) for char in text]
    if not all(font for font, _ in letters):
        return None
    fonts = list(dict.fromkeys(font for font, _ in letters))
    if len(fonts) > 1:
        return Piece(spell(text), Kind.ATOM)
    font = FONTS.get(fonts[0], r"\mathit")
    return Piece(in_font(font, "".join(spell(plain) for _, plain in letters)), Kind.LETTERS, font)


def _spelled(text: str) -> Piece:
    """Characters one by one; those that are scripts in Unicode become scripts."""
    if _SCRIPT_RUN.search(text):
        parts, at = [], 0
        for run in _SCRIPT_RUN.finditer(text):
            parts += [spell(text[at : run.start()]), _script(run[0])]
            at = run.end()
        ends = "^" if at == len(text) and text[-1] not in _LOWERED else ""
        return Piece(join((*parts, spell(text[at:]))), mark=ends)
    body = text.rstrip("".join(PRIMES))
    primes = "".join(PRIMES[char] for char in text[len(body) :])
    if primes:
        return Piece(spell(body) + primes) if body else Piece(primes, Kind.POSTFIX, "'")
    return Piece(spell(text))


def _script(run: str) -> str:
    if run[0] in _LOWERED:
        return f"_{{{run.translate(_SUBSCRIPTS)}}}"
    return f"^{{{run.translate(_SUPERSCRIPTS)}}}"


def number(element: etree._Element, variant: str) -> Piece:
    """`<mn>`: digits, the commas of thousands kept from getting space."""
    return _number(content(element), element.get("mathvariant") or variant)


@remembered
def _number(text: str, variant: str) -> Piece:
    if not text:
        return NOTHING
    if not (_NUMBER.fullmatch(text) and (text[0] in "." or text[0].isdecimal())):
        return _letters(text, variant)
    tex = text.replace(",", "{,}") if _THOUSANDS.fullmatch(text) else _GROUPING.sub(r"\\,", text)
    if variant in FONTS and variant != "normal":
        return Piece(in_font(FONTS[variant], tex), Kind.LETTERS, FONTS[variant])
    return Piece(tex, Kind.NUMBER)
