"""The markup of one formula, as a page holds it, made a tree that the notations read."""

from lxml import etree

from curation.extract.clean import parsable

MAX_CHARS = 400_000  # chosen here; KaTeX writes some 100 characters of markup for each of TeX
_PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}


class Unconvertible(ValueError):
    """A formula that has no LaTeX; the message is a stable word that says why, such as `unknown_glyph`."""


def read_markup(markup: str) -> etree._Element:
    """The root element of a formula's markup, as an HTML5 parser serialises it (or as XML). Raises Unconvertible."""
    if len(markup) > MAX_CHARS:
        raise Unconvertible("too_large")
    source = parsable(markup).replace("&nbsp;", "\u00a0")
    try:
        root = etree.fromstring(source.encode(), etree.XMLParser(recover=True, huge_tree=False, **_PARSER_OPTIONS))
    except etree.XMLSyntaxError:  # nothing at all, which even recovery refuses
        raise Unconvertible("no_markup") from None
    if root is None:
        raise Unconvertible("no_markup")
    return root
