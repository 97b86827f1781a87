"""Where the main-content chooser errs on mathematics, and what is changed in a page beforehand so that it does not."""

from typing import TYPE_CHECKING

from curation.extract.tokens import Tokens

if TYPE_CHECKING:
    from resiliparse.parse.html import DocumentNode, ElementNode

# Lists so close to the body are taken for menus, whatever they hold.
SHALLOW_LISTS = "body > ul, body > * > ul, body > * > * > ul"
_LEVELS = 3
# Above these it drops a block as a cluster of links; articles only below a length.
_LINK_SHARE = 0.2
_ARTICLE_CHARS = 500


def correct_choice(document: "DocumentNode", html: bytes, tokens: Tokens) -> None:
    """Changes links and class names that would cost a page its theorems. Formulas must be tokens already."""
    if b"m-like" in html:
        _rename_theorems(document)
    if tokens.formulas and (b"<ul" in html or b"<article" in html):
        _unlink_formula_blocks(document, tokens)


def deepen_list(element: "ElementNode", document: "DocumentNode") -> None:
    """Moves a list down so that it is judged by its links, as all others are, and not by its place."""
    innermost = outermost = document.create_element("div")
    element.replace_with(outermost)
    for _ in range(_LEVELS - 1):
        innermost = innermost.append_child(document.create_element("div"))
    innermost.append_child(element)


def _rename_theorems(document: "DocumentNode") -> None:
    """PreTeXt's class `theorem-like` is taken for a "like" button, since `m-like` would be one."""
    for element in document.query_selector_all('[class*="m-like"]').values():
        element.class_name = element.class_name.replace("m-like", "m_like")


def _unlink_formula_blocks(document: "DocumentNode", tokens: Tokens) -> None:
    """Turns links into plain text where formulas stand beside them and the links would cost the block.

    Encyclopedias link every second word of a theorem. A table of contents with formulas in its links stays one.
    """
    for block in document.query_selector_all("ul, article").values():
        text = block.text_content
        if tokens.opening not in text:
            continue
        length = len(" ".join(text.split()))
        if block.tag == "article" and length > _ARTICLE_CHARS:
            continue
        links = block.query_selector_all("a").values()
        linked = " ".join(link.text_content for link in links)
        if len(linked) > _LINK_SHARE * length and text.count(tokens.opening) > linked.count(tokens.opening):
            for link in links:
                _unlink(link)


def _unlink(link: "ElementNode") -> None:
    children = link.child_nodes.values()
    if children:
        link.replace_with(*children)
