"""The macros that a page defines, and formulas with those macros expanded, as MathJax and KaTeX expand them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from curation.extract.macros.commands import is_standard
from curation.extract.macros.configured import configured_macros
from curation.extract.macros.definitions import Definition, group_end, joined, past_space, read_definitions

MAX_MACROS = 1_000  # this and the next five are chosen here; real pages define at most some 200
MAX_BODY_CHARS = 2_000
MAX_CHARS = 20_000
MAX_WORK = 300_000  # characters read for one formula, each expansion counting at least _STEP of them
MAX_PAGE_WORK = 3_000_000
_STEP = 100
_MAX_DEPTH = 30
_CONTROL = re.compile(r"\\(?:([A-Za-z@]++)|.)", re.DOTALL)
_PARAMETER = re.compile(r"#([1-9#])")
_DOLLAR = re.compile(r"(?<!\\)(?:\\\\)*\$")
_TOKEN = re.compile(r"\\(?:[A-Za-z@]++|.)|[^\s{}&]", re.DOTALL)
_SCRIPT_END = re.compile(r"(?<!\\)(?:\\\\)*[\^_]\s*\Z")
_ARGUMENT_END = re.compile(
    r"\\(?:(?:[dtc]?frac|[dt]?binom|stackrel|overset|underset)\s*(?:\{[^{}]*\}|\\[A-Za-z]+|[^\s\\{}])?"
    r"|sqrt(?:\[[^\[\]{}]*\])?|hat|bar|vec|tilde|d?dot|acute|grave|check|breve|wide(?:hat|tilde)|(?:over|under)line"
    r"|(?:over|under)brace|overrightarrow|overleftarrow|math(?:bf|bb|cal|frak|rm|it|sf|tt|scr)|boldsymbol|bm|operatorname"
    r"|b?cancel|boxed|phantom)\s*\Z"
)
_WINDOW = 100


@dataclass(frozen=True, slots=True)
class Macro:
    """What a command stands for: `#1` to `#9` in the body are its arguments, the first of which may have a default.

    `final` is an alias that keeps the meaning the other command had, so what comes out is not expanded again.
    """

    body: str
    arguments: int = 0
    default: str | None = None
    final: bool = False


class Macros:
    """The macros of one page, by their names without backslash. Macros that never end are left out."""

    def __init__(self, table: dict[str, Macro]) -> None:
        self.table = _finite(table)
        self._work_left = MAX_PAGE_WORK

    def expand(self, tex: str) -> str:
        """The formula with this page's macros expanded, all else byte for byte.

        A macro without its arguments stays, and so does the whole formula where the expansion outgrows its bounds.
        """
        if not self.table or self._work_left <= 0 or "\\" not in tex:
            return tex
        text, at, work_left = tex, 0, min(MAX_WORK, self._work_left)
        while control := _CONTROL.search(text, at):
            at = control.end()
            macro = self.table.get(control[1] or "")
            if macro is None:
                continue
            values, end = _arguments(text, at, macro)
            cost = _STEP + (end if end >= 0 else len(text)) - at
            work_left -= cost
            self._work_left -= cost
            if work_left < 0:
                return tex
            if end >= 0:
                text, at = _replaced(text, control.start(), end, _filled(macro, values), macro.final)
            if len(text) > MAX_CHARS:
                return tex
        return text


def read_macros(html: str | bytes, definitions: Iterable[str] = ()) -> Macros:
    """The macros that a page's scripts configure, and those that its TeX defines; later ones win."""
    text = html.decode("utf-8", "replace") if isinstance(html, bytes) else html
    table: dict[str, Macro] = {}
    for entry in configured_macros(text):
        _add(table, entry.name, Macro(entry.body, entry.arguments, entry.default))
    for tex in definitions:
        for definition in read_definitions(tex):
            _define(table, definition)
    return Macros(table)


def _define(table: dict[str, Macro], definition: Definition) -> None:
    if definition.provided and (definition.name in table or is_standard(definition.name)):
        return
    macro = Macro(definition.body, definition.arguments, definition.default)
    if definition.alias:
        macro = table.get(definition.body.removeprefix("\\")) or Macro(definition.body, final=True)
    _add(table, definition.name, macro)


def _add(table: dict[str, Macro], name: str, macro: Macro) -> None:
    """Adds what can be expanded: dollars in a body would end the formula around it, and `\\def\\a{\\a}` never ends."""
    if not macro.final and any(control[1] == name for control in _CONTROL.finditer(macro.body)):
        return
    fits = len(table) < MAX_MACROS and len(macro.body) <= MAX_BODY_CHARS and macro.arguments <= 9
    if fits and name.isascii() and name.isalpha() and not _DOLLAR.search(macro.body):
        table[name] = macro


def _finite(table: dict[str, Macro]) -> dict[str, Macro]:
    """The macros whose bodies lead, step by step, to commands that are no macros."""
    waiting = {name: _uses(macro, table) for name, macro in table.items()}
    known: set[str] = set()
    for _ in range(_MAX_DEPTH):
        found = {name for name, uses in waiting.items() if uses <= known}
        if not found:
            break
        known |= found
        waiting = {name: uses for name, uses in waiting.items() if name not in found}
    return {name: macro for name, macro in table.items() if name in known}


def _uses(macro: Macro, table: dict[str, Macro]) -> set[str]:
    if macro.final:
        return set()
    controls = _CONTROL.finditer(f"{macro.body} {macro.default or ''}")
    return {control[1] for control in controls if control[1] in table}


def _arguments(tex: str, at: int, macro: Macro) -> tuple[list[str], int]:
    """The arguments behind a macro's name, and where they end; -1 where one is missing."""
    values: list[str] = []
    if macro.default is not None and macro.arguments:
        start = past_space(tex, at)
        end = group_end(tex, start, "]") if tex.startswith("[", start) else -1
        values.append(tex[start + 1 : end - 1] if end > 0 else macro.default)
        at = max(at, end)
    while len(values) < macro.arguments:
        start = past_space(tex, at)
        if tex.startswith("{", start):
            at = group_end(tex, start)
            if at < 0:
                break
            values.append(tex[start + 1 : at - 1])
        elif token := _TOKEN.match(tex, start):
            values.append(token[0])
            at = token.end()
        else:
            return values, -1
    return values, at


def _filled(macro: Macro, values: list[str]) -> str:
    """The body with its arguments in place."""
    if not macro.arguments:
        return macro.body
    tex = ""
    for piece in _pieces(macro.body, values):
        tex = joined(tex, piece)
    return tex


def _pieces(body: str, values: list[str]) -> Iterator[str]:
    at = 0
    for parameter in _PARAMETER.finditer(body):
        yield body[at : parameter.start()]
        number = int(parameter[1]) if parameter[1] != "#" else 0
        yield values[number - 1] if 0 < number <= len(values) else "#" if number == 0 else ""
        at = parameter.end()
    yield body[at:]


def _replaced(text: str, start: int, end: int, body: str, final: bool) -> tuple[str, int]:
    """The text with `body` in place of what stood from `start` to `end`, and where to read on."""
    before = text[max(0, start - _WINDOW) : start]
    if (_SCRIPT_END.search(before) and _is_construct(body)) or (_ARGUMENT_END.search(before) and not _is_single(body)):
        body = f"{{{body}}}"
    head = joined(text[:start], body)
    return joined(head, text[end:]), len(head) if final else len(head) - len(body)


def _is_single(tex: str) -> bool:
    """Whether it is one token or one group, which LaTeX takes as an argument as it stands."""
    token = _TOKEN.fullmatch(tex)
    return token is not None or (tex.startswith("{") and group_end(tex, 0) == len(tex))


def _is_construct(tex: str) -> bool:
    """Whether it is one command with its arguments, such as `\\mathbb R`, which needs braces behind `^`."""
    control = _CONTROL.match(tex)
    if control is None or not control[1] or control.end() == len(tex):
        return False
    at = past_space(tex, control.end())
    while tex[at : at + 1] in ("{", "["):
        at = group_end(tex, at, "}" if tex[at] == "{" else "]")
        if at < 0:
            return False
    return at == len(tex) or (past_space(tex, control.end()) == at and _TOKEN.fullmatch(tex, at) is not None)
