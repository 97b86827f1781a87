"""The markup of one formula, as a page holds it, made a tree that the notations read."""

import re

from lxml import etree

MAX_CHARS = 400_000  # chosen here; KaTeX writes some 100 characters of markup for each of TeX
_PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}
_BAD_CHARS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class Unconvertible(ValueError):
    """A formula that has no LaTeX; the message is a stable word that says why, such as `unknown_glyph`."""


def read_markup(markup: str) -> etree._Element:
    """The root element of a formula's markup, as an HTML5 parser serialises it (or as XML). Raises Unconvertible."""
    if len(markup) > MAX_CHARS:
        raise Unconvertible("too_large")
    source = _BAD_CHARS.sub("", markup).replace("&nbsp;", "\u00a0")
    root = etree.fromstring(source.encode(), etree.XMLParser(recover=True, huge_tree=False, **_PARSER_OPTIONS))
    if root is None:
        raise Unconvertible("no_markup")
    return root
