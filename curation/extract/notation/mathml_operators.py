"""Operators and delimiters: signs, large operators, names such as lim, and brackets with their size."""

from lxml import etree

from curation.extract.notation.mathml_letters import PRIMES, WORD, content, letter, word
from curation.extract.notation.mathml_pieces import NOTHING, Kind, Piece, Size, remembered
from curation.extract.notation.mathml_symbols import SYMBOLS, in_font, plain_letter, spell
from curation.extract.notation.mathml_text import length

LARGE = frozenset("∏∐∑∫∬∭∮∯∰⋀⋁⋂⋃⨀⨁⨂⨄⨆")
SMALL_TO_LARGE = dict(zip("∧∨∩∪⊙⊕⊗⊎⊔", "⋀⋁⋂⋃⨀⨁⨂⨄⨆", strict=True))
DELIMITERS = {
    **{char: char for char in "()[]|/"},
    "{": r"\{",
    "}": r"\}",
    "\u2223": "|",
    "\u2016": r"\|",
    "\u2225": r"\|",
    "\u2329": r"\langle",
    "\u232a": r"\rangle",
    "\u3008": r"\langle",
    "\u3009": r"\rangle",
    **{char: SYMBOLS[char] for char in "⟨⟩⌊⌋⌈⌉⟦⟧⎰⎱⟮⟯"},
}
OPENING = frozenset(("(", "[", r"\{", r"\langle", r"\lfloor", r"\lceil", r"\llbracket", r"\lmoustache", r"\lgroup"))
CLOSING = frozenset((")", "]", r"\}", r"\rangle", r"\rfloor", r"\rceil", r"\rrbracket", r"\rmoustache", r"\rgroup"))
_SIZES = ((1.4, r"\big"), (1.85, r"\Big"), (2.45, r"\bigg"), (9.0, r"\Bigg"))  # between those of all producers


def operator(element: etree._Element, variant: str) -> Piece:
    """`<mo>`: an operator, a delimiter with its size, or a name such as lim."""
    text = content(element)
    if text in DELIMITERS or not text:
        return _fence(element, text)
    if text in SMALL_TO_LARGE and element.get("largeop") == "true":
        text = SMALL_TO_LARGE[text]
    return _operator(text, element.get("mathvariant") or variant)


@remembered
def _operator(text: str, variant: str) -> Piece:
    if text == "\u2061":
        return Piece("", Kind.APPLY)
    if text == "\u2062":
        return Piece("", Kind.TIMES)
    if text == "\\":
        return Piece(r"\setminus", Kind.SIGN, text)
    if text in LARGE:
        return Piece(SYMBOLS[text], Kind.NAME, text, tall=True)
    if text in PRIMES:
        return Piece(PRIMES[text], Kind.POSTFIX, text)
    if text == "\u00b0":
        return Piece(r"^\circ", Kind.POSTFIX, text)
    if len(text) > 1 and WORD.fullmatch(text):
        return Piece(r"\bmod", Kind.NAME, "mod") if text == "mod" else word(text, "")
    if not text.strip("".join(PRIMES)):
        return Piece("".join(PRIMES[char] for char in text), Kind.POSTFIX, "'")
    if variant.startswith("bold"):
        return Piece(in_font(r"\boldsymbol", spell(text)), Kind.SIGN, text)
    if len(text) == 1 and plain_letter(text)[0]:
        return letter(text, variant)
    return Piece(spell(text), Kind.SIGN if len(text) == 1 else Kind.ATOM, text)


def bar(char: str) -> Piece | None:
    """A delimiter that the page calls an identifier, as KaTeX does with bars; None for everything else."""
    mark = DELIMITERS.get(char)
    return Piece(mark, Kind.FENCE, mark, Size.FIXED) if mark and char != "/" else None


def _fence(element: etree._Element, text: str) -> Piece:
    """A delimiter, or an empty operator that stands for one."""
    stretchy, mark = element.get("stretchy"), DELIMITERS.get(text, "")
    role = element.get("data-mjx-texclass")
    if (size := element.get("minsize")) and stretchy != "false":
        return _big(mark, size, element)
    if not text:
        empty = element.get("fence") == "true" or role in ("OPEN", "CLOSE")
        return Piece("", Kind.FENCE, ".", Size.LEFT) if empty else NOTHING
    if stretchy == "false" or text == "/":
        return Piece(_plain(text, element), Kind.FENCE, mark, Size.FIXED)
    if role in ("OPEN", "CLOSE") or element.get("fence") == "true":
        return Piece(mark, Kind.FENCE, mark, Size.LEFT)
    return Piece(_plain(text, element), Kind.FENCE, mark, Size.STRETCHY if stretchy == "true" else Size.UNSAID)


def delimiter(char: str) -> Piece:
    """An operator that stands in an attribute of `<mfenced>`; an empty one is an invisible delimiter."""
    char = char.strip()
    if not char:
        return Piece("", Kind.FENCE, ".", Size.LEFT)
    mark = DELIMITERS.get(char)
    return Piece(mark, Kind.FENCE, mark) if mark else _operator(char, "")


def _plain(text: str, element: etree._Element) -> str:
    """∣ and ∥ as an operator are relations, unless they are marked as fences."""
    if text == "|" and element.get("lspace") == "0.22em":
        return r"\mid"  # Temml's space around the relation
    if text in "\u2223\u2225" and element.get("fence") != "true" and element.get("form") not in ("prefix", "postfix"):
        return r"\mid" if text == "\u2223" else r"\parallel"
    return DELIMITERS[text]


def _big(mark: str, size: str, element: etree._Element) -> Piece:
    em = length(size)
    command = next((name for most, name in _SIZES if em < most), r"\Bigg") if em >= 1.1 else ""
    if not command or not mark:
        return Piece(mark, Kind.FENCE, mark, Size.STRETCHY) if mark else NOTHING
    side = "l" if mark in OPENING else "r" if mark in CLOSING else ""
    return Piece(f"{command}{side}{mark}", Kind.FENCE, mark, Size.BIG)
