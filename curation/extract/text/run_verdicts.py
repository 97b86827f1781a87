"""Whether a run of lexemes is a formula. On a page without any other, only those count that leave no doubt."""

import re
from enum import Enum

from curation.extract.tex import looks_like_prose
from curation.extract.text import lexemes as lex
from curation.extract.text.inline_tex import is_italic
from curation.extract.text.lexemes import Lexeme
from curation.extract.text.scripts import MAX_CHARS, is_note

_UNITS = frozenset(
    (
        "m", "s", "g", "h", "l", "cm", "mm", "km", "dm", "nm", "ft", "in", "mi", "yd", "kg", "mg", "Pa", "Hz", "kW",
        "mL", "ml", "W", "J", "N", "V",
    )
)  # fmt: skip
_ELEMENTS = (
    "H|He|Li|Be|B|C|N|O|F|Ne|Na|Mg|Al|Si|P|S|Cl|Ar|K|Ca|Sc|Ti|V|Cr|Mn|Fe|Co|Ni|Cu|Zn|Ga|Ge|As|Se|Br|Kr|Rb|Sr|Y|Zr|Nb|Mo"
    "|Ru|Rh|Pd|Ag|Cd|In|Sn|Sb|Te|I|Xe|Cs|Ba|La|Ce|Nd|Sm|Eu|Gd|W|Re|Os|Ir|Pt|Au|Hg|Tl|Pb|Bi|Th|U|Pu"
)
_MOLECULE = re.compile(rf"(?:(?:(?:{_ELEMENTS})|[()\[\]])\d*[+\-\u2212]?){{2,}}")
_MARKS_OF_AUTHORS = re.compile(r"[a-h*](?:, ?[a-h*])*")
_LETTERS = re.compile("[A-Za-z]{2,}")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_DIGITS = re.compile(r"[-+\u2212\u2013]?\d{1,4}")
_SIGNED = re.compile(r"[-\u2212\u2013]\d{1,4}")
_SCRIPT_CHAR = re.compile(r"[^\W_]|[\s+\-\u2212\u2013=<>≤≥→,.:;()\[\]/*'\u2032\u2019∞…·×±|∘°†⊥∗∈∖~]")
_WEAK = frozenset("-\u2013/*'!|%°\u2032\u2019¬…⋯")
_DASHES = frozenset("-\u2013")
_PRIMES = frozenset("'\u2032\u2033\u2019")


class Verdict(Enum):
    """How sure it is that a run is a formula."""

    CERTAIN = "certain"
    POSSIBLE = "possible"  # where the page has other formulas
    NONE = "none"


def judged(run: list[Lexeme]) -> Verdict:
    """Whether this run is a formula."""
    text = "".join(lexeme.text for lexeme in run)
    kinds = {lexeme.kind for lexeme in run}
    if _MOLECULE.fullmatch(text) and lex.SCRIPT in kinds and lex.VARIABLE not in kinds:
        return Verdict.NONE
    if lex.LETTER in kinds and all(map(_is_of_units, run)):
        return Verdict.NONE
    strengths = [_strength(run, index) for index, lexeme in enumerate(run) if lexeme.kind == lex.SCRIPT]
    if 0 in strengths:
        return Verdict.NONE
    operations = _operations(run)
    variables = sum(lexeme.kind == lex.VARIABLE and len(lexeme.text) == 1 for lexeme in run)
    if 2 in strengths or _is_application(run) or (variables and "strong" in operations):
        return Verdict.CERTAIN
    if "symbol" in operations and any(_is_unknown(lexeme) for lexeme in run):
        return Verdict.CERTAIN
    named = any(lexeme.kind == lex.LETTER and len(lexeme.text) > 1 for lexeme in run)  # as in `<i>k</i>-NN`
    return Verdict.POSSIBLE if strengths or (variables and not named) else Verdict.NONE


def _operations(run: list[Lexeme]) -> set[str]:
    """The sorts of signs that stand between operands: strong, symbol, weak (those of prose too)."""
    found = set()
    for index, lexeme in enumerate(run):
        if lexeme.kind not in (lex.RELATION, lex.OPERATOR, lex.SYMBOL):
            continue
        left, right = _neighbour(run, index, -1), _neighbour(run, index, 1)
        if lexeme.kind == lex.SYMBOL:
            found |= {"symbol"} if left or right else set()
        elif left and right and left.kind not in (lex.OPENING, lex.RELATION) and right.kind != lex.CLOSING:
            spaced = run[index - 1].kind == lex.SPACE and run[index + 1].kind == lex.SPACE
            weak = lexeme.text == ":" or (lexeme.text in _WEAK and not (spaced and lexeme.text in _DASHES))
            found.add("weak" if weak else "strong")
    return found


def _neighbour(run: list[Lexeme], index: int, step: int) -> Lexeme | None:
    index += step
    if 0 <= index < len(run) and run[index].kind == lex.SPACE:
        index += step
    return run[index] if 0 <= index < len(run) else None


def _is_application(run: list[Lexeme]) -> bool:
    """Whether there is a function of something that has no name but a letter, as `<i>f</i>(<i>x</i>)`."""
    pairs = zip(run, run[1:], run[2:], strict=False)
    return any(
        name.kind == lex.VARIABLE and bracket.text == "(" and _is_unknown(inner) for name, bracket, inner in pairs
    )


def _is_unknown(lexeme: Lexeme) -> bool:
    return lexeme.kind == lex.VARIABLE or (lexeme.kind == lex.LETTER and len(lexeme.text) == 1)


def _is_of_units(lexeme: Lexeme) -> bool:
    """Whether this may be part of `5 kg/m²`."""
    if lexeme.kind == lex.SCRIPT:
        return bool(_DIGITS.fullmatch(lexeme.text)) or lexeme.element is None
    unit = lexeme.kind == lex.LETTER and lexeme.text in _UNITS
    return unit or lexeme.kind in (lex.NUMBER, lex.SPACE) or lexeme.text in ("/", "·", "⋅")


def _strength(run: list[Lexeme], index: int) -> int:
    """How well a script goes with what it is attached to: 2 makes a formula, 1 needs other signs, 0 is no formula."""
    script, base = run[index], run[index - 1] if index else None
    raised = script.element is None or script.element.tag == "sup"
    text = script.text.strip()
    if base is None or not _is_plausible(script, text) or _is_noted(script, base, text, raised):
        return 0
    if base.kind == lex.SCRIPT:
        return _strength(run, index - 1)
    if base.kind == lex.CLOSING:
        return 2 if any(_is_unknown(lexeme) or lexeme.kind == lex.OPERATOR for lexeme in run[:index]) else 0
    if base.kind == lex.NUMBER:
        return _strength_on_number(base, script, text, raised)
    if base.kind == lex.LETTER:
        return _strength_on_letter(base, text, raised)
    if base.kind == lex.FUNCTION:
        return 2 if index + 1 < len(run) or not raised else 1
    if base.kind == lex.OPERATOR:
        return 2 if base.text in _PRIMES else 0
    return 2 if base.kind in (lex.VARIABLE, lex.SYMBOL) else 0


def _is_noted(script: Lexeme, base: Lexeme, text: str, raised: bool) -> bool:
    """Whether a script is a note or the like. A variable may have a star or brackets, and be a script itself."""
    if base.kind in (lex.VARIABLE, lex.SCRIPT) and text[0] in "(*":
        return False
    return not _has_italics(script) and is_note(text, "" if base.kind == lex.VARIABLE else base.text, raised)


def _has_italics(script: Lexeme) -> bool:
    return script.element is not None and any(is_italic(element) for element in script.element.iter())


def _is_plausible(script: Lexeme, text: str) -> bool:
    if not text or len(text) > MAX_CHARS or looks_like_prose(text) or not all(map(_SCRIPT_CHAR.match, text)):
        return False
    return script.element is None or script.element.find(".//a") is None


def _strength_on_number(base: Lexeme, script: Lexeme, text: str, raised: bool) -> int:
    """Powers of ten and two, and powers with a variable; anything else may be a note after a number."""
    if not raised or script.element is None:
        return 1
    if _YEAR.fullmatch(base.text) and len(text) < 3:
        return 0
    if _DIGITS.fullmatch(text):
        return 2 if base.text == "10" or _SIGNED.fullmatch(text) or (base.text == "2" and len(text) > 1) else 1
    return 2 if _has_italics(script) else 1


def _strength_on_letter(base: Lexeme, text: str, raised: bool) -> int:
    """Units, elements, vitamins and authors' marks look like variables with scripts."""
    digits = _DIGITS.fullmatch(text)
    if (
        len(base.text) > 1
        or (raised and _LETTERS.fullmatch(text))
        or (digits and (base.text in _UNITS or base.text.isupper()))
    ):
        return 1
    return 1 if raised and base.text.isupper() and _MARKS_OF_AUTHORS.fullmatch(text) else 2
