"""What stands beside the text without being text: links to headings, edit buttons, marks that lead back to a note."""

import re

from lxml import etree

_LINKS = etree.XPath(
    "//a[contains(@class, 'headerlink') or contains(@class, 'anchor') or contains(@class, 'permalink')"
    " or contains(@class, 'hash-link') or contains(@class, 'back') or contains(@class, 'heading-link')"
    " or contains(@class, 'source') or contains(@rel, 'bookmark') or starts-with(@href, '#')]"
)
_GONE = ("mw-editsection", "mw-cite-backlink", "viewcode", "copybtn", "fn-backref", "footnote-back", "reversefootnote")
_HIDDEN = ("visually-hidden", "sr-only", "MathJax_Preview")
_CLASS_VALUES = etree.XPath("//@class", smart_strings=False)
_ANY_CLASS = re.compile("|".join((*_GONE, *_HIDDEN)))
_BY_CLASS = etree.XPath(  # slow, so only where such a class is there
    "//*[@class and (" + " or ".join(f"contains(@class, '{name}')" for name in (*_GONE, *_HIDDEN)) + ")]"
)
_MARKS = re.compile(r"[#¶§🔗↑↩⏎^︎️\ue0cb\uf0c1\s]*|\[?(?:source|edit|link)\]?|permalink|anchor", re.IGNORECASE)
_NEIGHBOURS = etree.XPath("//a[@rel='next' or @rel='prev' or @rel='previous' or @rel='up' or @accesskey]")
_NEIGHBOUR_WORDS = re.compile(r"[\W_]|next|prev(?:ious)?|up|top|home|contents|index", re.IGNORECASE)
_MAX_NEIGHBOURS = 12  # chosen here: links to read; the lines that lead on stand above and below a page's text
_MAX_MARK = 40
_MAX_LEFT = 12  # chosen here: letters beside the links of a line that leads to other pages
_CLASSIFIERS = etree.XPath("//dt/span[@class='classifier']")
_BULLET = re.compile(r"\s*(?:[•·‣◦▪∙]|\d{1,3}\.)\s*")
_TAGGED = etree.XPath("//li/span[contains(@class, 'ltx_tag')] | //li/*[1][self::span and string-length(.) < 5]")


def drop_furniture(root: etree._Element) -> None:
    """Takes these elements out of the tree, and straightens a few others that the choosers misread."""
    by_class = _BY_CLASS(root) if _ANY_CLASS.search(" ".join(_CLASS_VALUES(root))) else []
    for element in dict.fromkeys((*_LINKS(root), *by_class)):
        classes = element.get("class") or ""
        if any(name in classes for name in _GONE) or _MARKS.fullmatch(_beginning(element)):
            _empty(element)
    for link in _NEIGHBOURS(root)[:_MAX_NEIGHBOURS]:
        _drop_neighbours(link)
    for label in _TAGGED(root):
        if _BULLET.fullmatch(_beginning(label)):
            _empty(label)  # the list has its own
    for classifier in _CLASSIFIERS(root):
        classifier.text = " : " + (classifier.text or "")  # style sheets put it there
    for quote in root.iter("q"):
        _turn_into_quoted(quote)
    for variable in root.iter("var"):
        variable.tag = "i"


def drop_menus(root: etree._Element) -> None:
    """Takes out every `<nav>` that is links for the most part.

    trafilatura gathers paragraphs from anywhere where it finds little text, and a page of formulas has little once they
    are words.
    """
    for menu in list(root.iter("nav")):
        text = "".join(menu.itertext())
        linked = sum(len("".join(link.itertext())) for link in menu.iter("a"))
        if linked * 2 > len(text) - text.count(" ") - text.count("\n"):
            _empty(menu)


def _drop_neighbours(link: etree._Element) -> None:
    """Takes out the line "Next: …, Previous: …, Up: …" around a link, if nothing else stands in it."""
    line = next(link.iterancestors("p", "div", "td", "table", "ul"), None)
    if line is None:
        return
    text = "".join(line.itertext())
    linked = "".join(text for other in line.iter("a") for text in other.itertext())
    if len(text) < 1_000 and len(_NEIGHBOUR_WORDS.sub("", text)) - len(_NEIGHBOUR_WORDS.sub("", linked)) <= _MAX_LEFT:
        _empty(line)


def _turn_into_quoted(quote: etree._Element) -> None:
    """A quotation inside a sentence is taken for a block otherwise."""
    quote.tag = "span"
    quote.text = "“" + (quote.text or "")
    if len(quote):
        quote[-1].tail = (quote[-1].tail or "") + "”"
    else:
        quote.text += "”"


def _beginning(element: etree._Element) -> str:
    """The first texts in an element, enough of them to tell a mark from words."""
    text = ""
    for part in element.itertext():
        text += part
        if len(text) > _MAX_MARK:
            break
    return text


def _empty(element: etree._Element) -> None:
    del element[:]
    element.text = None
