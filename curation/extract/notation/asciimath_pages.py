"""Which pages write AsciiMath, and which of the texts between their backticks are formulas."""

import re
from itertools import pairwise

from curation.extract.notation.asciimath_tokens import read_tokens

MAX_CANDIDATE_CHARS = 1_000  # chosen here; backticks further apart belong to different formulas
_SIGNS = (
    b"config=am_",
    b"-am_chtml",
    b"-am_htmlormml",
    b"-am_svg",
    b"input/asciimath",
    b"asciimath2jax",
    b"asciimathml",
    b"asciimath.js",
    b"asciimath-",
)
_MAX_MENTIONS = 20
_QUOTED = re.compile(
    r'"[^"]*+"|\b(?:text|mbox|color|class|id)\s*+(?:\([^)]*+\)|\{[^}]*+\}|\[[^]]*+\])|\\(?:left|right)(?![A-Za-z])'
)
_PROSE = re.compile(
    r"(?<![A-Za-z\\])(?:the|is|are|was|with|this|that|you|your|from|of|for|can|will|type|when|use|get)(?![A-Za-z])"
)
_CODE = re.compile(
    r"(?<!\|)==|&&|\|\|\s|\w::\w|\+\+|\+=|;\s*+\Z|</|/>|<[a-z]+>|\$[A-Za-z{(]|\(\)|-->|<!|\#\{|=\s*+\"|:?//[a-z]{3}|--[a-z]{3}"
    r"|[A-Za-z]{3,}\.[a-z]{2,}|[a-z]{2,}[A-Z][a-z]{2,}|/[a-z]{3,}/|\A[.~]*+/[a-z]|@[a-z]{3,}"
    r"|(?<![A-Za-z])(?:print|import|return|void|null|string|https?|range|main)(?![A-Za-z])"
)
_SNAKE = re.compile(r"([A-Za-z]{3,})_(?=([A-Za-z]{3,}))")
_WORD = re.compile(r"[A-Za-z]{4,}")
_MAX_LOOSE_LETTERS = 4  # chosen here: `mgh` and `ABCD` are products and figures, `README` and `install` are words


def page_uses_asciimath(html: bytes) -> bool:
    """Whether a script of the page loads or configures a reader of AsciiMath; prose about one is no evidence."""
    lowered = html.lower()
    return any(_in_script(lowered, sign) for sign in _SIGNS)


def looks_like_asciimath(source: str) -> bool:
    """Whether what stands between two backticks of such a page is a formula rather than code or prose."""
    if not source.strip() or len(source) > MAX_CANDIDATE_CHARS or "\n\n" in source:
        return False
    bare = _QUOTED.sub(" ", source)
    if _PROSE.search(bare) or _CODE.search(bare):
        return False
    if any(_is_word(word[0]) for word in _WORD.finditer(bare)) or _words_in_a_row(bare):
        return False
    return not any(_loose_word(name[1]) and _loose_word(name[2]) for name in _SNAKE.finditer(bare))


def _in_script(lowered: bytes, sign: bytes) -> bool:
    at = lowered.find(sign)
    for _ in range(_MAX_MENTIONS):
        if at < 0:
            return False
        if lowered.rfind(b"<script", 0, at) > lowered.rfind(b"</script", 0, at):
            return True
        at = lowered.find(sign, at + 1)
    return False


def _is_word(letters: str) -> bool:
    """Whether AsciiMath would tear these letters apart: more than a few of them stand for themselves alone."""
    loose = sum(len(token.source) == 1 for token in read_tokens(letters))
    return loose > _MAX_LOOSE_LETTERS or (loose == len(letters) and not letters.isupper() and len(letters) > 3)


def _words_in_a_row(bare: str) -> bool:
    """Whether two or more words of letters without meaning follow each other, as they do in prose."""
    words = [_loose_word(word) for word in bare.split()]
    return any(first and second for first, second in pairwise(words))


def _loose_word(word: str) -> bool:
    plain = len(word) > 2 and word.isalpha() and word.islower()
    return plain and all(len(token.source) == 1 for token in read_tokens(word))
