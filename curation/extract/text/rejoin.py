"""The TeX of a formula that elements run through, as its author wrote it before it was made HTML."""

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from curation.extract.text.flow import Edge, Flow
    from curation.extract.tokens import Formula, Tokens

_SCRIPTS = {"sub": "_", "sup": "^"}
_EMPHASES = {"em": 1, "i": 1, "strong": 2, "b": 2}
_OPERAND_END = re.compile(r"[\w}\])'|!]")
_OPERAND = re.compile(r"[\w{\\]")
_ENTITY = re.compile(r"&(?:amp;)*(lt|gt|amp|quot|nbsp|apos|#0*39|#x0*27);")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "nbsp": " ", "apos": "'"}
_TEXT_BOX = re.compile(r"(\\(?:text\w*|[mhf]box)\s*\{[^{}]*\})")
_TYPOGRAPHY = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u2032": "'", "\u2033": "''", "\u2013": "-", "\u2212": "-", "\u2026": "\\ldots "}
)
_TYPOGRAPHIC = frozenset(map(chr, _TYPOGRAPHY))
_LOST_BREAK = re.compile(r"(?<!\\)\\[ \t]*\n")


class _Side(NamedTuple):
    """The characters before and after an edge."""

    before: str
    after: str


def source_of(flow: "Flow", start: int, end: int) -> str:
    """The TeX between two places of a flow, with what its elements stood for: `_` and `*` of Markdown, `^{2}` for 2
    raised, a new line for a `<br>`."""
    text, edges = flow.text, flow.edges_within(start, end)
    if not edges:
        return text[start:end]
    signs = _signs(text, edges, start, end)
    parts, at = [], start
    for edge, sign in zip(edges, signs, strict=True):
        parts += [text[at : edge.at], sign]
        at = edge.at
    return "".join([*parts, text[at:end]])


def repaired(tex: str, tokens: "Tokens") -> str:
    """TeX without the marks that a publishing system left on it: entities of entities, curly quotes, dashes for minus,
    a lone backslash for each line break of a matrix. Tokens of formulas inside it are that formula's TeX again."""
    if tokens.opening in tex:
        tex = tokens.pattern.sub(
            lambda token: getattr(tokens.entry(token), "tex", None) or str(tokens.entry(token)), tex
        )
    if "&" in tex and ";" in tex:
        tex = _ENTITY.sub(lambda entity: _ENTITIES.get(entity[1], "'"), tex)
    if not tex.isascii() and not _TYPOGRAPHIC.isdisjoint(tex):
        parts = _TEXT_BOX.split(tex)
        tex = "".join(part if index % 2 else part.translate(_TYPOGRAPHY) for index, part in enumerate(parts))
    if "\\\n" in tex and "&" in tex and "\\\\" not in tex:
        tex = _LOST_BREAK.sub(r"\\\\" + "\n", tex)
    return tex


def _bare(entry: "Formula | str | None") -> str:
    return entry if isinstance(entry, str) else entry.tex if entry else ""


def _signs(text: str, edges: "list[Edge]", start: int, end: int) -> list[str]:
    """What to write at each edge. An element that begins or ends outside of the formula only styled it."""
    signs = [""] * len(edges)
    opened: list[int] = []
    for index, edge in enumerate(edges):
        if edge.opens:
            opened.append(index)
        elif opened:
            first = opened.pop()
            signs[first], signs[index] = _around(text, edges[first], edge, start, end)
    return signs


def _around(text: str, opening: "Edge", closing: "Edge", start: int, end: int) -> tuple[str, str]:
    """What an element wholly inside a formula stands for: what to write before and after its content."""
    left = _Side(text[max(opening.at - 1, start) : opening.at], text[opening.at : opening.at + 1])
    right = _Side(text[closing.at - 1 : closing.at], text[closing.at : min(closing.at + 1, end)])
    tag = opening.element.tag
    if sign := _SCRIPTS.get(tag):
        mark = "" if left.before == sign else sign
        return (mark, "") if closing.at - opening.at == 1 else (mark + "{", "}")
    if count := _EMPHASES.get(tag):
        return _emphasis(left, right, count)
    return "", ""


def _emphasis(left: _Side, right: _Side, count: int) -> tuple[str, str]:
    """The marks of Markdown that became an emphasis, if marks at both its ends make sense in TeX; else none."""
    if _is_starred(left) and _is_starred(right):
        return "*" * count, "*" * count
    if _is_subscript(left) and _is_subscript(right):
        if count == 2:
            return "**", "**"
        return "" if left.before == "_" else "_", "" if "_" in (right.before, right.after) else "_"
    return "", ""


def _is_starred(side: _Side) -> bool:
    r"""As in `x^*` and `\begin{align*}`."""
    return side.before == "^" or (side.after == "}" and side.before.isalpha())


def _is_subscript(side: _Side) -> bool:
    if side.before == "_" or side.after == "_":
        return True
    return bool(_OPERAND_END.match(side.before) and _OPERAND.match(side.after))
