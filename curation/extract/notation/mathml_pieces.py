"""Pieces: what each element of a formula's MathML becomes, with what its neighbours need to know to be written."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple


class Kind:
    """What a piece is to its neighbours. Plain strings: the members of an enum cost a call each before Python 3.12."""

    EMPTY = "empty"  # nothing to show
    ATOM = "atom"  # a unit that takes scripts as it is: a letter, a command, a fenced group
    NUMBER = "number"
    LETTERS = "letters"  # a run in one font, such as \mathrm{kg}; `mark` is the font's command
    NAME = "name"  # a large or named operator; `mark` is its word or character
    SIGN = "sign"  # an operator; `mark` is its character
    FENCE = "fence"  # an operator that can be a delimiter; `mark` is its TeX, `size` says whether it stretches
    TEXT = "text"  # `mark` is the text command
    SPACE = "space"
    POSTFIX = "postfix"  # primes and degrees, written as scripts of what stands before them
    APPLY = "apply"  # the invisible operator behind a function's name
    TIMES = "times"  # the invisible product
    FRACTION = "fraction"
    STACKED = "stacked"  # a fraction without a line: the inside of a binomial; `parts` are the two
    BRACED = "braced"  # \underbrace and its like, whose scripts are labels
    SCRIPTED = "scripted"  # has scripts; `mark` is "^" where one is a superscript
    PHANTOM = "phantom"  # takes space and shows nothing; `mark` is what it takes the space of
    ROW = "row"
    TABLE = "table"  # `parts` hold its facts
    CELLS = "cells"  # a table's row; `parts` are its cells
    CELL = "cell"  # `mark` is its role, `parts` are its alignment and borders


class Size:
    """Whether a delimiter grows with what it encloses."""

    UNSAID = "unsaid"
    FIXED = "fixed"
    STRETCHY = "stretchy"
    LEFT = "left"  # the source had \left or \right
    BIG = "big"  # one of \big, \Big …


class Piece(NamedTuple):
    """A part of a formula as TeX. `tall` is true of what makes delimiters grow."""

    tex: str
    kind: str = Kind.ROW
    mark: str = ""
    size: str = Size.UNSAID
    tall: bool = False
    parts: tuple = ()


NOTHING = Piece("", Kind.EMPTY)
_REMEMBERED, _LONGEST = 8192, 60  # chosen here: entries, and characters of one; pages repeat the same few leaves


def remembered(write: Callable[[str, str], Piece]) -> Callable[[str, str], Piece]:
    """The function with a memory for short texts, so that the leaves that every formula has cost a look-up."""
    known = lru_cache(maxsize=_REMEMBERED)(write)

    def recall(text: str, variant: str) -> Piece:
        return (known if len(text) + len(variant) <= _LONGEST else write)(text, variant)

    return recall


def join(parts: Iterable[str]) -> str:
    """The parts in a row, with a space where a letter would lengthen the command before it."""
    written: list[str] = []
    last = ""
    for part in parts:
        if not part:
            continue
        if last and part[0].isalpha() and ends_in_command(last):
            written.append(" ")
        written.append(part)
        last = part
    return "".join(written)


def ends_in_command(tex: str) -> bool:
    """Whether the last thing is a command made of letters, such as `\\alpha`."""
    return tex[-1].isalpha() and tex[tex.rfind("\\") + 1 :].isalpha() and "\\" in tex


def raised_end(pieces: Sequence[Piece]) -> str:
    """ "^" if a row ends in a superscript, to which no other can be added; the mark of the row's piece."""
    last = next((piece for piece in reversed(pieces) if piece.tex), NOTHING)
    return "^" if last.mark == "^" and last.kind is not Kind.SIGN else ""


def option(tex: str) -> str:
    """TeX as an argument in brackets, in braces where it would not end at the right bracket."""
    return f"{{{tex}}}" if "]" in tex or tex[:1] == "{" else tex


def argument(tex: str, braced: bool = False) -> str:
    """TeX as the argument of a script: a single character stands without braces, unless it had them."""
    alone = (len(tex) == 1 and tex != "'") or tex in _UNBRACED
    return tex if alone and not braced else f"{{{tex}}}"


def base(piece: Piece) -> str:
    """A piece as what scripts attach to."""
    if piece.kind in (Kind.ROW, Kind.SCRIPTED, Kind.SPACE, Kind.PHANTOM):
        return f"{{{piece.tex}}}"
    return piece.tex or "{}"


SCRIPT_SIGNS = frozenset(("'", "^", "_"))
_UNBRACED = frozenset((r"\circ", r"\ast", r"\dagger", r"\top", r"\perp", r"\infty", r"\star", r"\times", r"\prime"))
