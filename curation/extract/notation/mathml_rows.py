"""Rows of pieces as one piece: neighbours merged, delimiters matched, binomials and matrices recognised."""

from collections.abc import Callable, Sequence

from curation.extract.notation.mathml_fences import PMOD, fenced
from curation.extract.notation.mathml_pieces import NOTHING, SCRIPT_SIGNS, Kind, Piece, join, raised_end

_THIN = frozenset((r"\,", r"\:", r"\;"))


ARROW = "arrow"  # the mark of a long arrow with labels


def row(pieces: Sequence[Piece]) -> Piece:
    """What a row of elements says; a single piece stays what it is."""
    shown = [piece for piece in pieces if piece.kind is not Kind.EMPTY]
    if len(shown) == 2 and shown[1].kind is Kind.APPLY:
        shown.pop()
    if len(shown) <= 1:
        return shown[0] if shown else NOTHING
    if any(piece.kind is Kind.FENCE for piece in shown) and (group := fenced(shown, sequence)) is not None:
        return group
    return Piece(sequence(shown), mark=raised_end(shown), tall=any(piece.tall for piece in shown))


def sequence(pieces: Sequence[Piece]) -> str:
    """The TeX of pieces one after another."""
    line = _Line()
    for piece in pieces:
        write = _RULES.get(piece.kind, _Line.other)
        if (shown := write(line, piece)) is not None:
            line.written.append(shown.tex)
            line.before = shown
    return join(line.written)


class _Line:
    """A row as far as it is written. A rule gives the piece as it is to stand there, or None."""

    __slots__ = ("before", "written")

    def __init__(self) -> None:
        self.written: list[str] = []
        self.before = NOTHING

    def nothing(self, piece: Piece) -> None:
        return None

    def apply(self, piece: Piece) -> None:
        self.before = piece._replace(mark=self.before.mark)

    def times(self, piece: Piece) -> None:
        """What is multiplied is no operator."""
        if self.before.kind is Kind.NAME:
            self.before = upright(self.before)
            self.written[-1] = self.before.tex

    def space(self, piece: Piece) -> Piece | None:
        """Space, but for what the typesetter adds beside names, words and long arrows."""
        before = self.before
        if before.kind is Kind.TEXT:
            return None if before.tex.endswith(" }") and piece.tex == r"\ " else piece
        if before.kind is Kind.NAME or before.kind is Kind.APPLY:
            return None if piece.tex in _THIN else piece
        if before.mark in _SPACED_ARROWS and piece.tex == r"\;" and self.written[-2:-1] == [r"\;"]:
            self.written[-2:] = [_SPACED_ARROWS[before.mark] or before.tex]
            return None
        return piece

    def run(self, piece: Piece) -> Piece:
        """Letters or text join those before them in the same font."""
        if piece.kind is self.before.kind and piece.mark == self.before.mark:
            return piece._replace(tex=join((self.written.pop()[:-1], piece.tex[len(piece.mark) + 1 :])))
        if self.before.tex == r"\ " and piece.tex.startswith(r"\text{ "):
            self.written.pop()
        return piece

    def postfix(self, piece: Piece) -> Piece:
        """A prime on what stands before it, unless that is another sign of the same script, as in x^{*′}."""
        if self.before.mark in _STARS and piece.tex[0] == "'":
            return piece._replace(tex=piece.tex.replace("'", r"\prime"))
        return self.other(piece)

    def name(self, piece: Piece) -> Piece:
        """A function's name has its space of its own."""
        if self.before.kind is Kind.SPACE and self.before.tex == r"\,":
            self.written.pop()
        return piece

    def other(self, piece: Piece) -> Piece:
        if piece.tex[:1] in SCRIPT_SIGNS and _has_script(self.before, piece):
            self.written.append("{}")
        elif piece.mark is PMOD and self.before.kind is Kind.SPACE:
            self.written.pop()
        return piece


def _has_script(before: Piece, piece: Piece) -> bool:
    """Whether a script here would be a second one of its kind on what stands before it."""
    raised = before.mark == "^" and before.kind is not Kind.SIGN
    return raised or before.mark == "\u00b0" or (before.kind is piece.kind is Kind.SCRIPTED)


_RULES: dict[str, Callable[[_Line, Piece], Piece | None]] = {
    Kind.EMPTY: _Line.nothing,
    Kind.APPLY: _Line.apply,
    Kind.TIMES: _Line.times,
    Kind.SPACE: _Line.space,
    Kind.LETTERS: _Line.run,
    Kind.TEXT: _Line.run,
    Kind.POSTFIX: _Line.postfix,
    Kind.NAME: _Line.name,
}
_SPACED_ARROWS = {"⟹": r"\implies", "⟸": r"\impliedby", "⟺": r"\iff", ARROW: ""}
_STARS = ("*", "\u2217", "+", "-", "\u2212", "\u2020")


def upright(piece: Piece) -> Piece:
    """An operator's name that turned out to be a mere word, such as the label in x_{max}."""
    if piece.kind is Kind.NAME and piece.tex.startswith(r"\operatorname{"):
        return Piece(rf"\mathrm{{{piece.tex[14:]}", Kind.LETTERS, r"\mathrm")
    return piece
