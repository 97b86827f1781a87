"""The delimiters that a page sets its formulas off with, as it tells MathJax or KaTeX; nothing of it is executed."""

import re
from itertools import islice
from typing import TYPE_CHECKING

from curation.extract.text.delimiters import Delimiters, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

# One pattern for each word: a search for a fixed beginning is ten times as fast as one for several.
_SETTINGS = [
    re.compile(word + rb"""["']?\s*[:=]\s*(?=[\[{])""") for word in (b"inlineMath", b"displayMath", b"delimiters")
]
_TOKEN = re.compile(r"""[\[\]{}]|"((?:[^"\\\n]|\\.)*+)"|'((?:[^'\\\n]|\\.)*+)'|(left|right|display)\s*:|true|false|;""")
_MAX_SETTINGS = 20
_MAX_CHARS = 1_500
_ESCAPE = re.compile(r"\\(.)")
_SIGN = re.compile(r"[^\s\"'\w]\S{0,23}")
_USUAL = frozenset(("$", "$$", "\\(", "\\[", "`", "\\begin", "[itex]", "[latex]"))
_FORUM = (Pair("##", "##", False), Pair("[tex]", "[/tex]", True))  # physicsforums.com, whose settings lie elsewhere
_CODEFORCES = (Pair("$$$", "$$$", False), Pair("$$$$$$", "$$$$$$", True))
_THREE_DOLLARS = re.compile(rb"\$\$\$")  # a pattern that begins with one known byte is three times as fast as `in`
_REDDIT_SIGN = re.compile(rb"\[;")
_REDDIT = Pair("[;", ";]", False, declared=False)  # read by an add-on of the browser, so no page declares it


def read_delimiters(html: bytes) -> Delimiters:
    """What this page's settings say counts as a delimiter; without any, the usual ones and those known of its site."""
    pairs = dict.fromkeys(pair for setting in _settings(html) for pair in setting)
    inline = [pair.opening for pair in pairs if not pair.display]
    own = [pair for pair in pairs if pair.opening not in _USUAL]
    if _REDDIT_SIGN.search(html):
        own.append(_REDDIT)
    if b"physicsforums" in html:
        own += _FORUM
    if _THREE_DOLLARS.search(html) and b"codeforces" in html:
        own += _CODEFORCES
    first = {pair.opening: pair for pair in reversed(own)}
    return Delimiters(tuple(reversed(first.values())), "$" in inline if inline else None, wide=True)


def _settings(html: bytes) -> "Iterator[list[Pair]]":
    for pattern in _SETTINGS:
        for setting in islice(pattern.finditer(html), _MAX_SETTINGS):
            source = html[setting.end() : setting.end() + _MAX_CHARS].decode("utf-8", "replace")
            if setting[0].startswith(b"delimiters"):
                yield _read_objects(source)
            else:
                yield _read_lists(source, display=setting[0].startswith(b"displayMath"))


def _read_lists(source: str, display: bool) -> list[Pair]:
    """MathJax: `[['$', '$'], ['\\(', '\\)']]`, or an object with such a list in it."""
    signs: list[str] = []
    brackets = braces = 0
    for token in _TOKEN.finditer(source):
        if token[0] in "[]":
            brackets += 1 if token[0] == "[" else -1
        elif token[0] in "{}":
            braces += 1 if token[0] == "{" else -1
        elif brackets == 2 and token[0][0] in "\"'":
            signs.append(_string(token))
        if brackets <= 0 and braces <= 0:
            break
    return _paired(signs, display)


def _read_objects(source: str) -> list[Pair]:
    """KaTeX: `[{left: "$$", right: "$$", display: true}, …]`."""
    pairs: list[Pair] = []
    found: dict[str, str] = {}
    key = ""
    for token in _TOKEN.finditer(source):
        if token[0] == "]":
            break
        if token[0] == "}":
            pairs += _paired([found.get("left", ""), found.get("right", "")], found.get("display") == "true")
            found = {}
        elif token[3]:
            key = token[3]
        elif token[0][0] in "\"'":
            text = _string(token)
            found, key = (found, text) if text in ("left", "right", "display") else (found | {key: text}, "")
        elif token[0] in ("true", "false"):
            found[key] = token[0]
    return pairs


def _string(token: re.Match[str]) -> str:
    """The value of a string of JavaScript."""
    return _ESCAPE.sub(r"\1", token[1] if token[1] is not None else token[2])


def _paired(signs: list[str], display: bool) -> list[Pair]:
    pairs = zip(signs[::2], signs[1::2], strict=False)
    return [
        Pair(opening, closing, display)
        for opening, closing in pairs
        if _SIGN.fullmatch(opening) and _SIGN.fullmatch(closing)
    ]
