"""Macro definitions as TeX writes them: read, and taken out of the formulas in which they stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DEFINER = re.compile(
    r"(?:\\(?:long|global|protected)\s*+)*+\\(?:\\|((?:re|provide)?newcommand|providecommand|DeclareMathOperator|[gex]?def|let|require|definecolor"
    r"|(?:re)?newenvironment)(?![A-Za-z@]))"
)
_COMMANDS = ("newcommand", "renewcommand", "providecommand", "DeclareMathOperator")
_TARGET = re.compile(r"\*?\s*+(?:\{\s*+\\([A-Za-z@]++|.)\s*+\}|\\([A-Za-z@]++|.))\s*+", re.DOTALL)
_COUNT = re.compile(r"\[\s*+([0-9])\s*+\]\s*+")
_PARAMETERS = re.compile(r"((?:#[1-9]\s*+)*+)(?=\{)")
_DELIMITED = re.compile(r"[^{}\\]*+(?=\{)")
_ALIAS = re.compile(r"\s*+\\([A-Za-z@]++|.)\s*+=?\s?(\\[A-Za-z@]++|\\.|[^\s\\])", re.DOTALL)
_MARK = re.compile(r"\\.|[{}\]]", re.DOTALL)
_TOKEN = re.compile(r"\\[A-Za-z@]++|\\.|[^\s{}]", re.DOTALL)
_SPACE = re.compile(r"\s*+")
_WORD_END = re.compile(r"(?<!\\)(?:\\\\)*\\[A-Za-z]+\Z")
_WORD_WINDOW = 60


@dataclass(frozen=True, slots=True)
class Definition:
    """A macro as TeX defines it. `alias` is `\\let`: the name keeps what the other meant before; `provided` yields."""

    name: str
    body: str
    arguments: int = 0
    default: str | None = None
    alias: bool = False
    provided: bool = False


def read_definitions(tex: str) -> Iterator[Definition]:
    """The definitions in a text, in order; those that only TeX itself could follow are left out."""
    for definition, _, _ in _definitions(tex):
        if definition is not None and definition.name.isalpha():
            yield definition


def strip_definitions(tex: str) -> tuple[str, str]:
    """The formula without the definitions that stand in it, and those definitions; settings count as definitions."""
    kept, taken, at = "", [], 0
    for _, start, end in _definitions(tex):
        kept = joined(kept, tex[at:start])
        taken.append(tex[start:end])
        at = end
    return (joined(kept, tex[at:]).strip(), "\n".join(taken)) if taken else (tex, "")


def joined(tex: str, following: str) -> str:
    """Both in a row, with a space where a command would else swallow a letter."""
    apart = following[:1].isalpha() and _WORD_END.search(tex[-_WORD_WINDOW:])
    return f"{tex} {following}" if apart else tex + following


def group_end(tex: str, at: int, closing: str = "}") -> int:
    """One past the brace (or bracket) that closes the one at `at`; -1 if none does."""
    depth = 0
    for mark in _MARK.finditer(tex, at + 1):
        if depth == 0 and mark[0] == closing:
            return mark.end()
        depth += (mark[0] == "{") - (mark[0] == "}")
    return -1


def past_space(tex: str, at: int) -> int:
    """Where the next thing begins."""
    gap = _SPACE.match(tex, at)
    return gap.end() if gap else at


def _definitions(tex: str) -> Iterator[tuple[Definition | None, int, int]]:
    at = 0
    while "\\" in tex and (definer := _DEFINER.search(tex, at)):
        at = definer.end()
        if definer[1] is None:
            continue
        definition, end = _read(tex, definer[1], at)
        if end > at:
            yield definition, definer.start(), end
            at = end


def _read(tex: str, definer: str, at: int) -> tuple[Definition | None, int]:
    """The definition behind its command, and where it ends; an end of `at` says that it is none."""
    if definer in _COMMANDS:
        return _read_command(tex, definer, at)
    if definer == "let":
        alias = _ALIAS.match(tex, at)
        return (Definition(alias[1], alias[2], alias=True), alias.end()) if alias else (None, at)
    if definer.endswith("def"):
        return _read_def(tex, at)
    return None, _past_groups(tex, at)


def _read_command(tex: str, definer: str, at: int) -> tuple[Definition | None, int]:
    """`{\\name}[2][default]{body}` and `\\name[2]{body}`, or the name and text of an operator."""
    starred = tex.startswith("*", at)
    target = _TARGET.match(tex, at)
    if target is None:
        return None, at
    count = _COUNT.match(tex, target.end())
    start, default = count.end() if count else target.end(), None
    if count and tex.startswith("[", start):
        end = group_end(tex, start, "]")
        if end < 0:
            return None, len(tex)
        default, start = tex[start + 1 : end - 1], past_space(tex, end)
    body, end = _body(tex, start)
    if body is None:
        return None, end
    name = target[1] or target[2]
    if definer == "DeclareMathOperator":
        return Definition(name, f"\\operatorname{'*' if starred else ''}{{{body}}}"), end
    arguments = int(count[1]) if count else 0
    return Definition(name, body, arguments, default, provided=definer == "providecommand"), end


def _read_def(tex: str, at: int) -> tuple[Definition | None, int]:
    target = _TARGET.match(tex, at)
    if target is None or target[2] is None:
        return None, at
    parameters = _PARAMETERS.match(tex, target.end())
    start = parameters or _DELIMITED.match(tex, target.end())
    if start is None:
        return None, at
    body, end = _body(tex, start.end())
    if body is None or parameters is None:
        return None, end
    return Definition(target[2], body, parameters[1].count("#")), end


def _body(tex: str, at: int) -> tuple[str | None, int]:
    """A group without its braces, or the one command or character that may stand in its place."""
    if not tex.startswith("{", at):
        token = _TOKEN.match(tex, at)
        return (token[0], token.end()) if token else (None, at)
    end = group_end(tex, at)
    return (tex[at + 1 : end - 1], end) if end >= 0 else (None, len(tex))


def _past_groups(tex: str, at: int) -> int:
    """Past the groups of a setting such as `\\definecolor{name}{rgb}{1,0,0}`."""
    while True:
        start = past_space(tex, at)
        if tex[start : start + 1] not in ("{", "["):
            return at
        end = group_end(tex, start, "}" if tex[start] == "{" else "]")
        if end < 0:
            return len(tex)
        at = end
