"""Delimiters: which of them stretch, what stands between them, and the binomials and matrices they make."""

from collections.abc import Callable, Sequence

from curation.extract.notation.mathml_operators import CLOSING, OPENING
from curation.extract.notation.mathml_pieces import Kind, Piece, Size, join, raised_end
from curation.extract.notation.mathml_tables import matrix

Write = Callable[[Sequence[Piece]], str]
PMOD = "pmod"
_FREE = (Size.LEFT, Size.STRETCHY, Size.UNSAID)
_NEUTRAL = ("|", r"\|", "/")


def fenced(pieces: Sequence[Piece], write: Write) -> Piece | None:
    """The row as one group if delimiters stand around it or on one side of it; None if its delimiters are plain."""
    pieces = _without_edge_space(pieces)
    if len(pieces) < 2:
        return None
    first, last = pieces[0], pieces[-1]
    if _can_open(first) and _can_close(last) and _are_partners(pieces):
        return _group(first, pieces[1:-1], last, write)
    if _stands_alone(first, pieces, opening=True):
        return _half(first, pieces[1:], write, opening=True)
    if _stands_alone(last, pieces, opening=False):
        return _half(last, pieces[:-1], write, opening=False)
    return _with_inner_groups(pieces, write)


def _without_edge_space(pieces: Sequence[Piece]) -> Sequence[Piece]:
    start, end = 0, len(pieces)
    while start < end and pieces[start].kind is Kind.SPACE:
        start += 1
    while end > start and pieces[end - 1].kind is Kind.SPACE:
        end -= 1
    return pieces[start:end]


def _can_open(piece: Piece) -> bool:
    if piece.kind is not Kind.FENCE:
        return False
    return piece.size is Size.LEFT or piece.mark in OPENING or piece.mark in ("|", r"\|")


def _can_close(piece: Piece) -> bool:
    if piece.kind is not Kind.FENCE:
        return False
    return piece.size is Size.LEFT or piece.mark in CLOSING or piece.mark in ("|", r"\|")


def _are_partners(pieces: Sequence[Piece]) -> bool:
    """Whether the first delimiter belongs to the last, not to one in between, as in (a)(b)."""
    first, last = pieces[0], pieces[-1]
    if first.size is Size.LEFT and last.size is Size.LEFT:
        return True
    if (first.size is Size.FIXED) != (last.size is Size.FIXED) or (first.size is Size.BIG) != (last.size is Size.BIG):
        return False
    if (first.mark in _NEUTRAL) != (last.mark in _NEUTRAL):
        return False
    if first.mark in _NEUTRAL:
        return first.mark == last.mark and not any(p.kind is Kind.FENCE and p.mark == first.mark for p in pieces[1:-1])
    depth = 0
    for piece in pieces[:-1]:
        if piece.kind is Kind.FENCE and (piece.mark in OPENING or piece.mark in CLOSING):
            depth += 1 if piece.mark in OPENING else -1
            if depth == 0:
                return False
    return True


def _stands_alone(edge: Piece, pieces: Sequence[Piece], opening: bool) -> bool:
    """Whether a delimiter at one edge of a row stretches without a partner, as before the rows of cases."""
    if edge.kind is not Kind.FENCE or edge.size in (Size.FIXED, Size.BIG) or edge.mark == ".":
        return False
    marks = [piece.mark for piece in pieces if piece.kind is Kind.FENCE and piece is not edge]
    if any(mark in (CLOSING if opening else OPENING) or mark == edge.mark for mark in marks):
        return False
    if edge.size is Size.LEFT:
        return True
    if opening:
        return edge.mark in OPENING and pieces[1].kind is Kind.TABLE
    return (edge.mark in ("|", r"\|") and any(piece.tall for piece in pieces)) or (
        edge.mark in ("|", r"\}") and (edge.size is Size.STRETCHY or pieces[0].kind is Kind.TABLE)
    )


def _group(opening: Piece, inner: Sequence[Piece], closing: Piece, write: Write) -> Piece:
    body = [piece for piece in inner if piece.kind is not Kind.SPACE]
    if len(body) == 1 and body[0].kind is Kind.STACKED:
        return binomial(opening.mark, body[0], closing.mark)
    if len(body) == 1 and body[0].kind is Kind.TABLE:
        return matrix(opening.mark, body[0], closing.mark)
    if opening.tex == "(" and (modulus := _modulus(body, write)):
        return Piece(rf"\pmod{{{modulus}}}", Kind.ATOM, PMOD)
    tall = any(piece.tall for piece in inner)
    evident = opening.size is Size.LEFT and closing.size is Size.LEFT
    stretches = tall and Size.FIXED not in (opening.size, closing.size) and Size.BIG not in (opening.size, closing.size)
    if evident or stretches:
        return Piece(_stretched(opening.mark, inner, closing.mark, write), Kind.ATOM, tall=tall)
    return Piece(join((opening.tex, write(inner), closing.tex)), Kind.ATOM, tall=tall)


def _modulus(body: Sequence[Piece], write: Write) -> str:
    """What follows "mod" at the start of a group; "" if nothing does."""
    if not body or not _is_mod(body[0]):
        return ""
    if body[0].tex in _MOD:
        return write(body[1:])
    rest = body[0].tex.removeprefix(r"\bmod").lstrip()
    return join((rest, write(body[1:])))


def _is_mod(piece: Piece) -> bool:
    return piece.tex in _MOD or (piece.kind is Kind.ROW and piece.tex.startswith(r"\bmod"))


_MOD = (r"\bmod", r"\mathrm{mod}", r"\operatorname{mod}")


def _stretched(opening: str, inner: Sequence[Piece], closing: str, write: Write) -> str:
    """`\\left … \\right`, with `\\middle` for the bars between them that stretch too."""
    bars = [piece._replace(tex=rf"\middle{piece.mark}") if _is_middle(piece) else piece for piece in inner]
    return join((rf"\left{opening or '.'}", write(bars), rf"\right{closing or '.'}"))


def _is_middle(piece: Piece) -> bool:
    return piece.kind is Kind.FENCE and piece.size in _FREE and piece.tex in _NEUTRAL


def _half(edge: Piece, inner: Sequence[Piece], write: Write, opening: bool) -> Piece:
    body = [piece for piece in inner if piece.kind is not Kind.SPACE]
    marks = (edge.mark, "") if opening else ("", edge.mark)
    if len(body) == 1 and body[0].kind is Kind.TABLE:
        return matrix(marks[0], body[0], marks[1])
    return Piece(_stretched(marks[0], inner, marks[1], write), Kind.ATOM, tall=True)


def binomial(opening: str, stacked: Piece, closing: str) -> Piece:
    """Two things one above the other between delimiters: a binomial coefficient, or the like with other delimiters."""
    upper, lower = stacked.parts
    if (opening, closing) == ("(", ")"):
        return Piece(rf"\binom{{{upper}}}{{{lower}}}", Kind.FRACTION, tall=True)
    return Piece(rf"\genfrac{{{opening}}}{{{closing}}}{{0pt}}{{}}{{{upper}}}{{{lower}}}", Kind.ATOM, tall=True)


def _with_inner_groups(pieces: Sequence[Piece], write: Write) -> Piece | None:
    """A flat row in which pairs of delimiters may stand around tall things; None if no pair does."""
    pairs = [pair for pair in _pairs(pieces) if _makes_group(pieces, *pair)]
    if not pairs:
        return None
    merged, at = [], 0
    for start, end in pairs:
        merged += [*pieces[at:start], _group(pieces[start], pieces[start + 1 : end], pieces[end], write)]
        at = end + 1
    merged += pieces[at:]
    return Piece(write(merged), mark=raised_end(merged), tall=any(piece.tall for piece in merged))


def _pairs(pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    """The outermost pairs of matching delimiters, as their places."""
    stack: list[int] = []
    pairs: list[tuple[int, int]] = []
    for place, piece in enumerate(pieces):
        if piece.kind is not Kind.FENCE:
            continue
        if piece.mark in OPENING:
            stack.append(place)
        elif piece.mark in CLOSING and stack:
            start = stack.pop()
            while pairs and pairs[-1][0] > start:
                pairs.pop()
            pairs.append((start, place))
    return pairs


def _makes_group(pieces: Sequence[Piece], start: int, end: int) -> bool:
    """Whether a pair is more than two characters: its inside is a binomial, a table, a modulus, or makes it stretch."""
    inner = pieces[start + 1 : end]
    if len(inner) >= 1 and inner[0].kind in (Kind.STACKED, Kind.TABLE) and len(inner) == 1:
        return True
    if pieces[start].tex == "(" and any(map(_is_mod, inner[:3])):
        return True
    free = pieces[start].size in _FREE and pieces[end].size in _FREE
    return free and any(piece.tall for piece in inner)
