"""AsciiMath cut into its tokens: the longest name that fits counts, and brackets and bars know whether they pair."""

import re
from dataclasses import dataclass

from curation.extract.notation.asciimath_symbols import CHARACTERS, LONGEST, SYMBOLS, Symbol

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_QUOTED = re.compile(r'"([^"]*)"')
_BRACKETED = re.compile(r"\s*(?:\{([^}]*)\}?|\(([^)]*)\)?|\[([^\]]*)\]?)")
_ENTITIES = (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"))  # editors write them twice, and the language's reader knows
_OPENED, _CLOSED, _MID = Symbol("left", "|"), Symbol("right", "|"), Symbol("sign", "\\mid")


@dataclass(slots=True)
class Token:
    """A name, number or character of the source; `content` is what stands in its quotes or brackets."""

    symbol: Symbol
    source: str
    spaced: bool
    content: str = ""


def read_tokens(source: str) -> list[Token]:
    """The tokens of a formula, in order; a backslash in front of a name means nothing, as in `\\alpha`."""
    for entity, char in _ENTITIES:
        source = source.replace(entity, char)
    tokens, at, spaced = [], 0, False
    while at < len(source):
        if source[at].isspace() or _is_idle_backslash(source, at):
            spaced = spaced or source[at] != "\\"
            at += 1
            continue
        token, at = _token(source, at)
        token.spaced, spaced = spaced, False
        tokens.append(token)
    _pair(tokens)
    return tokens


def _is_idle_backslash(source: str, at: int) -> bool:
    return source[at] == "\\" and source[at + 1 : at + 2] not in ("\\", " ")


def _token(source: str, at: int) -> tuple[Token, int]:
    """The token at `at`, and where it ends."""
    if source[at] == '"':
        quoted = _QUOTED.match(source, at)
        return _text(SYMBOLS["text"], quoted[1] if quoted else ""), quoted.end() if quoted else at + 1
    if (name := _longest_name(source, at)) is not None:
        symbol, end = SYMBOLS[name], at + len(name)
        if symbol.role not in ("text", "style"):
            return Token(symbol, name, False), end
        content = _BRACKETED.match(source, end)
        written = next((part for part in content.groups() if part is not None), "") if content else ""
        return _text(symbol, written), content.end() if content else end
    if number := _NUMBER.match(source, at):
        return Token(Symbol("sign", number[0]), number[0], False), number.end()
    char = source[at]
    return Token(CHARACTERS.get(char) or Symbol("sign", _written(char)), char, False), at + 1


def _text(symbol: Symbol, content: str) -> Token:
    return Token(symbol, symbol.tex, False, content)


def _written(char: str) -> str:
    """A character as TeX writes it; letters that no alphabet of formulas has are text."""
    return f"\\text{{{char}}}" if char.isalpha() and not char.isascii() else char if char.isprintable() else ""


def _longest_name(source: str, at: int) -> str | None:
    lengths = range(min(LONGEST, len(source) - at), 0, -1)
    return next((source[at : at + length] for length in lengths if source[at : at + length] in SYMBOLS), None)


def _pair(tokens: list[Token]) -> None:
    """Settles which bars open and close, and which stand alone as in `a | b`. An unopened bracket is a sign."""
    opened: list[int] = []
    for index, token in enumerate(tokens):
        role, inner = token.symbol.role, tokens[opened[-1]] if opened else None
        if role == "bar" and inner is not None and inner.symbol.role == "bar":
            inner.symbol, token.symbol = _OPENED, _CLOSED
            opened.pop()
        elif role == "left" or (role == "bar" and not _precedes_comma(tokens, index)):
            opened.append(index)
        elif role == "right":
            if inner is not None and inner.symbol.role == "bar":
                opened.pop()
            if opened:
                opened.pop()
            else:
                token.symbol = Symbol("sign", token.symbol.tex or ":\\}")
    for token in tokens:
        if token.symbol.role == "bar":
            token.symbol = _MID


def _precedes_comma(tokens: list[Token], index: int) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].source == ","
