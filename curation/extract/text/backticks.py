"""AsciiMath between backticks in the text of a page that says it writes so."""

import re
from typing import TYPE_CHECKING

from lxml import etree

from curation.extract.notation.asciimath import asciimath_to_tex
from curation.extract.notation.asciimath_pages import looks_like_asciimath, page_uses_asciimath
from curation.extract.notation.markup import Unconvertible
from curation.extract.text.flow import Surroundings
from curation.extract.tokens import Formula, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXTS = etree.XPath("descendant::text()[contains(., '`')]")
_PARAGRAPHS = frozenset(("p", "div", "center", "dd"))
_FEW = 4  # elements in a paragraph that is one formula
_FORMULA = re.compile(r"`([^`]{1,2000})`")


def take_asciimath(root: etree._Element, html: bytes, tokens: Tokens) -> None:
    """Replaces the AsciiMath in the text under `root` by tokens. Backticks on other pages are code, or nothing."""
    if b"`" not in html or not page_uses_asciimath(html):
        return
    surroundings = Surroundings()
    for text in _TEXTS(root):
        parent = text.getparent()
        around = parent.getparent() if text.is_tail else parent
        if around is not None and not surroundings.shielded(around):
            alone = bool(_FORMULA.fullmatch(text.strip())) and _fills(text, surroundings.block(around))
            _write(text, _FORMULA.sub(_tokenise(alone, tokens), text))


def _fills(text: str, block: etree._Element) -> bool:
    """Whether a paragraph holds this text and nothing else, so that its formula is displayed."""
    return block.tag in _PARAGRAPHS and len(block) < _FEW and "".join(block.itertext()).strip() == text.strip()


def _tokenise(alone: bool, tokens: Tokens) -> "Callable[[re.Match[str]], str]":
    def token(match: re.Match[str]) -> str:
        if not looks_like_asciimath(match[1]):
            return match[0]
        try:
            return tokens.add(Formula(asciimath_to_tex(match[1]), alone, "asciimath", converted=True))
        except Unconvertible as error:
            return tokens.add_unconverted(match[0], f"asciimath: {error}")

    return token


def _write(text: "etree._ElementUnicodeResult", written: str) -> None:
    parent = text.getparent()
    if text.is_tail:
        parent.tail = written
    else:
        parent.text = written
