"""The pass over a page's tree before its text is chosen: formulas become words, and structure becomes text."""

import re
from typing import TYPE_CHECKING

from curation.extract import carriers, images, structure, verbatim
from curation.extract.carriers import Carrier
from curation.extract.choice import SHALLOW_LISTS, correct_choice, deepen_list
from curation.extract.formulas import token_for
from curation.extract.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resiliparse.parse.html import DocumentNode, ElementNode, HTMLTree

# Every carrier but pictures has one of these in its markup.
_MATH = (b"math", b"atex", b"Math", b"data-tex", b"data-expr")
_TEX_SIGNS = (b"\\", b"$", b"%5")  # a picture of a formula has TeX in its text or, escaped, in its address
_MARKS = (b"\\(", b"\\[", b"\\begin{")
_SCRIPTS = 'script[type^="math/"]'
_SCRIPT_TYPES = (b"math/tex", b"math/mml", b"math/asciimath")
_WITHOUT_TEXT = frozenset(("math", "img"))
_RENDERED = ("MathJax", "mjx-chtml", "MJXc-display")
_MARKUP = re.compile("<[^<>]*>")


def prepare(tree: "HTMLTree", html: bytes, tokens: Tokens) -> None:
    """Replaces every formula carrier in the tree by its token, hides the delimiters in its code, marks its structure.

    One search over the tree finds all of these; what it looks for depends on the words that stand in `html`.
    Lists of found nodes are read by `values()`: iterating them takes quadratic time.
    """
    document = tree.document
    if any(kind in html for kind in _SCRIPT_TYPES):
        _take_scripts(document, tokens)
    delimited = may_have_delimiters(html)
    selector, shielded, inside = _selector(html, delimited), [], 0
    for element in document.query_selector_all(selector).values():
        tag = element.tag
        if inside:
            inside -= 1
        elif tag == "ul":
            deepen_list(element, document)
        elif tag in structure.TAGS:
            structure.mark_structure(element, tag, document)
        elif verbatim.is_verbatim(element, tag):
            shielded.append((element, tag))
        elif carrier := images.read_image(element) if tag == "img" else carriers.read_carrier(element, tag):
            if element.first_element_child is not None:
                inside = len(element.query_selector_all(selector))  # they follow it in the list, and go with it
            _put(element, tag, token_for(carrier, tokens), document)
    for element, tag in shielded:
        verbatim.mark_verbatim(element, tag, document)
    correct_choice(document, html, tokens)


def may_have_delimiters(html: bytes) -> bool:
    """Whether bare delimiters may stand in this page."""
    return b"$" in html or (b"\\" in html and any(mark in html for mark in _MARKS)) or b"tex]" in html


def _selector(html: bytes, delimited: bool) -> str:
    selector = f"{structure.SELECTOR}, {SHALLOW_LISTS}, pre"
    if any(word in html for word in _MATH):
        selector += f", {carriers.SELECTOR}, {images.SELECTOR}"
    elif any(sign in html for sign in _TEX_SIGNS):
        selector += f", {images.SELECTOR}"
    return f"{selector}, {verbatim.SELECTOR}" if delimited else selector


def _put(element: "ElementNode", tag: str, token: str, document: "DocumentNode") -> None:
    """The token where the formula was. The element stays if it can hold text: it may be hidden, or a block."""
    if tag in _WITHOUT_TEXT:
        element.replace_with(document.create_text_node(token))
    else:
        element.text_content = token


def _take_scripts(document: "DocumentNode", tokens: Tokens) -> None:
    """MathJax 2 keeps the source in a script after what it rendered from it; the script counts, the rest goes."""
    scripts = document.query_selector_all(_SCRIPTS).values()
    copies = [copy for script in scripts for copy in _copies(script)]  # all of them first: replaced scripts are gaps
    for copy in copies:
        copy.remove()
    for script in scripts:
        kind, source = (script.getattr("type") or "").lower(), script.text_content
        tex = source if kind.startswith("math/tex") else None
        carrier = Carrier("mathjax-script", tex, "display" in kind, _MARKUP.sub(" ", source))
        script.replace_with(document.create_text_node(token_for(carrier, tokens)))


def _copies(script: "ElementNode") -> "Iterator[ElementNode]":
    copy = script.previous_element_sibling
    while copy is not None and any(name in (copy.class_name or "") for name in _RENDERED):
        yield copy
        copy = copy.previous_element_sibling
