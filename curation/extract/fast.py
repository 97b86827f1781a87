"""The fast extractor: one HTML page in, Markdown text with its formulas as LaTeX out, at about a page in 3 ms."""

import re

from resiliparse.extract.html2text import extract_plain_text

from curation.extract.clean import clean
from curation.extract.formulas import restore, take_delimited
from curation.extract.outcome import Extraction
from curation.extract.page import Page, extract_page, no_text
from curation.extract.plain.structure import write_structure
from curation.extract.plain.verbatim import show_delimiters
from curation.extract.prepass import prepare
from curation.extract.tokens import Tokens

_LINE_END = re.compile("(?<![ \t])[ \t]++$", re.MULTILINE)
_BULLET = re.compile("^( *)• ", re.MULTILINE)


def extract_fast(body: bytes, charset: str | None = None, content_type: str | None = None) -> Extraction:
    """The main text of a page, or why there is none. Never raises; the outcome depends on the arguments alone.

    `charset` is the one of the HTTP header, `content_type` its media type; both may be missing or wrong.
    """
    return extract_page(body, charset, content_type, read_fast)


def read_fast(page: Page) -> Extraction:
    """The outcome for an opened page."""
    prepare(page.tree, page.html, page.tokens)
    text = extract_plain_text(page.tree, main_content=True)
    text = take_delimited(text, page.html, page.tokens)
    kept = page.tokens.kept(text)
    text = write_plain(text, page.tokens)
    if not text:
        return no_text(page)
    return Extraction(text, title=page.title, extractor="fast", charset=page.charset).with_formulas(page.tokens, kept)


def write_plain(text: str, tokens: Tokens) -> str:
    """Markdown from the text of a marked tree: tokens become formulas, marks what they stand for."""
    text = clean(show_delimiters(write_structure(restore(text, tokens))))
    return _LINE_END.sub("", _BULLET.sub(r"\1- ", text)).strip()
