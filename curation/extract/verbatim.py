"""Code keeps its dollars and backslashes: they are hidden from the search for formulas and put back afterwards."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resiliparse.parse.html import ElementNode

_TAGS = frozenset(("pre", "code", "kbd", "samp", "tt", "textarea"))
# The classes are how a page tells MathJax that the dollars of an element are dollars.
SELECTOR = "pre, code, kbd, samp, tt, textarea, [class]:is(.tex2jax_ignore, .mathjax_ignore)"

# Code points that are no characters, so no page means them; of four bytes, since shorter ones pass for icons.
_HIDDEN: dict[int, str] = str.maketrans({"$": "\U0001fffe", "\\": "\U0001ffff", "[": "\U0002fffe"})
_SHOWN = {hidden: chr(plain) for plain, hidden in _HIDDEN.items()}
_DELIMITER = re.compile(r"[$\\]|\[/?(?:i?tex|math|latex)\]")


def is_verbatim(element: "ElementNode", tag: str) -> bool:
    """Whether delimiters in this element are not meant as such. GitLab writes formulas as `<code class="math">`."""
    classes = element.class_name or ""
    return "jax_ignore" in classes or (tag in _TAGS and "math" not in classes)


def hide_delimiters(element: "ElementNode") -> None:
    """Replaces, in the text of this element, every character that could open or close a formula."""
    from resiliparse.parse.html import TEXT

    if not _DELIMITER.search(element.text_content):
        return
    texts = [node for node in element if node.type == TEXT]
    for node in texts:
        node.data = node.data.translate(_HIDDEN)


def show_delimiters(text: str) -> str:
    """Undoes `hide_delimiters`."""
    for hidden, plain in _SHOWN.items():
        if hidden in text:
            text = text.replace(hidden, plain)
    return text
