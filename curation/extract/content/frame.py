"""A frame around the content of pages that have none: manuals and notes whose text stands bare in the body.

Trafilatura looks for a container that is named like one. Where there is none it gathers paragraphs, code and tables
from all over the page, and headings, lists and definitions are lost.
"""

from lxml import etree
from trafilatura.xpaths import BODY_XPATH

_NAMED = [BODY_XPATH[number] for number in (1, 4, 0, 2, 3)]  # the quickest first: any of them will do
_LENGTH = etree.XPath("string-length(normalize-space(.))")
_SHARE = 0.9  # chosen here: a part of the page with less of its text is not all of its content
_MAX_LINKED = 0.35  # measured on 135 pages of six kinds without a frame: no kind loses
_LEAST = 0.5  # chosen here: of the text in paragraphs; a frame in which less was found has failed
_MAX_LEVELS = 20


def frame_content(root: etree._Element, has_formulas: bool) -> etree._Element | None:
    """The innermost container of nearly all of a page's text, now named as such; None if the page names one itself.

    A third of links, and the page is a shop or an index, of which gathered paragraphs are the better part.
    """
    body = root.find("body")
    if body is None or any(found(body) for found in _NAMED) or not (has_formulas or _is_prose(body)):
        return None
    container = _innermost(body)
    if container is body:
        container = _wrap_children(body)
    container.set("role", "article")
    return container


def frame_failed(root: etree._Element, found: str) -> bool:
    """Whether so little was found that the page's paragraphs, taken together, hold more than twice as much."""
    in_paragraphs = sum(float(_LENGTH(paragraph)) for paragraph in root.iter("p"))
    return len(found) < _LEAST * in_paragraphs


def _is_prose(body: etree._Element) -> bool:
    text = float(_LENGTH(body)) - sum(float(_LENGTH(code)) for code in body.iter("script", "style", "noscript"))
    return sum(float(_LENGTH(link)) for link in body.iter("a")) < _MAX_LINKED * text


def _innermost(body: etree._Element) -> etree._Element:
    container, length = body, float(_LENGTH(body))
    for _ in range(_MAX_LEVELS):
        parts = (child for child in container if child.tag in ("div", "section", "main", "article"))
        heavy = next((part for part in parts if float(_LENGTH(part)) >= _SHARE * length), None)
        if heavy is None:
            break
        container = heavy
    return container


def _wrap_children(body: etree._Element) -> etree._Element:
    wrapper = body.makeelement("div")
    wrapper.text, body.text = body.text, None
    wrapper.extend(list(body))
    body.append(wrapper)
    return wrapper
