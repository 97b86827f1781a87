"""One normal form of text for every classifier, so that training and scoring see the same words.

The text of a web page (`$…$` formulas, glyphs such as ≤ and α, typographic quotes) and that of a LaTeX file (commands,
environments, labels) come out alike: lower-case words, LaTeX commands as single words, the glyphs of mathematics under
the name of their command, digits as zeros, no punctuation. Source of the idea: the preprocessing of MegaMath's math
filter (MegaMath paper section 2.1.3), which deletes commands' backslashes and keeps no symbols.
"""

import re
import unicodedata
from functools import lru_cache

from classifiers.latex_words import COMMAND_WORDS, GLYPH_WORDS, GREEK_WORDS

REVISION = 1
"""Raised with every change that alters the normal form: models of another revision are refused."""

LONGEST_WORD = 40
"""Bytes of UTF-8; longer words are base64, hashes and the like (chosen here)."""

_SYMBOLS = b"=+<>^|/*"
_SHORT_RUN = 16
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_GREEK_WORD = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]{3,}")
_COMMAND = re.compile(rb"\\(?:[a-z]+|[\x00-\x7f]?)")
_ACCENTS = frozenset((b"\\'", b"\\`", b'\\"', b"\\^", b"\\~"))
_BEGIN = re.compile(rb"\\begin ?\{([a-z]{1,30})\*?\}")
_REFERENCE = re.compile(
    rb"\\(?:label|(?:page|eq|auto|c)?ref|[a-z]?cite[a-z]?|url|href|includegraphics|input|usepackage|end|[hv]space"
    rb"|pml[a-z]{3,20}|bibitem|index)\*? ?(?:\[[^\]\n]{0,80}\])?\{[^{}\n]{0,200}\}"
)
_ADDRESS = re.compile(rb"https?://\S+")


def _byte_table() -> bytes:
    """What each byte of lower-case UTF-8 becomes: letters and bytes above 127 stay, digits are 0, the rest is space."""
    kept = bytes(range(ord("a"), ord("z") + 1)) + _SYMBOLS + b"\\"
    return bytes(
        byte if byte > 127 or byte in kept else ord("0") if chr(byte).isdigit() else ord(" ") for byte in range(256)
    )


_BYTES = _byte_table()


def normalise(text: str) -> str:
    """The words of `text` in normal form, joined by single spaces: one line, never a line break.

    Linear in the length of the text. Characters that UTF-8 cannot hold (lone surrogates) disappear.
    """
    if not text.isascii():
        text = _NON_ASCII.sub(_plain_run, text)
    line = text.lower().encode("utf-8", "ignore")
    line = _ADDRESS.sub(b" ", line)
    if b"\\" in line:
        line = _latex_as_words(line)
    line = line.translate(_BYTES, b"'")
    for symbol in _SYMBOLS:
        line = line.replace(bytes((symbol,)), b" %c " % symbol)
    return b" ".join([word for word in line.split() if len(word) <= LONGEST_WORD]).decode("utf-8")


def _latex_as_words(line: bytes) -> bytes:
    """The line with every LaTeX command standing alone, under its common name, or gone where it is layout."""
    line = _BEGIN.sub(rb" \1 ", line)
    line = _REFERENCE.sub(b" ", line)
    return _COMMAND.sub(_command_word, line)


def _command_word(match: re.Match[bytes]) -> bytes:
    command = match[0]
    if command in _ACCENTS:
        return b""  # Poincar\'e is Poincaré
    if not command[1:].isalpha():
        return b" "  # spacing, braces, line breaks
    return COMMAND_WORDS.get(command) or b" %b " % command


def _plain_run(match: re.Match[str]) -> str:
    run = match[0]
    return _plain_short_run(run) if len(run) <= _SHORT_RUN else _plain(run)


def _plain(run: str) -> str:
    """A run of non-ASCII characters with glyphs as commands, letters without accents, and no punctuation."""
    run = unicodedata.normalize("NFKD", run.replace("’", "'").translate(GLYPH_WORDS)).lower()
    if not _GREEK_WORD.search(run):
        run = run.translate(GREEK_WORDS)
    return "".join(character if character.isascii() or character.isalpha() else _gap(character) for character in run)


_plain_short_run = lru_cache(maxsize=16_384)(_plain)
"""The same for short runs, cached, since pages repeat the same few."""


def _gap(character: str) -> str:
    """Nothing for a combining mark, so that é and e with an accent after it are one; else a space."""
    return "" if unicodedata.category(character) == "Mn" else " "
