"""What in a page of formulas leads choosers of main content astray: bare formulas, links beside them, many articles.

Text that stands bare beside paragraphs is dropped, short blocks with links are taken for menus, and of many articles
(exercises, theorems) the first one is taken for the page.
"""

from lxml import etree

from curation.extract.tokens import Tokens

_CONTAINERS = ("div", "section", "center", "article", "main", "body")
_AROUND = ("div", "p", "li", "dd", "ul", "ol", "dl", "section", "blockquote")
_LENGTH = etree.XPath("string-length(normalize-space(.))")
_SHORT = 400  # characters, chosen here; trafilatura judges blocks by their links up to 300
_MAX_ARTICLES = 200  # to look at, chosen here
_INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "br", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img",
))  # fmt: skip


def settle_formulas(root: etree._Element, tokens: Tokens) -> None:
    """Makes bare text with formulas paragraphs, links in short blocks around formulas text, and articles sections."""
    if not tokens.formulas:
        return
    here = f"text()[contains(., '{tokens.opening}')]"
    for block in root.xpath(" | ".join(f"//{tag}[{here}]" for tag in _CONTAINERS)):
        if (
            block.tag in ("div", "center")
            and len(block)
            and all(part.tag in _INLINE for part in block.iterdescendants())
        ):
            block.tag = "p"
        else:
            _wrap_runs(block)
    _unlink_short(root.xpath(f"//*[{here}][not(ancestor-or-self::a)]"))
    _merge_articles(root, tokens)


def _unlink_short(hosts: list[etree._Element]) -> None:
    """Turns links into plain text in the largest short block around each formula; encyclopedias link every word."""
    short: dict[etree._Element, bool] = {}
    for host in hosts:
        block = host
        for around in host.iterancestors(*_AROUND):
            if around not in short:
                short[around] = float(_LENGTH(around)) <= _SHORT
            if not short[around]:
                break
            block = around
        for link in list(block.iter("a")):
            link.tag = "span"


def _merge_articles(root: etree._Element, tokens: Tokens) -> None:
    """Articles none of which holds half of the formulas are parts of the page."""
    articles = list(root.iter("article"))
    if len(articles) < 2:
        return
    most = max("".join(article.itertext()).count(tokens.opening) for article in articles[:_MAX_ARTICLES])
    if most < tokens.formulas / 2:
        for article in articles:
            article.tag = "section"


def _wrap_runs(block: etree._Element) -> None:
    run = block.makeelement("p")
    run.text, block.text = block.text, None
    for child in list(block):
        if child.tag in _INLINE:
            run.append(child)
            continue
        _insert_before(child, run)
        run = block.makeelement("p")
        run.text, child.tail = child.tail, None
    if len(run) or (run.text or "").strip():
        block.append(run)


def _insert_before(child: etree._Element, run: etree._Element) -> None:
    if len(run) or (run.text or "").strip():
        child.addprevious(run)
