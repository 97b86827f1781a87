"""The parts of a formula read from AsciiMath, and how they stand together in LaTeX."""

import re
from dataclasses import dataclass, field

from curation.extract.notation.asciimath_symbols import SYMBOLS

_ENVIRONMENTS = {"()": "pmatrix", "[]": "bmatrix", "||": "vmatrix", "\\{\\}": "Bmatrix", "\\{": "cases"}
_TALL = re.compile(r"\\(?:frac|begin|sum|prod|int|oint|big\w+|left|overset|underset|\w+brace|sqrt)(?![A-Za-z])")
_BARE = re.compile(r"[A-Za-z0-9+*-]|\\[A-Za-z]+")
_OPERATORS = {symbol.tex for symbol in SYMBOLS.values() if symbol.role in ("function", "big") and len(symbol.tex) > 1}
_OPERATORS |= {"\\quad", "\\qquad"}
_WORD_END = re.compile(r"\\[A-Za-z]+\Z")


@dataclass(slots=True)
class Piece:
    """A part of the formula in LaTeX. `raised` says that it ends in a superscript, so no prime may follow it."""

    tex: str
    spaced: bool = False
    raised: bool = False


@dataclass(slots=True)
class Group(Piece):
    """Brackets and what they hold; an argument loses its round, square and curly ones."""

    left: str = ""
    right: str = ""
    items: list[Piece] = field(default_factory=list)
    inner: str = ""
    is_matrix: bool = False

    def stripped(self) -> str:
        kept_left = "" if self.left in ("(", "[", "\\{") else self.left
        kept_right = "" if self.right in (")", "]", "\\}") else self.right
        return fenced(kept_left, self.inner, kept_right)


def argument(piece: Piece) -> str:
    """The piece as an argument: brackets around all of it go."""
    return piece.stripped() if isinstance(piece, Group) else piece.tex


def is_bare(tex: str) -> bool:
    """Whether it is one character or sign, which needs no braces as a script and no wide accent."""
    return _BARE.fullmatch(tex) is not None and tex not in _OPERATORS


def bracketed(left: str, items: list[Piece], right: str, closed: bool) -> Piece:
    """What brackets and their content are: a matrix, a modulus, or a plain group."""
    if left == "(" and right == ")" and items and items[0].tex == "\\bmod":
        return Piece(f"\\pmod{{{joined(items[1:])}}}")
    rows = _rows(items, right) if closed else []
    if rows:
        inner, whole = _matrix(rows, left, right)
    else:
        inner = joined(items)
        whole = fenced(left, inner, right)
    return Group(whole, left=left, right=right, items=items, inner=inner, is_matrix=bool(rows))


def scripted(base: Piece, scripts: dict[str, str]) -> Piece:
    """The base with its scripts. An invisible group keeps braces; the bar of `F(x)|_a^b` is no relation."""
    tex = "|" if base.tex == "\\mid" else base.tex or "{}"
    if isinstance(base, Group) and base.tex and not base.left and not base.right:
        tex = f"{{{tex}}}"
    for mark in sorted(scripts, reverse=base.tex != "'"):  # a prime wants its superscript next to it
        tex += mark + (scripts[mark] if is_bare(scripts[mark]) else f"{{{scripts[mark]}}}")
    return Piece(tex, base.spaced, raised="^" in scripts)


def joined(pieces: list[Piece]) -> str:
    """The pieces in a row, with the spaces of the source, and those that keep a command from the letter behind it."""
    parts: list[str] = []
    raised = False
    for piece in pieces:
        if not piece.tex:
            continue
        if raised and piece.tex[0] in "'^":
            parts.append("{}")
        elif parts and (
            (piece.spaced and piece.tex[0] != "'") or (piece.tex[0].isalnum() and _WORD_END.search(parts[-1]))
        ):
            parts.append(" ")
        parts.append(piece.tex)
        raised = piece.raised
    return "".join(parts)


def fenced(left: str, inner: str, right: str) -> str:
    """The inner part in its brackets, which grow where it is tall."""
    if not left and not right:
        return inner
    if _TALL.search(inner):
        return f"\\left{left or '.'} {inner} \\right{right or '.'}"
    return joined([Piece(left), Piece(inner), Piece(right)])


def _rows(items: list[Piece], right: str) -> list[list[list[Piece]]]:
    """The cells of a matrix by rows, where every item is a bracket with as many commas as the others."""
    groups = [item for item in items[::2] if isinstance(item, Group)]
    if not groups or len(items) != 2 * len(groups) - 1 or any(item.tex != "," for item in items[1::2]):
        return []
    shape = groups[0].left + groups[0].right
    if shape not in ("()", "[]") or (shape == "()" and right == "\\}"):
        return []
    rows = [[[Piece(group.inner)]] if group.is_matrix else _cells(group.items) for group in groups]
    alike = len({len(row) for row in rows}) == 1 and all(group.left + group.right == shape for group in groups)
    return rows if alike and len(rows[0]) * len(rows) > 1 else []


def _cells(items: list[Piece]) -> list[list[Piece]]:
    cells: list[list[Piece]] = [[]]
    for item in items:
        if item.tex == ",":
            cells.append([])
        else:
            cells[-1].append(item)
    return cells


def _matrix(rows: list[list[list[Piece]]], left: str, right: str) -> tuple[str, str]:
    """The matrix without brackets, and with them. Columns that hold a bar alone are lines between the others."""
    lines = {at for at in range(1, len(rows[0])) if all(joined(row[at]) == "\\mid" for row in rows)}
    body = " \\\\ ".join(" & ".join(joined(cell) for at, cell in enumerate(row) if at not in lines) for row in rows)
    plain = f"\\begin{{matrix}} {body} \\end{{matrix}}"
    if lines or not left + right:
        columns = "".join("|" if at in lines else "c" if left + right else "l" for at in range(len(rows[0])))
        plain = f"\\begin{{array}}{{{columns}}} {body} \\end{{array}}"
    elif environment := _ENVIRONMENTS.get(left + right):
        return plain, f"\\begin{{{environment}}} {body} \\end{{{environment}}}"
    return plain, fenced(left, plain, right)
