"""The text of a flow cut into what may be part of a formula, variables, numbers, signs, scripts, and what may not."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from curation.extract.text.inline_tex import FUNCTIONS, is_italic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from curation.extract.text.flow import Flow

VARIABLE = "variable"  # a letter in italics, a Greek one, one of a mathematical alphabet
LETTER = "letter"  # one or two upright letters that are no English word
FUNCTION = "function"
NUMBER = "number"
SYMBOL = "symbol"  # a sign that stands in formulas alone, such as ∈ or ≤
RELATION = "relation"
OPERATOR = "operator"
OPENING, CLOSING = "opening", "closing"
SCRIPT = "script"
STOP = "stop"  # punctuation
SPACE = "space"
WORD = "word"  # anything that ends a formula
OPERANDS = frozenset((VARIABLE, LETTER, NUMBER, SCRIPT, CLOSING, FUNCTION))

_LEXEME = (
    r"(?P<token>{opening}[idpb]\d{{1,7}}qz)|(?P<prose>(?!arc|lim)[A-Za-z]{{5,}}(?: (?!arc|lim)[A-Za-z]{{5,}})*+)"
    r"|(?P<script>[²³¹⁰⁴-ₜᵢ-ᵪⱼ]+)|(?P<letters>[A-Za-z]+)|(?P<number>\d+(?:[.,]\d+)*)|(?P<space>\s+)"
    r"|(?P<accented>[^\W\d_][\u0300-\u030c\u20d7]+)|(?P<word>(?:(?![²³¹⁰⁴-ₜᵢ-ᵪⱼ])[^\W\d_]){{2,}})|(?P<sign>.)"
)
_SYMBOLS = frozenset("∈∉∋∀∃∄∅∞∑∏∫∬∮√∂∇≤≥≠≈≡≅≃∼∝≪≫⊂⊃⊆⊇⊄⊊∪∩∧∨⊕⊗⊥⊢⊨⟨⟩⌊⌋⌈⌉∘≺≻⩽⩾ℝℕℤℚℂℙℵℓℏ↦")
_RELATIONS = frozenset("=<>:→←↔⇒⇐⇔")
_OPERATORS = frozenset("+-\u2212\u2013×÷±∓·⋅∗*/|!'′″^_…⋯¬%°∣∥\\⁄")
_FRACTIONS = frozenset("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞")
_STOPS = frozenset(".,;?")
_WORDS = (
    " a i an as at be by do go he if in is it me my no of on or so to up us we am pm vs al eg ie et de la le en un el"
    " il du da di es si se te tu mi ni os au im um zu er ob wo ja oh ok hi ye"
    " th st nd rd "
)
_LONG = re.compile(r"[^\W\d_]{3,}")
_ABBREVIATION = re.compile(r"[A-Za-z]\.\s?[A-Za-z]|^[a-z]\.$")
_LATIN = re.compile("[A-Za-z]")
_SUFFIX = re.compile(r"(?:th|st|nd|rd|s)(?![^\W\d_])")
_GREEK = re.compile(r"[\u0391-\u03a9\u03b1-\u03c9\u03d0-\u03f5]")
_ALPHABET = re.compile("[\U0001d400-\U0001d7ffℂℊℋℌℍℎℐℑℒℕ℘ℙℚℛℜℝℤℨℬℭℯℰℱℳℴ]")
_TRIANGLE = re.compile(r"[A-Z]{2,4}")


@dataclass(slots=True)
class Lexeme:
    """A part of a flow. `element` is the script's; `font` says that a mathematical alphabet was used."""

    kind: str
    start: int
    end: int
    text: str
    element: "etree._Element | None" = None
    font: bool = False
    token: bool = False


def lexemes_of(flow: "Flow", opening: str) -> list[Lexeme]:
    """The lexemes of a flow in order. Tokens, which begin with `opening`, and links end formulas."""
    lexemes = list(_lexemes(flow, _pattern(opening)))
    for index, lexeme in enumerate(lexemes):
        if lexeme.kind == WORD and _LATIN.match(lexeme.text) and not lexeme.token:
            _spread(lexemes, index)
    return lexemes


@lru_cache(maxsize=64)
def _pattern(opening: str) -> re.Pattern[str]:
    return re.compile(_LEXEME.format(opening=re.escape(opening)), re.DOTALL)


def _lexemes(flow: "Flow", pattern: re.Pattern[str]) -> "Iterator[Lexeme]":
    """Reads the text between two edges in one style; what stands in a script is one lexeme."""
    at, italic, script, begun = 0, 0, None, 0
    for edge in flow.edges:
        element = edge.element
        if script is None:
            yield from _read(flow.text[at : edge.at], at, italic > 0, pattern)
            at = edge.at
        if element.tag in ("sub", "sup"):
            if edge.opens and script is None:
                script, begun = element, edge.at
            elif element is script:
                yield Lexeme(SCRIPT, begun, edge.at, flow.text[begun : edge.at], element)
                script, at = None, edge.at
        elif script is None and is_italic(element):
            italic += 1 if edge.opens else -1
        elif script is None and element.tag == "a":
            yield Lexeme(WORD, at, at, "")
    if script is None:
        yield from _read(flow.text[at:], at, italic > 0, pattern)


def _read(text: str, shift: int, italic: bool, pattern: re.Pattern[str]) -> "Iterator[Lexeme]":
    emphasis = italic and _is_emphasis(text)
    for match in pattern.finditer(text):
        start, end = match.start() + shift, match.end() + shift
        kind, font = _kind(match[0], match.lastgroup or "sign", italic, emphasis)
        yield Lexeme(kind, start, end, match[0], None, font, match.lastgroup == "token")


def _is_emphasis(text: str) -> bool:
    """Whether letters in italics are words or abbreviations and no variables."""
    words = (word for word in _LONG.findall(text) if word not in FUNCTIONS and not _TRIANGLE.fullmatch(word))
    return any(words) or bool(_ABBREVIATION.search(text))


def _kind(text: str, group: str, italic: bool, emphasis: bool) -> tuple[str, bool]:
    if group == "letters":
        return _letters(text, italic, emphasis), False
    if group == "number":
        return NUMBER, False
    if group == "space":
        return SPACE if "\n\n" not in text else WORD, False
    if group == "script":
        return SCRIPT, False
    if group == "accented":
        return VARIABLE if italic and not emphasis else WORD, False
    if group in ("token", "prose"):
        return WORD, False
    if group == "word":
        return VARIABLE if len(text) == 2 and len(_ALPHABET.findall(text)) == 2 else WORD, True
    return _sign(text, italic and not emphasis)


def _letters(text: str, italic: bool, emphasis: bool) -> str:
    if text in FUNCTIONS:
        return FUNCTION
    if emphasis or len(text) > 4:
        return WORD
    if italic and (
        len(text) == 1 or (f" {text.lower()} " not in _WORDS and (len(text) == 2 or _TRIANGLE.fullmatch(text)))
    ):
        return VARIABLE
    return LETTER if len(text) == 1 or (len(text) == 2 and f" {text.lower()} " not in _WORDS) else WORD


def _sign(char: str, variable: bool) -> tuple[str, bool]:
    if char in _FRACTIONS:
        return NUMBER, False
    if char in _SYMBOLS:
        return SYMBOL, False
    if char in _RELATIONS:
        return RELATION, False
    if char in _OPERATORS:
        return OPERATOR, False
    if char in "([{":
        return OPENING, False
    if char in ")]}":
        return CLOSING, False
    if char in _STOPS:
        return STOP, False
    if _ALPHABET.match(char):
        return VARIABLE, True
    if _GREEK.match(char) or (variable and char.isalpha()):
        return VARIABLE, False
    return WORD, False


def _spread(lexemes: list[Lexeme], index: int) -> None:
    """Letters that a word continues are part of it: the M of `<em>M</em>aximize`, but not the n of `<i>n</i>th`."""
    word = lexemes[index]
    if index and not _SUFFIX.fullmatch(word.text):
        before = lexemes[index - 1]
        if before.kind in (VARIABLE, LETTER, NUMBER) and before.end == word.start:
            before.kind = WORD
    following = lexemes[index + 1] if index + 1 < len(lexemes) else None
    if following and following.kind in (VARIABLE, LETTER, NUMBER) and following.start == word.end:
        following.kind = WORD
