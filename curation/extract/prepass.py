"""The pass over a page's tree before its text is chosen: formulas become words, and structure becomes text."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from resiliparse.parse.html import TEXT

from curation.extract import carriers, images
from curation.extract.carriers import Carrier
from curation.extract.formulas import token_for
from curation.extract.plain import structure, verbatim
from curation.extract.plain.choice import SHALLOW_LISTS, correct_choice, deepen_list
from curation.extract.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resiliparse.parse.html import DocumentNode, DOMNode, ElementNode, HTMLTree

Tokenise = Callable[[Carrier, Tokens], str]

# Every carrier but pictures has one of these in its markup.
_MATH = (b"math", b"atex", b"Math", b"data-tex", b"data-expr", b"ql-formula")
_TEX_SIGNS = (b"\\", b"$", b"%5")  # a picture of a formula has TeX in its text or, escaped, in its address
_MARKS = (b"\\(", b"\\[", b"\\begin{")
_SCRIPTS = 'script[type^="math/"]'
_SCRIPT_TYPES = (b"math/tex", b"math/mml", b"math/asciimath")
_SCRIPT_NOTATIONS = {"math/mml": "mathml", "math/asciimath": "asciimath"}
_WITHOUT_TEXT = frozenset(("math", "img", "code"))
_BLOCKS = frozenset(("p", "div", "center", "dd", "figure", "pre"))
_RENDERED = ("MathJax", "mjx-chtml", "MJXc-display")


def mark(tree: "HTMLTree", html: bytes, tokens: Tokens) -> None:
    """Marks the structure of a page whose formulas are tokens already."""
    document, shielded = tree.document, []
    selector = ", ".join((structure.SELECTOR, SHALLOW_LISTS, verbatim.SELECTOR))
    for element in document.query_selector_all(selector).values():
        if not _mark(element, element.tag, document):
            shielded.append((element, element.tag))
    _finish(tree, html, tokens, shielded)


def prepare(tree: "HTMLTree", html: bytes, tokens: Tokens) -> None:
    """Replaces every formula carrier in the tree by its token, hides the delimiters in its code, marks its structure.

    One search over the tree finds all of these; what it looks for depends on the words that stand in `html`.
    Lists of found nodes are read by `values()`: iterating them takes quadratic time.
    """
    document = tree.document
    _take_scripts(document, html, tokens, token_for)
    selector, shielded, inside = _selector(html), [], 0
    for element in document.query_selector_all(selector).values():
        tag = element.tag
        if inside:
            inside -= 1
        elif _mark(element, tag, document):
            continue
        elif verbatim.is_verbatim(element, tag):
            shielded.append((element, tag))
        elif carrier := _read(element, tag):
            inside = _count_inside(element, selector)
            _put(element, tag, token_for(placed(carrier, element, tag), tokens), document)
    _finish(tree, html, tokens, shielded)


def take_carriers(tree: "HTMLTree", html: bytes, tokens: Tokens, tokenise: Tokenise) -> None:
    """Replaces every formula carrier in the tree by its token, and nothing else."""
    document, inside = tree.document, 0
    _take_scripts(document, html, tokens, tokenise)
    selector = ", ".join(_carrier_selectors(html))
    if not selector:
        return
    for element in document.query_selector_all(selector).values():
        tag = element.tag
        if inside:
            inside -= 1
        elif carrier := _read(element, tag):
            inside = _count_inside(element, selector)
            _put(element, tag, tokenise(placed(carrier, element, tag), tokens), document)


def _finish(tree: "HTMLTree", html: bytes, tokens: Tokens, shielded: "list[tuple[ElementNode, str]]") -> None:
    for element, tag in shielded:
        verbatim.mark_verbatim(element, tag, tree.document)
    correct_choice(tree.document, html, tokens)


def _mark(element: "ElementNode", tag: str, document: "DocumentNode") -> bool:
    """Whether this element only gives shape to the text; if so, its shape is marked."""
    if tag == "ul":
        deepen_list(element, document)
    elif tag in structure.TAGS:
        structure.mark_structure(element, tag, document)
    else:
        return False
    return True


def may_have_delimiters(html: bytes) -> bool:
    """Whether bare delimiters may stand in this page."""
    return b"$" in html or (b"\\" in html and any(mark in html for mark in _MARKS)) or b"tex]" in html


def _selector(html: bytes) -> str:
    parts = [structure.SELECTOR, SHALLOW_LISTS, "pre", *_carrier_selectors(html)]
    if may_have_delimiters(html):
        parts.append(verbatim.SELECTOR)
    return ", ".join(parts)


def _carrier_selectors(html: bytes) -> list[str]:
    if any(word in html for word in _MATH):
        return [carriers.SELECTOR, images.SELECTOR]
    return [images.SELECTOR] if any(sign in html for sign in _TEX_SIGNS) else []


def _read(element: "ElementNode", tag: str) -> Carrier | None:
    return images.read_image(element) if tag == "img" else carriers.read_carrier(element, tag)


def _count_inside(element: "ElementNode", selector: str) -> int:
    """How many found elements lie inside this one: they follow it in the list, and go with it."""
    return 0 if element.first_element_child is None else len(element.query_selector_all(selector))


def placed(carrier: Carrier, element: "ElementNode", tag: str) -> Carrier:
    """The carrier with `display` decided: a formula with a block of its own is displayed, if nothing says otherwise."""
    if carrier.display is not None:
        return carrier
    parent = element.parent_element
    alone = parent is not None and parent.tag in _BLOCKS and _ends(element.previous_sibling, element.next_sibling)
    return replace(carrier, display=tag in _BLOCKS or alone)


def _ends(before: "DOMNode | None", after: "DOMNode | None") -> bool:
    """Whether these two neighbours are nothing but white space at the ends of a block."""
    blank_before = before is None or (
        before.type == TEXT and not before.data.strip() and before.previous_sibling is None
    )
    return blank_before and (
        after is None or (after.type == TEXT and not after.data.strip() and after.next_sibling is None)
    )


def _put(element: "ElementNode", tag: str, token: str, document: "DocumentNode") -> None:
    """The token where the formula was. The element stays if it can hold text: it may be hidden, or a block."""
    if tag in _WITHOUT_TEXT:
        element.replace_with(document.create_text_node(token))
    elif tag == "pre":
        paragraph = document.create_element("p")
        paragraph.text_content = token
        element.replace_with(paragraph)
    else:
        element.text_content = token


def _take_scripts(document: "DocumentNode", html: bytes, tokens: Tokens, tokenise: Tokenise) -> None:
    """MathJax 2 keeps the source in a script after what it rendered from it; the script counts, the rest goes."""
    if not any(kind in html for kind in _SCRIPT_TYPES):
        return
    scripts = document.query_selector_all(_SCRIPTS).values()
    copies = [copy for script in scripts for copy in _copies(script)]  # all of them first: replaced scripts are gaps
    for copy in copies:
        copy.remove()
    for script in scripts:
        kind, source = (script.getattr("type") or "").lower(), script.text_content
        notation = _SCRIPT_NOTATIONS.get(kind.split(";")[0].strip())
        carrier = Carrier(notation or "mathjax-script", None if notation else source, "display" in kind, None, source)
        script.replace_with(document.create_text_node(tokenise(carrier, tokens)))


def _copies(script: "ElementNode") -> "Iterator[ElementNode]":
    copy = script.previous_element_sibling
    while copy is not None and any(name in (copy.class_name or "") for name in _RENDERED):
        yield copy
        copy = copy.previous_element_sibling
