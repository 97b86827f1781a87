"""Code stays code: in backticks or fences, its dollars and backslashes hidden from the search for formulas."""

import re
from typing import TYPE_CHECKING

from resiliparse.parse.html import TEXT

if TYPE_CHECKING:
    from resiliparse.parse.html import DocumentNode, ElementNode

# The classes are how a page tells MathJax that the dollars of an element are dollars.
SELECTOR = "pre, code, kbd, samp, tt, textarea, [class]:is(.tex2jax_ignore, .mathjax_ignore)"
_INLINE = frozenset(("code", "kbd", "samp", "tt"))
_TAGS = _INLINE | {"pre", "textarea"}

# Code points that are no characters, so no page means them; of four bytes, since shorter ones pass for icons.
_HIDDEN: dict[int, str] = str.maketrans({"$": "\U0001fffe", "\\": "\U0001ffff", "[": "\U0002fffe"})
_SHOWN = {hidden: chr(plain) for plain, hidden in _HIDDEN.items()}
_DELIMITER = re.compile(r"[$\\]|\[/?(?:i?tex|math|latex)\]")


def is_verbatim(element: "ElementNode", tag: str) -> bool:
    """Whether delimiters in this element are not meant as such. GitLab writes formulas as `<code class="math">`."""
    classes = element.class_name or ""
    return "jax_ignore" in classes or (tag in _TAGS and "math" not in classes)


def mark_verbatim(element: "ElementNode", tag: str, document: "DocumentNode") -> None:
    """Fences a block of code, and hides every character that could open or close a formula.

    Inline code gets backticks where it holds such characters, so that `$x$` in it does not pass for a formula later.
    """
    text = element.text_content
    if _DELIMITER.search(text):
        _hide_delimiters(element)
        if tag in _INLINE and text.strip():  # not the code in a block: its block came first and hid it all
            _enclose(element, "`", "`", document)
    if tag == "pre" and text.strip():
        fence = "```" if "```" not in text else "````"
        _enclose(element, f"{fence}\n", f"\n{fence}" if not text.endswith("\n") else fence, document)


def show_delimiters(text: str) -> str:
    """Undoes the hiding."""
    for hidden, plain in _SHOWN.items():
        if hidden in text:
            text = text.replace(hidden, plain)
    return text


def _hide_delimiters(element: "ElementNode") -> None:
    texts = [node for node in element if node.type == TEXT]  # all of them first: a tree must not change on the way
    for node in texts:
        node.data = node.data.translate(_HIDDEN)


def _enclose(element: "ElementNode", before: str, after: str, document: "DocumentNode") -> None:
    element.prepend(document.create_text_node(before))
    element.append(document.create_text_node(after))
