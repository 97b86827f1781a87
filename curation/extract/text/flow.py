"""The text of a block as one string that remembers which node of the tree each character came from.

A formula may run through elements that only style it or break its line; in the flow it stands in one piece, and
`replace` puts a token where it was.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

_INLINE = frozenset(
    (
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "br", "cite", "del", "dfn", "em", "font", "i", "ins", "label",
        "mark", "nobr", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "time", "u", "var", "wbr",
    )
)  # fmt: skip
_SHIELDED = frozenset(
    (
        "pre", "code", "kbd", "samp", "tt", "textarea", "script", "style", "noscript", "template", "svg", "head",
        "title", "option", "button", "xmp", "iframe", "object",
    )
)  # fmt: skip
_IGNORED = "jax_ignore"  # tex2jax_ignore, mathjax_ignore: how a page tells MathJax that dollars are dollars
_SET_APART = "jax_"  # those, and tex2jax_process, which undoes them


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of the tree, `element.text` or `element.tail`, and where in the flow it begins."""

    start: int
    text: str
    element: "etree._Element"
    tail: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """Where in the flow an inline element begins or ends."""

    at: int
    element: "etree._Element"
    opens: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of a flow, and what stands in its place from now on."""

    start: int
    end: int
    replacement: str


class Flow:
    """A stretch of text without the bounds of a block in it. Line breaks are newlines that belong to no piece."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.edges: list[Edge] = []
        self.length = 0
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        """All of it."""
        if len(self._texts) > 1:
            self._texts = ["".join(self._texts)]
        return self._texts[0] if self._texts else ""

    def add(self, element: "etree._Element", tail: bool) -> None:
        """Appends a text of the tree."""
        if text := element.tail if tail else element.text:
            self.pieces.append(Piece(self.length, text, element, tail))
            self.add_text(text)

    def add_text(self, text: str) -> None:
        """Appends characters that stand nowhere in the tree, such as the newline of a `<br>`."""
        self._texts.append(text)
        self.length += len(text)

    def cross(self, element: "etree._Element", opens: bool) -> None:
        """Notes that an element begins or ends here."""
        self.edges.append(Edge(self.length, element, opens))

    def extend(self, other: "Flow") -> None:
        """Appends another flow on a line of its own."""
        self.add_text("\n")
        shift = self.length
        self.pieces += [Piece(piece.start + shift, piece.text, piece.element, piece.tail) for piece in other.pieces]
        self.edges += [Edge(edge.at + shift, edge.element, edge.opens) for edge in other.edges]
        self.add_text(other.text)

    def edges_within(self, start: int, end: int) -> list[Edge]:
        """The edges from `start` to `end`, in order."""
        return self.edges[bisect_left(self.edges, start, key=_place) : bisect_left(self.edges, end + 1, key=_place)]

    def replace(self, cuts: list[Cut]) -> None:
        """Writes the replacements, which are in order and apart, into the tree. Each text of it is set at most once.

        Elements wholly inside a cut become plain `<span>`s: to take them out would copy what follows each of them.
        """
        self._make_plain(cuts)
        number = 0
        for piece in self.pieces:
            end = piece.start + len(piece.text)
            while number < len(cuts) and cuts[number].end <= piece.start:
                number += 1
            if number == len(cuts):
                return
            if cuts[number].start < end:
                text = "".join(_kept(piece, cuts, number))
                if piece.tail:
                    piece.element.tail = text
                else:
                    piece.element.text = text

    def _make_plain(self, cuts: list[Cut]) -> None:
        number = 0
        opened: set[etree._Element] = set()
        for edge in self.edges:
            while number < len(cuts) and cuts[number].end < edge.at:
                number += 1
                opened.clear()
            if number == len(cuts):
                return
            if edge.opens and cuts[number].start <= edge.at < cuts[number].end:
                if edge.element.tag != "a" or cuts[number].start < edge.at:  # a link that begins a cut stays one
                    opened.add(edge.element)
            elif not edge.opens and edge.element in opened:
                edge.element.tag = "span"
                edge.element.attrib.clear()


def flows_of(block: "etree._Element") -> "Iterator[Flow]":
    """The stretches of text directly in this block, one before, between and after the blocks in it. Never recursive."""
    flow = Flow()
    flow.add(block, tail=False)
    path, inside = [iter(block)], list["etree._Element"]()
    while path:
        element = next(path[-1], None)
        if element is None:
            path.pop()
            if inside:
                flow.cross(inside[-1], opens=False)
                flow.add(inside.pop(), tail=True)
        elif is_inline(element):
            flow.cross(element, opens=True)
            if element.tag == "br":
                flow.add_text("\n")
            flow.add(element, tail=False)
            inside.append(element)
            path.append(iter(element))
        else:
            yield flow
            flow = Flow()
            flow.add(element, tail=True)
    yield flow


def is_inline(element: "etree._Element") -> bool:
    """Whether text runs on through this element. Code is none: no formula begins before it and ends in it."""
    return element.tag in _INLINE and _SET_APART not in element.get("class", "")


class Surroundings:
    """What lies around elements: their block, and whether code or the like does. Each element is looked at once."""

    def __init__(self) -> None:
        self._blocks: dict[etree._Element, etree._Element] = {}
        self._shielded: dict[etree._Element, bool] = {}

    def block(self, element: "etree._Element") -> "etree._Element":
        """The nearest element around (or at) this one that is not inline."""
        path: list[etree._Element] = []
        at = element
        while at not in self._blocks and is_inline(at) and (parent := at.getparent()) is not None:
            path.append(at)
            at = parent
        block = self._blocks.setdefault(at, at)
        self._blocks.update(dict.fromkeys(path, block))
        return block

    def shielded(self, element: "etree._Element") -> bool:
        """Whether this element or one around it is code, or says that nothing in it is a formula."""
        path: list[etree._Element] = []
        at: etree._Element | None = element
        found: bool | None = None
        while at is not None and found is None:
            path.append(at)
            found = self._shielded.get(at)
            if found is None:
                found = _shields(at)
            at = at.getparent()
        self._shielded.update(dict.fromkeys(path, bool(found)))
        return bool(found)


def _shields(element: "etree._Element") -> bool | None:
    if element.tag in _SHIELDED:
        return True
    classes = element.get("class", "")
    if _SET_APART in classes and ("jax_process" in classes or _IGNORED in classes):
        return "jax_process" not in classes
    return None


def _place(edge: Edge) -> int:
    return edge.at


def _kept(piece: Piece, cuts: list[Cut], number: int) -> "Iterator[str]":
    """What is left of a piece, with the replacements of the cuts that begin in it."""
    at, end = piece.start, piece.start + len(piece.text)
    while number < len(cuts) and cuts[number].start < end:
        cut = cuts[number]
        if cut.start >= at:
            yield piece.text[at - piece.start : cut.start - piece.start]
            yield cut.replacement
        at = cut.end
        number += 1
    if at < end:
        yield piece.text[at - piece.start :]
