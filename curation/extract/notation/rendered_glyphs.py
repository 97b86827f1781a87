"""Facts about glyphs: which delimiter a stack of pieces draws, which letter and font a mathematical letter is."""

import re
import unicodedata

from curation.extract.notation.markup import Unconvertible

NOT = "\u0338"
_FILLERS = frozenset("⎜⎟⎢⎥⎪⏐│")
# The pieces of Unicode's Miscellaneous Technical block, without those that only fill; a set of them is one delimiter.
_STACKS = {
    "⎛⎝": "(", "⎞⎠": ")", "⎡⎣": "[", "⎤⎦": "]", "⎡": "⌈", "⎣": "⌊", "⎤": "⌉", "⎦": "⌋",
    "⎧⎨⎩": "{", "⎫⎬⎭": "}", "⎧⎩": "⟮", "⎫⎭": "⟯", "⎧⎭": "⎰", "⎩⎫": "⎱", "↑↓": "↕", "⇑⇓": "⇕",
    "\u2223": "|", "\u2225": "‖", "\u2016": "‖",
}  # fmt: skip
_STYLES = re.compile(r"MATHEMATICAL (.*?) ?(?:CAPITAL|SMALL|DIGIT|NABLA|PARTIAL|DOTLESS|\w+ SYMBOL)")
_VARIANTS = {
    "BOLD": "bold", "ITALIC": "italic", "BOLD ITALIC": "bold-italic", "SCRIPT": "script", "BOLD SCRIPT": "bold-script",
    "FRAKTUR": "fraktur", "BOLD FRAKTUR": "bold-fraktur", "DOUBLE-STRUCK": "double-struck",
    "SANS-SERIF": "sans-serif", "SANS-SERIF BOLD": "bold-sans-serif", "SANS-SERIF ITALIC": "sans-serif-italic",
    "SANS-SERIF BOLD ITALIC": "sans-serif-bold-italic", "MONOSPACE": "monospace",
}  # fmt: skip
# The letters that Unicode had before its block of mathematical letters; ℓ, ℘, ℏ, ℜ and ℑ are symbols of their own.
_EARLIER = {
    **dict.fromkeys("ℂℍℕℙℚℝℤ", "double-struck"),
    **dict.fromkeys("ℬℰℱℋℐℒℳℛℯℊℴ", "script"),
    **dict.fromkeys("ℭℌℨ", "fraktur"),
    "ℎ": "italic",
}


def stacked_delimiter(pieces: str) -> str:
    """The delimiter that pieces above each other draw, in any order. Raises Unconvertible where there is none."""
    told = "".join(sorted(set(pieces) - _FILLERS))
    if told in _STACKS:
        return _STACKS[told]
    if len(told) == 1:
        return told
    raise Unconvertible("unknown_glyph")


def plain_letter(char: str) -> tuple[str, str | None]:
    """The letter, digit or symbol under a mathematical one, and the MathML name of its font: 𝐱 is x in bold."""
    variant = _EARLIER.get(char)
    if variant is None:
        if not "\U0001d400" <= char <= "\U0001d7ff":
            return char, None
        style = _STYLES.match(unicodedata.name(char, ""))
        variant = _VARIANTS.get(style[1]) if style else None
    code = unicodedata.decomposition(char).partition("> ")[2]
    return (chr(int(code, 16)), variant) if code and " " not in code else (char, None)


def known(text: str) -> str:
    """The text, if none of its characters is for private use. Raises Unconvertible where one is."""
    if any(unicodedata.category(char) == "Co" for char in text):
        raise Unconvertible("unknown_glyph")
    return text
