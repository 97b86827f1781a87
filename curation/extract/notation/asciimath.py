"""AsciiMath as LaTeX: the language of asciimath.org, which pages write between backticks.

v = letter | number | sign          S = v | left E right | unary S | pair S S
I = S _ S | S ^ S | S _ S ^ S | S   E = (I | I / I)*
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from curation.extract.notation.asciimath_pieces import Piece, argument, bracketed, fenced, is_bare, joined, scripted
from curation.extract.notation.asciimath_symbols import Symbol
from curation.extract.notation.asciimath_tokens import Token, read_tokens
from curation.extract.notation.markup import Unconvertible

MAX_CHARS = 8_000  # chosen here; the limit for formulas with bare delimiters
MAX_DEPTH = 120  # chosen here; brackets count twice, and each level takes up to four frames of Python's stack
_BOLD_SIGNS = "\\boldsymbol"  # what \mathbf would leave thin
_LETTERS = re.compile(r"[A-Za-z0-9 ]*")
_COLOUR = re.compile(r"#?[A-Za-z0-9]+")
_TEXT_SPECIALS = str.maketrans({
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "_": "\\_", "%": "\\%",
    "^": "\\textasciicircum{}", "~": "\\textasciitilde{}", "\n": " ",
})  # fmt: skip


def asciimath_to_tex(source: str) -> str:
    """The formula as LaTeX without delimiters. Raises Unconvertible where it is empty, too long or nested too deep."""
    if len(source) > MAX_CHARS:
        raise Unconvertible("too_large")
    tex = joined(_Reader(read_tokens(source)).expression())
    if not tex:
        raise Unconvertible("empty")
    return tex


class _Reader:
    """Recursive descent over the tokens, each read once."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    def expression(self) -> list[Piece]:
        """Everything up to the bracket that closes, or to the end."""
        pieces = []
        while (token := self.peek()) is not None and token.symbol.role != "right":
            piece = self.scripted()
            if self.next_is("/"):
                self.at += 1
                below = self.scripted() if self.peek() is not None else Piece("")
                piece = Piece(f"\\frac{{{argument(piece)}}}{{{argument(below)}}}", piece.spaced)
            pieces.append(piece)
        return pieces

    def scripted(self) -> Piece:
        """A simple piece with its subscript and superscript, and with its argument if it is a function."""
        first = self.peek()
        with self.deeper():
            base = self.simple() if first is None or first.source not in ("_", "^") else Piece("{}", first.spaced)
        scripts: dict[str, str] = {}
        while (token := self.peek()) is not None and token.source in ("_", "^") and token.source not in scripts:
            self.at += 1
            scripts[token.source] = argument(self.simple())
        if not scripts:
            return base
        piece = scripted(base, scripts)
        return self.applied(first, piece) if first and first.symbol.role == "function" else piece

    def applied(self, function: Token, piece: Piece) -> Piece:
        """A function with scripts and then its argument, as in `sin^2 x`."""
        following = self.peek()
        if following is None or following.symbol.role in ("infix", "right"):
            return piece
        if len(function.source) == 1 and following.symbol.role != "left":
            return piece
        with self.deeper():
            value = self.scripted()
        return Piece(joined([piece, value]), piece.spaced, value.raised)

    def simple(self) -> Piece:
        """One sign, bracket, or name with its arguments; nothing where the formula ends or a bracket closes."""
        token = self.peek()
        if token is None or token.symbol.role == "right":
            return Piece("")
        self.at += 1
        with self.deeper():
            piece = self.read(token)
        piece.spaced = token.spaced
        return piece

    def read(self, token: Token) -> Piece:
        symbol = token.symbol
        if symbol.role == "left":
            return self.group(token)
        if symbol.role == "function" or self.is_negative(token):
            return self.function(token)
        if symbol.role in ("text", "style"):
            return Piece(_text(symbol.tex, token.content) if symbol.role == "text" else self.styled(token))
        if symbol.role == "pair":
            return Piece(_pair(symbol, argument(self.simple()), argument(self.simple())))
        if symbol.role in ("accent", "brace", "font", "root", "fence", "cancel"):
            return Piece(self.changed(token))
        return Piece(symbol.tex)

    def group(self, token: Token) -> Piece:
        items = self.expression()
        closing = self.peek()
        self.at += closing is not None
        return bracketed(token.symbol.tex, items, closing.symbol.tex if closing else "", closed=closing is not None)

    def function(self, token: Token) -> Piece:
        piece, following = Piece(token.symbol.tex), self.peek()
        if following is None or following.symbol.role in ("infix", "right") or following.source[0] in "|,":
            return piece
        if token.source in ("f", "g") and following.source[0] != "(":
            return piece
        return Piece(joined([piece, self.simple()]))

    def is_negative(self, token: Token) -> bool:
        """Whether this is the minus of `x^-1` or `1/-x`, which takes what follows with it."""
        if token.source != "-" or self.at < 2 or self.tokens[self.at - 2].symbol.role != "infix":
            return False
        return (following := self.peek()) is not None and not following.spaced

    def styled(self, token: Token) -> str:
        inner = argument(self.simple())
        coloured = token.symbol.tex == "color" and _COLOUR.fullmatch(token.content)
        return f"\\textcolor{{{token.content}}}{{{inner}}}" if coloured else f"{{{inner}}}"

    def changed(self, token: Token) -> str:
        """A root, accent, font, fence or strike with the piece it changes."""
        symbol, following = token.symbol, self.peek()
        inner = argument(self.simple())
        if symbol.role == "fence":
            return fenced(symbol.tex, inner, symbol.wide)
        if symbol.role == "accent":
            return f"{symbol.tex if is_bare(inner) else symbol.wide}{{{inner}}}"
        if symbol.role == "font":
            if following is not None and following.symbol.role == "text":
                letters = symbol.wide == "\\text" and _LETTERS.fullmatch(following.content)
                return _text(symbol.tex if letters else symbol.wide, following.content)
            command = _BOLD_SIGNS if symbol.tex == "\\mathbf" and not _LETTERS.fullmatch(inner) else symbol.tex
            return f"{command}{{{inner}}}"
        return f"{symbol.tex}{{{inner}}}"

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level down; raises Unconvertible below the last."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unconvertible("too_deep")
        yield
        self.depth -= 1

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next_is(self, source: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].source == source


def _text(command: str, content: str) -> str:
    return f"{command}{{{content.translate(_TEXT_SPECIALS)}}}" if content else ""


def _pair(symbol: Symbol, first: str, second: str) -> str:
    if symbol.tex == "\\root":
        return f"\\sqrt[{{{first}}}]{{{second}}}" if "]" in first else f"\\sqrt[{first}]{{{second}}}"
    return f"{symbol.tex}{{{first}}}{{{second}}}"
