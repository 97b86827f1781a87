"""What the decoders of rendered formulas share: a bounded walk from the leaves up, and MathML made piece by piece."""

from collections.abc import Callable
from itertools import chain

from lxml import etree

from curation.extract.notation.markup import Unconvertible

MAX_DEPTH = 240  # libxml2 reads 256 levels and silently drops what is deeper, so a tree that deep may be cut

_PSEUDO = ("vlist", "layer", "scripts", "place", "glyph")

Row = list[etree._Element]
Rule = Callable[[etree._Element, list[Row]], Row]


def fold(root: etree._Element, rule: Rule) -> Row:
    """The row that `rule` makes of the root, given the rows of its children in order, and so on down to the leaves."""
    open_parts: list[list[Row]] = [[]]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            if len(open_parts) > MAX_DEPTH:
                raise Unconvertible("too_deep")
            open_parts.append([])
        else:
            parts = open_parts.pop()
            open_parts[-1].append(rule(element, parts))
    return open_parts[0][0]


def name(element: etree._Element) -> str:
    """The element's tag without its namespace."""
    return element.tag.rpartition("}")[2]


def words(element: etree._Element) -> list[str]:
    """The classes of an element, without the prefix that KaTeX gives most of its own since 0.19."""
    return [word.removeprefix("katex-") for word in (element.get("class") or "").split()]


def joined(parts: list[Row]) -> Row:
    """The rows as one."""
    return list(chain.from_iterable(parts))


def node(tag: str, *children: etree._Element, text: str | None = None, **attributes: str) -> etree._Element:
    """A MathML element."""
    made = etree.Element(tag, attributes)
    made.text = text
    made.extend(children)
    return made


def group(row: Row) -> etree._Element:
    """The row as one element."""
    return row[0] if len(row) == 1 else node("mrow", *row)


def scripted(base: Row, under: Row, over: Row, limits: bool = False) -> etree._Element:
    """A base with what stands at its foot and its head; `limits` where they stand below and above it."""
    tags = ("munder", "mover", "munderover") if limits else ("msub", "msup", "msubsup")
    if under and over:
        return node(tags[2], group(base), group(under), group(over))
    return node(tags[0], group(base), group(under)) if under else node(tags[1], group(base), group(over))


def fenced(row: Row) -> etree._Element:
    """The row as one element whose first and last operators are the fences around the rest."""
    for fence in (row[0], row[-1]):
        fence.set("fence", "true")
        fence.set("stretchy", "true")
        fence.attrib.pop("minsize", None)
    return node("mrow", *row)


def whole(row: Row) -> etree._Element:
    """The finished formula. Raises Unconvertible where nothing is left of it, or a piece found no place."""
    made = node("math", *row)
    etree.strip_elements(made, "mark")  # strokes that mean nothing by themselves
    if next(made.iter(*_PSEUDO), None) is not None:
        raise Unconvertible("no_structure")
    if not any(piece.text or piece.tag == "mfrac" for piece in made.iter()):
        raise Unconvertible("empty")
    return made
