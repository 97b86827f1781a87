"""The formulas that a reader of a Markdown text sees: what stands between delimiters, outside code."""

import re
from dataclasses import dataclass

_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+:]|\d{1,9}[.)])[ \t]+)*(?P<mark>`{3,}|~{3,})")  # an item may begin with code
_ENVIRONMENTS = "align|equation|gather|multline|eqnarray|alignat|flalign|displaymath"
_BOXED = r"\\(?:text\w*|[mhf]box|mathrm)\s*\{[^{}]*\}"  # formulas may hold words, and these formulas
_SHOWN = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`{1,3})(?!`)(?:(?!\n\n)[^`]|(?!(?P=ticks)(?!`))`+)*+(?P=ticks)(?!`))"
    r"|\\\$"
    rf"|\$\$(?P<dollars>(?:{_BOXED}|[^$\\]|\\.)++)\$\$"
    rf"|\$(?![\s$])(?P<dollar>(?:{_BOXED}|[^$\\\n`]|\\.|\n(?!\s*\n))++)(?<!\s)\$(?!\d)"
    rf"|\\\[(?P<brackets>(?:{_BOXED}|[^\\]|\\[^\[\]()])++)\\\]"
    rf"|\\\((?P<parentheses>(?:{_BOXED}|[^\\]|\\[^\[\]()])++)\\\)"
    rf"|(?P<environment>\\begin\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}}"
    r"(?:[^\\]|\\(?!(?:begin|end)\{(?P=name)\}).)++\\end\{(?P=name)\})",
    re.DOTALL,
)
_QUOTE_MARKS = re.compile(r"\n[ \t]*(?:>[ \t]?)+")  # formulas within quotations go over several lines, too
_GROUPS = {"dollars": True, "brackets": True, "environment": True, "dollar": False, "parentheses": False}


@dataclass(frozen=True, slots=True)
class Shown:
    """A formula in a text, without its delimiters, and where it stands with them."""

    tex: str
    display: bool
    start: int
    end: int


def shown_formulas(markdown: str) -> list[Shown]:
    """The formulas between delimiters, in order. `$` counts as pandoc has it: no blank inside, no digit after."""
    found = []
    for start, stretch in _outside_fences(markdown):
        for match in _SHOWN.finditer(stretch):
            group = next((group for group in _GROUPS if match[group]), None)
            if group and match[group].strip():
                tex = _QUOTE_MARKS.sub("\n", match[group]).strip()
                found.append(Shown(tex, _GROUPS[group], start + match.start(), start + match.end()))
    return found


def without_formulas(markdown: str) -> str:
    """The text with a blank in place of every formula."""
    pieces, at = [], 0
    for shown in shown_formulas(markdown):
        pieces.append(markdown[at : shown.start])
        at = shown.end
    return " ".join((*pieces, markdown[at:]))


def _outside_fences(markdown: str) -> list[tuple[int, str]]:
    """The stretches of text between fenced blocks of code, with where they start."""
    stretches, start, at, fence = [], 0, 0, ""
    for line in markdown.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            stretches.append((start, markdown[start:at]))
            fence = mark["mark"]
        elif mark and mark["mark"].startswith(fence) and not line[mark.end() :].strip():
            fence, start = "", at + len(line)
        at += len(line)
    return stretches if fence else [*stretches, (start, markdown[start:])]
