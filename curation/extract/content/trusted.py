"""Text that choosers of main content mistake for furniture: by the name of a section, or because it stands aside."""

import re

from lxml import etree

from curation.extract.tokens import Tokens

_NAMED_PARTS = etree.XPath(
    "//*[@id][self::section or self::article or (self::div and (h1 or h2 or h3 or h4 or h5 or h6))]"
)
_HEADING = etree.XPath("string((h1|h2|h3|h4|h5|h6)[1])")
_NAMED = etree.XPath("descendant-or-self::*[starts-with(@id, $name)]")
# What trafilatura drops by the id of an element; a section on related rates, or on social choice, has such an id too.
_FURNITURE = re.compile(
    r"share|social|viral|newsletter|syndication|tags|sidebar|banner|bread-?crumb|button|author|footer|nav|menu|related"
    r"|message|premium|comment",
    re.IGNORECASE,
)
_ASIDES = re.compile(r"(?:^|\s)(?:topic|admonition|note|warning|tip|footnote(?:-list)?|example|remark)(?:\s|$)")
_MOST_LINKED = 0.3  # of the text; a box of related pages has such a title too


def trust_text(root: etree._Element, tokens: Tokens) -> None:
    """Renames sections that sound like furniture, and asides that say something, so that they are judged by their text.

    A section loses its id where its title has the same word in it or where it holds formulas, and so do the parts
    numbered after it. An aside says something if it holds formulas, or is what documentation tools write their notes
    as. A part that is links for the most part is a box of related pages in any case.
    """
    for part in _NAMED_PARTS(root):
        name = part.get("id", "")
        if (word := _FURNITURE.search(name)) and _is_misnamed(part, word[0].lower(), tokens):
            for element in _NAMED(part, name=name):
                del element.attrib["id"]
    for aside in list(root.iter("aside")):
        if (_ASIDES.search(aside.get("class", "")) or _has_formula(aside, tokens)) and _is_text(aside):
            aside.tag = "section"
            aside.attrib.clear()


def _is_misnamed(part: etree._Element, word: str, tokens: Tokens) -> bool:
    return (word in _HEADING(part).lower() or (part.tag != "div" and _has_formula(part, tokens))) and _is_text(part)


def _has_formula(element: etree._Element, tokens: Tokens) -> bool:
    return tokens.formulas > 0 and tokens.pattern.search("".join(element.itertext())) is not None


def _is_text(section: etree._Element) -> bool:
    links = sum(len("".join(link.itertext())) for link in section.iter("a"))
    return links < _MOST_LINKED * len("".join(section.itertext()))
