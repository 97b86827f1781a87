"""A tree of blocks and inline elements written as Markdown, formulas still tokens; nothing in prose is escaped.

It reads the vocabulary of HTML and the one that trafilatura reduces pages to (`head`, `list`, `item`, `lb`, `quote`,
`cell`). One pass over the tree without recursion, so that depth costs nothing.
"""

import re
from dataclasses import dataclass, field

from lxml import etree

from curation.extract.content.emphasis import write_marks
from curation.extract.tokens import BLOCK, Tokens

_BREAK = "\u2028"  # a line break inside a block, until the block is written
_SKIPPED = frozenset((
    "script", "style", "noscript", "template", "title", "button", "select", "textarea", "svg", "iframe", "object",
    "video", "audio", "canvas", "nav", "input", "form", "graphic", "img",
))  # fmt: skip
_LISTS = frozenset(("ul", "ol", "dl", "list", "menu"))
_ITEMS = frozenset(("li", "item", "dt", "dd"))
_QUOTES = frozenset(("blockquote", "quote"))
_BLOCKS = frozenset((
    "p", "div", "section", "article", "main", "body", "center", "figure", "figcaption", "address", "details",
    "summary", "aside", "header", "footer", "fieldset", "table", "caption", "tr", "row", "tbody", "thead", "tfoot",
    "pre", "html", "hr",
))  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PROTECTABLE = frozenset(("pre", "code", "quote", "blockquote", "table"))
_SURE = frozenset(("pre", "code", "table"))
_ROWS = frozenset(("tr", "row"))
_MAX_ROW = 500  # chosen here: longer rows lay out a page
_CELLS = frozenset(("td", "th", "cell"))
_SPACES = re.compile(r"[ \t\r\n\f\v\u00a0]++")
_BARS = re.compile(r"^ ?+(?:\| )+|(?: \|)+ ?$")
_BREAKS = re.compile(rf" ?+{_BREAK}[ {_BREAK}]*+")


@dataclass(slots=True)
class _Frame:
    """A block that indents what it holds: an item with its marker, or a quotation."""

    marker: str
    written: bool = False
    term: bool = False

    @property
    def indent(self) -> str:
        return self.marker if self.marker == "> " else " " * len(self.marker)


@dataclass(slots=True)
class _Page:
    """What was written so far, and what is open."""

    lines: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    terms: list[bool] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    row: bool = False
    lists: int = 0
    last_list: int = 0


def write_markdown(root: etree._Element, tokens: Tokens) -> str:
    """The text of an element as Markdown: headings, lists, quotations, emphasis and code; links as their text."""
    page, whole = _Page(), None
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        name = _name(element)
        if event == "start":
            if name in _SKIPPED:
                walk.skip_subtree()
            elif name in _PROTECTABLE and element is not root and (token := _protected(element, tokens)):
                _flush(page)
                page.text.append(token)
                _flush(page)
                whole = element
                walk.skip_subtree()
            elif name in _ROWS and (row := _short_row(element)):
                _write_row(page, row)
                whole = element
                walk.skip_subtree()
            else:
                _open(page, element, name)
        else:
            if name not in _SKIPPED and element is not whole:
                _close(page, name)
            if element is not root and element.tail:
                page.text.append(element.tail)
    _flush(page)
    return "\n".join(page.lines).strip()


def _name(element: etree._Element) -> str:
    """The tag; that of trafilatura's headings by their level."""
    if element.tag != "head":
        return str(element.tag)
    level = element.get("rend") or ""
    return level if level in _HEADINGS else "h3"


def _protected(element: etree._Element, tokens: Tokens) -> str:
    """The token of a finished block, if this element holds its text and nothing else.

    Of a table or a listing one of the two tokens is enough: cells are dropped at times, but nothing is added.
    """
    if element.tag not in _SURE and tokens.opening not in next(filter(str.strip, element.itertext()), ""):
        return ""
    text = "".join(element.itertext()).strip()
    if tokens.opening not in text:
        return ""
    found = [token for token in tokens.pattern.finditer(text) if token[1] == BLOCK]
    if found and found[0].start() == 0 and (element.tag in _SURE or text.endswith(found[0][0])):
        return found[0][0]
    return found[-1][0] if found and element.tag in _SURE and found[-1].end() == len(text) else ""


def _open(page: _Page, element: etree._Element, name: str) -> None:
    if name in _LISTS:
        _flush(page)
        page.lists += not page.numbers
        page.numbers.append(0 if "ol" in (name, element.get("rend")) else None)
        page.terms.append(_has_terms(element))
    elif name in _ITEMS:
        _flush(page)
        marker = _marker(page, element, name)
        page.frames.append(_Frame(marker, term=not marker))
    elif name in _QUOTES:
        _flush(page)
        page.frames.append(_Frame("> "))
    elif name in _BLOCKS or name in _HEADINGS:
        _flush(page)
    elif name in ("br", "lb"):
        page.text.append(_BREAK)
    elif name == "code":
        page.code.append(len(page.text))
    elif name in _CELLS:
        page.text.append(" | " if page.text else "")
    if element.text:
        page.text.append(element.text)


def _close(page: _Page, name: str) -> None:
    if name in _LISTS:
        _flush(page)
        page.numbers.pop()
        page.terms.pop()
    elif name in _ITEMS or name in _QUOTES:
        _flush(page)
        page.frames.pop()
    elif name in _HEADINGS:
        _flush(page, "#" * _HEADINGS[name] + " ")
    elif name in _BLOCKS:
        _flush(page)
    elif name == "code":
        _enclose_code(page, page.code.pop())


def _has_terms(listing: etree._Element) -> bool:
    """Whether it defines terms; encyclopedias only indent with definitions of nothing."""
    if listing.tag == "dl":
        return next(listing.iter("dt"), None) is not None
    return any((item.get("rend") or "").startswith("dt") for item in listing)


def _short_row(row: etree._Element) -> str:
    """The cells of a row that fits a line, between bars; "" for other rows."""
    cells = [_SPACES.sub(" ", write_marks("".join(cell.itertext()).replace("\n", " "))).strip() for cell in row]
    text = " | ".join(filter(None, cells))
    return text if len(text) <= _MAX_ROW and len(cells) > 1 else ""


def _write_row(page: _Page, row: str) -> None:
    """A line of its own, right below the row before it."""
    _flush(page)
    follows = page.row and page.lines
    page.text.append(row)
    _flush(page)
    if follows and len(page.lines) > 1 and not page.lines[-2].strip():
        del page.lines[-2]
    page.row = True


def _marker(page: _Page, element: etree._Element, name: str) -> str:
    rend = element.get("rend") or ""
    if name == "dt" or rend.startswith("dt"):
        return ""
    if name == "dd" or rend.startswith("dd"):
        return ": " if page.terms and page.terms[-1] else ""
    if not page.numbers or page.numbers[-1] is None:
        return "- "
    page.numbers[-1] += 1
    return f"{page.numbers[-1]}. "


def _enclose_code(page: _Page, start: int) -> None:
    """Inline code in backticks; what it holds is the last of the collected text, unless a block came between."""
    text = "".join(page.text[start:])
    inner = text.strip()
    if inner and "`" not in inner:
        before, after = text[: text.index(inner)], text[text.index(inner) + len(inner) :]
        page.text[start:] = [f"{before}`{inner}`{after}"]


def _flush(page: _Page, heading: str = "") -> None:
    """Writes the collected text as a block of its own, indented by what is around it."""
    text = _BARS.sub("", _SPACES.sub(" ", write_marks("".join(page.text)))).strip()
    page.text.clear()
    if not text.strip(f" |{_BREAK}"):
        return
    text = _BREAKS.sub(lambda match: "\n\n" if match[0].count(_BREAK) > 1 else "\n", text).strip()
    if page.frames and page.frames[-1].term:
        text = text.replace("*", "") if text.count("*") % 2 == 0 else text  # signatures slant every parameter
    if heading:
        text = heading + " ".join(text.replace("*", "").split())
    in_list = page.lists if page.numbers else 0
    begins = any(not frame.written and frame.marker not in ("", "> ") for frame in page.frames)
    if page.lines and not (begins and in_list and in_list == page.last_list):
        page.lines.append("".join(frame.indent for frame in page.frames if frame.written).rstrip())
    page.last_list = in_list
    page.row = False
    first = "".join(frame.indent if frame.written else frame.marker for frame in page.frames)
    rest = "".join(frame.indent for frame in page.frames)
    for frame in page.frames:
        frame.written = True
    for number, line in enumerate(text.split("\n")):
        page.lines.append(((rest if number else first) + line).rstrip())
