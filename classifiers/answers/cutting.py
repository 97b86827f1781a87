"""A text cut where its brackets allow: at commas, relations and the like that stand in no bracket."""

import re

_OPENING, _CLOSING = {"(", "[", "{", "\\{", "\\langle"}, {")", "]", "}", "\\}", "\\rangle"}
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9]|,[0-9])")


def without_thousands(text: str) -> str:
    """Without commas between groups of three digits, outside of brackets."""
    depths = _depths(text)
    return _THOUSANDS.sub(lambda found: found[0].replace(",", "") if depths[found.start()] == 0 else found[0], text)


def _depths(text: str) -> list[int]:
    """How many brackets are open at each character; round, square and curly ones are one kind."""
    depths, depth = [0] * len(text), 0
    for token in _TOKEN.finditer(text):
        depth -= token[0] in _CLOSING
        depths[token.start() : token.end()] = [depth] * len(token[0])
        depth += token[0] in _OPENING
    return depths


def split(text: str, separators: set[str]) -> list[tuple[str, str]]:
    """The text cut at separators outside of brackets: pairs of a separator (at first "") and the piece behind it."""
    cut, depth, start, before = [], 0, 0, ""
    for token in _TOKEN.finditer(text):
        depth += (token[0] in _OPENING) - (token[0] in _CLOSING)
        if depth == 0 and token[0] in separators:
            cut.append((before, text[start : token.start()].strip()))
            before, start = token[0], token.end()
    return [*cut, (before, text[start:].strip())]


def pieces(text: str, separators: set[str]) -> list[str]:
    """The same pieces alone, without empty ones."""
    return [piece for _, piece in split(text, separators) if piece]


def bracket_content(text: str) -> tuple[str, str] | None:
    """The brackets around the whole text, as two characters, and what they hold; None if it is not in brackets."""
    tokens = [*_TOKEN.finditer(text)]
    if len(tokens) < 2 or tokens[0][0] not in _OPENING or tokens[-1][0] not in _CLOSING:
        return None
    depth = 0
    for token in tokens[:-1]:
        depth += (token[0] in _OPENING) - (token[0] in _CLOSING)
        if depth == 0:
            return None
    return tokens[0][0] + tokens[-1][0], text[tokens[0].end() : tokens[-1].start()]
