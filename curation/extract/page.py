"""A page opened for extraction: guarded, decoded, parsed; and the frame in which every extractor runs."""

from collections.abc import Callable
from dataclasses import dataclass

from resiliparse.parse.html import HTMLTree

from curation.extract.clean import clean
from curation.extract.decode import to_utf8
from curation.extract.guard import refuse_body, refuse_markup, refuse_tree
from curation.extract.outcome import Extraction, Refusal, refused
from curation.extract.tokens import Tokens

_TITLE_CHARS = 1_000


@dataclass(frozen=True)
class Page:
    """One page as a tree that an extractor may change, with the tokens of its formulas."""

    html: bytes
    charset: str
    tree: HTMLTree
    title: str | None
    tokens: Tokens


def extract_page(
    body: bytes, charset: str | None, content_type: str | None, extract: Callable[[Page], Extraction]
) -> Extraction:
    """What `extract` makes of a page, or why there is nothing. Never raises; the arguments alone decide.

    `charset` is the one of the HTTP header, `content_type` its media type; both may be missing or wrong.
    """
    if refusal := refuse_body(body, content_type):
        return refused(refusal)
    used = ""
    try:
        html, used = to_utf8(body, charset)
        if refusal := refuse_markup(html):
            return refused(refusal, used)
        page = _open(html, used)
        if refusal := refuse_tree(page.tree, html):
            return refused(refusal, used, page.title)
        return extract(page)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of the parser is no Exception; one bad page must not end a build
        return refused(Refusal("parse_error", f"{type(error).__name__}: {str(error)[:200]}"), used)


def no_text(page: Page) -> Extraction:
    """The outcome of a page that holds nothing but boilerplate."""
    refusal = Refusal("no_text", "The page has no text outside menus and other boilerplate.")
    return refused(refusal, page.charset, page.title)


def _open(html: bytes, charset: str) -> Page:
    tree = HTMLTree.parse_from_bytes(_without_prefixes(html))
    title = " ".join(clean(tree.title or "")[:_TITLE_CHARS].split()) or None
    return Page(html, charset, tree, title, Tokens(html))


def _without_prefixes(html: bytes) -> bytes:
    """The page with `<mml:math>` as `<math>`: an HTML parser does not know that the two are one."""
    for prefix in (b"mml:", b"m:"):
        if b"<" + prefix + b"math" in html:
            html = html.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</")
    return html
