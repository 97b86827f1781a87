"""What plain text would lose of a page's shape: levels of headings, raised and lowered letters."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resiliparse.parse.html import DocumentNode, ElementNode

_MARK = "\U0003fffe"  # a code point that is no character, so no page means it
_LEVELS = {f"h{level}": _MARK * level + " " for level in range(1, 7)}
_MARKED = re.compile(f"^[ \t]*({_MARK}{{1,6}})[ \t]*(?=[^\\s{_MARK}])", re.MULTILINE)
_UNUSED = re.compile(f"^[ \t]*{_MARK}+[ \t]*\n+", re.MULTILINE)
SELECTOR = "h1, h2, h3, h4, h5, h6, sup, sub, a:is(.headerlink, .anchor, .anchor-link, .header-anchor, .hash-link)"
TAGS = frozenset((*_LEVELS, "sup", "sub", "a"))
_SCRIPT_CHARS = 24
_PERMALINKS = frozenset(("#", "¶", "§", "🔗", ""))
_NOTE = re.compile(r"st|nd|rd|th|TM|SM|®|™|[*†‡§¶]+|\[.*\]|\(\d+\)", re.IGNORECASE)
_ORDINAL = re.compile(r"[\dIVXLCM] ?(?:er|re|e|ème|o|a|º|ª)")
_BASE_CHARS = 4
_WORD = re.compile(r"[^\W\d_]{4}")
_BASE = re.compile(r"[\w)\]}|!']")


def mark_structure(element: "ElementNode", tag: str, document: "DocumentNode") -> None:
    """Changes an element that SELECTOR found so that its text will show more of its shape.

    Headings get a mark for their level, which `write_structure` turns into `#`, and lose their `#` links.
    `x<sup>2</sup>` becomes `x^2` (ten to the third must not read as 103), while ordinals and notes stay.
    """
    if tag in _LEVELS:
        element.prepend(document.create_text_node(_LEVELS[tag]))
    elif tag == "a":
        if element.text_content.strip() in _PERMALINKS:
            element.remove()
    else:
        _mark_script(element, document)


def write_structure(text: str) -> str:
    """The text with `#` for the marks that begin a line; those of empty headings, and of headings in cells, go."""
    if _MARK not in text:
        return text
    text = _MARKED.sub(lambda mark: "#" * len(mark[1]) + " ", text)
    return _UNUSED.sub("", text).replace(_MARK, "") if _MARK in text else text


def _mark_script(element: "ElementNode", document: "DocumentNode") -> None:
    """Writes `^` or `_` in front of a short superscript or subscript, with braces where it has several characters."""
    script = element.text_content.strip()
    if not script or len(script) > _SCRIPT_CHARS or _NOTE.fullmatch(script):
        return
    if element.first_element_child is not None and element.query_selector("a, sup, sub, img") is not None:
        return
    before, raised = element.previous_sibling, element.tag == "sup"
    base = before.text_content[-_BASE_CHARS:] if before is not None else ""
    if not base or not _BASE.match(base[-1]):
        return
    if raised and (_ORDINAL.fullmatch(base[-1] + script) or (script.isdigit() and _WORD.fullmatch(base))):
        return
    braces = ("{", "}") if len(script) > 1 else ("", "")
    element.prepend(document.create_text_node(("^" if raised else "_") + braces[0]))
    element.append(document.create_text_node(braces[1]))
