"""Scripts, limits, accents and labels: everything that stands above, below or beside something else."""

import re
from collections.abc import Sequence

from lxml import etree

from curation.extract.notation.markup import Unconvertible
from curation.extract.notation.mathml_accents import LONG_ARROWS, OVER, UNDER, VARIANT_LIMITS
from curation.extract.notation.mathml_operators import SMALL_TO_LARGE
from curation.extract.notation.mathml_pieces import NOTHING, Kind, Piece, argument, base, join, option
from curation.extract.notation.mathml_rows import ARROW, upright
from curation.extract.notation.mathml_symbols import SYMBOLS
from curation.extract.notation.mathml_tables import substack

_EDGE_SPACE = re.compile(r"\A(?:\\[ ,:;]\s?)+|(?:\\[ ,:;]){1,4}\Z")
_MOST_SCRIPTS = 40  # chosen here; of one base, each pair of which is a level of braces
_LIMITS = frozenset(["lim", "limsup", "liminf", "max", "min", "sup", "inf", "det", "gcd", "Pr", "injlim", "projlim"])
_INTEGRALS = frozenset("∫∬∭∮∯∰")


def scripts(main: Piece, sub: Piece, sup: Piece, rows: Sequence[bool] = ()) -> Piece:
    """A base with its subscript and superscript; primes come before what else is raised."""
    below, above, primes = _script(sub), _script(sup), ""
    if sup.mark == "\u2322" and sup.kind is Kind.SIGN and not below:
        return Piece(rf"\overset{{{above}}}{{{main.tex}}}", Kind.ATOM)  # arcs, as one producer writes them
    if above[:1] == "'":
        rest = above.lstrip("'")
        primes, above = above[: len(above) - len(rest)], rest.removeprefix("^")
        above = above[1:-1] if above[:1] == "{" and above[-1:] == "}" and "}" not in above[1:-1] else above
    if not (below or above or primes):
        return main
    sub_row, sup_row = (*rows, False, False)[:2]
    under = f"_{argument(below, sub_row)}" if below else ""
    over = f"^{argument(above, sup_row and not primes)}" if above else ""
    if main.kind is Kind.POSTFIX and main.tex[0] == "'":  # stands on what is before it, and lets a ^ follow directly
        return Piece(join((main.tex, primes, over, under)), Kind.SCRIPTED, "^")
    stand = f"{{{main.tex}}}" if main.kind is Kind.POSTFIX else base(main)
    raised = "^" if primes or above else "_"
    return Piece(join((stand, under, primes, over)), Kind.SCRIPTED, raised, tall=main.tall)


def _script(piece: Piece) -> str:
    """What a script says: a word alone in it is a label, and what is raised anyway is not raised twice."""
    if piece.kind is Kind.TABLE:
        return substack(piece)
    if piece.kind is Kind.POSTFIX and piece.tex[0] == "^":
        return piece.tex[1:]
    return upright(piece).tex


def lower(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<msub>`."""
    main, below = _filled(pieces, 2)
    return scripts(main, below, NOTHING, _rows(element))


def upper(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<msup>`."""
    main, above = _filled(pieces, 2)
    return scripts(main, NOTHING, above, (False, *_rows(element)))


def both(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<msubsup>`."""
    main, sub, sup = _filled(pieces, 3)
    return scripts(main, sub, sup, _rows(element))


def _filled(pieces: Sequence[Piece], count: int) -> Sequence[Piece]:
    """As many pieces as the element should have. KaTeX puts the invisible operator of a name among them."""
    if len(pieces) == count:
        return pieces
    return (*(piece for piece in pieces if piece.kind is not Kind.APPLY), *[NOTHING] * count)[:count]


def _rows(element: etree._Element) -> tuple[bool, ...]:
    """Which scripts are rows, though of one element perhaps: those that had braces in the source."""
    return tuple(child.tag in _ROW_TAGS for child in element[1:])


_ROW_TAGS = ("mrow", "{http://www.w3.org/1998/Math/MathML}mrow")


def over(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<mover>`: an accent, a limit, a label on an arrow or brace, or one thing above another."""
    main, above = _filled(pieces, 2)
    return _over(main, above, element[-1] if len(element) else None)


def under(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<munder>`, the same below."""
    main, below = _filled(pieces, 2)
    return _under(main, below)


def under_over(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<munderover>`."""
    main, below, above = _filled(pieces, 3)
    if _takes_limits(main := _enlarged(main)):
        return _limits(main, below, above)
    if arrow := _long_arrow(main):
        return Piece(f"{arrow}[{option(_label(below))}]{{{_label(above)}}}", Kind.ATOM, ARROW)
    return _over(_under(main, below), above, element[-1] if len(element) else None)


def _over(main: Piece, above: Piece, accent: etree._Element | None) -> Piece:
    if above.kind in _UNSEEN:
        return main
    if arrow := _long_arrow(main):
        return Piece(f"{arrow}{{{_label(above)}}}", Kind.ATOM, ARROW)
    if above.mark in OVER and above.kind in _ACCENT_KINDS:
        return _accented(main, above.mark, accent)
    if _takes_limits(main):
        return _limits(main, NOTHING, above)
    return Piece(rf"\overset{{{_script(above)}}}{{{main.tex}}}", Kind.ATOM)


_UNSEEN = (Kind.EMPTY, Kind.SPACE)
_ACCENT_KINDS = (Kind.SIGN, Kind.ATOM, Kind.POSTFIX)


def _accented(main: Piece, mark: str, accent: etree._Element | None) -> Piece:
    stretchy = accent.get("stretchy") if accent is not None else None
    one = _is_one(main)
    narrow, wide = OVER[mark]
    if mark == "\u203e" and stretchy == "true":
        narrow = wide
    command = wide if stretchy == "true" or (not one and (stretchy != "false" or mark == "\u2192")) else narrow
    kind = Kind.BRACED if command.startswith((r"\overbr", r"\overgr")) else Kind.ATOM
    return Piece(f"{command}{{{main.tex}}}", kind, tall=main.tall)


def _is_one(piece: Piece) -> bool:
    """Whether an accent on it can be a narrow one: a letter, a command, or a letter in a font."""
    tex = piece.tex
    if len(tex) <= 1 or (tex[0] == "\\" and tex[1:].isalpha()):
        return True
    inner = tex[tex.find("{") + 1 : -1]
    return (
        piece.kind is not Kind.NAME
        and tex.endswith("}")
        and tex[0] == "\\"
        and (len(inner) <= 1 or (inner[1:].isalpha() and inner[0] == "\\"))
    )


def _under(main: Piece, below: Piece) -> Piece:
    if below.mark in UNDER and below.kind in _ACCENT_KINDS:
        if command := VARIANT_LIMITS.get((main.tex, below.mark)):
            return Piece(command, Kind.NAME, "lim")
        command = UNDER[below.mark]
        kind = Kind.BRACED if command.startswith((r"\underbr", r"\undergr")) else Kind.ATOM
        return Piece(f"{command}{{{main.tex}}}", kind, tall=main.tall)
    if below.kind in _UNSEEN:
        return main
    if _takes_limits(main := _enlarged(main)):
        return _limits(main, below, NOTHING)
    if arrow := _long_arrow(main):
        return Piece(f"{arrow}[{option(_label(below))}]{{}}", Kind.ATOM, ARROW)
    return Piece(rf"\underset{{{_script(below)}}}{{{main.tex}}}", Kind.ATOM)


def _enlarged(main: Piece) -> Piece:
    """A small operator that has limits below it is the large one."""
    large = SMALL_TO_LARGE.get(main.mark) if main.kind is Kind.SIGN else None
    return Piece(SYMBOLS[large], Kind.NAME, large, tall=True) if large else main


def _takes_limits(main: Piece) -> bool:
    if main.kind is Kind.BRACED:
        return True
    return main.kind is Kind.NAME and (
        len(main.mark) == 1 or main.mark in _LIMITS or main.tex.startswith(r"\operatorname")
    )


def _limits(main: Piece, below: Piece, above: Piece) -> Piece:
    tex = main.tex
    if main.mark in _INTEGRALS:
        tex += r"\limits"
    elif tex.startswith(r"\operatorname{"):
        tex = r"\operatorname*" + tex[13:]
    return scripts(main._replace(tex=tex), below, above)._replace(tall=main.kind is Kind.NAME)


def _label(piece: Piece) -> str:
    """What stands at an arrow, without the space that makes the arrow long."""
    return _EDGE_SPACE.sub("", _script(piece))


def _long_arrow(main: Piece) -> str | None:
    return LONG_ARROWS.get(main.mark) if main.kind is Kind.SIGN else None


def multiscripts(element: etree._Element, pieces: Sequence[Piece]) -> Piece:
    """`<mmultiscripts>`: scripts on both sides, those in front on an empty base."""
    main, *others = pieces or [NOTHING]
    if len(others) > _MOST_SCRIPTS:
        raise Unconvertible("too_deep")
    cut = next((i for i, piece in enumerate(others) if piece is PRESCRIPTS), len(others))
    before = [scripts(NOTHING, *pair).tex for pair in _two_by_two(others[cut + 1 :])]
    for sub, sup in _two_by_two(others[:cut]):
        main = scripts(main, sub, sup)
    return Piece(join((*before, main.tex)), Kind.SCRIPTED, "^", tall=main.tall)


PRESCRIPTS = Piece("", Kind.EMPTY, "prescripts")


def _two_by_two(pieces: Sequence[Piece]) -> list[tuple[Piece, Piece]]:
    padded = [*pieces, NOTHING]
    return [(padded[i], padded[i + 1]) for i in range(0, len(pieces), 2)]
