"""The main content of a page whose formulas are tokens, as Markdown that still holds them."""

import logging
from dataclasses import dataclass

from lxml import etree
from trafilatura import bare_extraction
from trafilatura.settings import Document

from curation.extract.content.code_blocks import protect_code
from curation.extract.content.emphasis import mark_inline
from curation.extract.content.forums import find_posts, write_thread
from curation.extract.content.frame import frame_content, frame_failed
from curation.extract.content.furniture import drop_furniture, drop_menus
from curation.extract.content.markdown import finish_markdown
from curation.extract.content.paragraphs import settle_formulas
from curation.extract.content.tables import protect_tables
from curation.extract.content.trusted import trust_text
from curation.extract.content.writer import write_markdown
from curation.extract.tokens import Tokens

_TITLE_WITHIN = 3_000  # characters from the beginning, chosen here; a heading further down is another one

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The main content as Markdown with tokens, and who chose it: `thread` or `trafilatura`."""

    markdown: str
    chooser: str


def protect(root: etree._Element, tokens: Tokens) -> None:
    """Makes a parsed page ready for the choice: furniture out, code and data tables kept by tokens."""
    protect_code(root, tokens)  # first, since highlighted code is most of the elements of a page that has any
    drop_furniture(root)
    if tokens.formulas:
        drop_menus(root)
    trust_text(root, tokens)
    mark_inline(root)
    protect_tables(root, tokens)
    settle_formulas(root, tokens)


def main_content(root: etree._Element, tokens: Tokens) -> Chosen:
    """What the page is about; empty if nothing was found. Changes the tree, which `protect` has seen."""
    if posts := find_posts(root):
        return Chosen(finish_markdown(write_thread(root, posts, tokens), tokens), "thread")
    frame = frame_content(root, tokens.formulas > 0)
    markdown = _choose(root, tokens)
    if frame is not None and frame_failed(root, markdown):
        del frame.attrib["role"]
        markdown = _choose(root, tokens)
    if tokens.formulas:
        markdown = _with_title(markdown, root, tokens)
    return Chosen(finish_markdown(markdown, tokens), "trafilatura")


def _with_title(markdown: str, root: etree._Element, tokens: Tokens) -> str:
    """The text below the page's main heading, if it has one and the choice left it out; a theorem is lost without."""
    headings = [heading for heading in root.iter("h1") if "".join(heading.itertext()).strip()]
    if len(headings) != 1:
        return markdown
    title = write_markdown(headings[0], tokens).removeprefix("# ")
    known = _letters(title) in _letters(markdown[:_TITLE_WITHIN])
    return markdown if known or "\n" in title else f"# {title}\n\n{markdown}".strip()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def _choose(root: etree._Element, tokens: Tokens) -> str:
    """What trafilatura finds, in its default mode; it works on a copy of the tree."""
    document = bare_extraction(root, output_format="markdown", include_formatting=False)
    bodies = (document.body, document.commentsbody) if isinstance(document, Document) else ()
    return "\n\n".join(text for body in bodies if body is not None and (text := write_markdown(body, tokens)))
