"""Macros that a page gives to MathJax or KaTeX: the object literals in its scripts, read as text and never run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

MAX_LITERAL_CHARS = 200_000  # chosen here; the longest lists of macros on real pages have some 20,000
_MAX_DEPTH = 8
_KEY = re.compile(r"(?<![\w$])[\"']?(?:extra_)?[Mm]acros[\"']?\s*+[:=]\s*+(?=\{)")
_ATTRIBUTE = re.compile(r"data-[a-z-]{0,40}macros\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_GAP = re.compile(r"(?:[\s;]++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+")
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"|\'((?:[^\'\\]++|\\.)*+)\'|`((?:[^`\\]++|\\.)*+)`', re.DOTALL)
_RAW = re.compile(r"String\s*+\.\s*+raw\s*+`([^`]*+)`")
_NUMBER = re.compile(r"\d++")
_NAME = re.compile(r"[\w$]++")
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,5})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\r\n|.))", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "", "\n": "", "\r\n": ""}
_QUOTES = ('"', "'", "`")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_CLOSERS = ("}", "]", ")", "")  # a list that another bracket ends is broken, and read no further


@dataclass(frozen=True, slots=True)
class Entry:
    """One macro as a script defines it: its name without backslash, its body, and its arguments."""

    name: str
    body: str
    arguments: int
    default: str | None = None


def configured_macros(html: str) -> Iterator[Entry]:
    """The macros in the scripts of a page, and in `data-…macros` attributes, in order."""
    if "acros" not in html:
        return
    for source in (*_scripts(html), *_attributes(html)):
        yield from _entries(source)


def _scripts(html: str) -> Iterator[str]:
    lowered = html.translate(_LOWER)
    at = lowered.find("<script")
    while at >= 0:
        end = lowered.find("</script", at)
        end = len(html) if end < 0 else end
        if html.find("acros", at, end) >= 0:
            yield html[at:end]
        at = lowered.find("<script", end)


def _attributes(html: str) -> Iterator[str]:
    for attribute in _ATTRIBUTE.finditer(html):
        yield "macros:" + unescape(attribute[1] or attribute[2] or "")


def _entries(source: str) -> Iterator[Entry]:
    at = 0
    while key := _KEY.search(source, at):
        reader = _Literal(source[key.end() : key.end() + MAX_LITERAL_CHARS])
        table = reader.value()
        if isinstance(table, dict):
            for name, value in table.items():
                if entry := _entry(name.lstrip("\\"), value):
                    yield entry
        at = key.end() + max(reader.at, 1)


def _entry(name: str, value: object) -> Entry | None:
    if isinstance(value, str):
        return Entry(name, value, _arguments(value))
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        return None
    match value[1:]:
        case []:
            return Entry(name, value[0], _arguments(value[0]))
        case [int(count)]:
            return Entry(name, value[0], count)
        case [int(count), str(default)]:
            return Entry(name, value[0], count, default)
    return None


def _arguments(body: str) -> int:
    """KaTeX counts what the body uses; MathJax's plain strings use none."""
    return max((int(number) for number in re.findall(r"#([1-9])", body)), default=0)


class _Literal:
    """A literal of JavaScript, read leniently: what is neither text, number, list nor object is None."""

    def __init__(self, source: str) -> None:
        self.source, self.at = source, 0

    def value(self, depth: int = 0) -> object:
        """The value at hand; the reader then stands on the comma or bracket behind it, or at the end."""
        self.skip_gap()
        value: object = None
        if depth < _MAX_DEPTH and self.peek() == "{":
            value = self.table(depth)
        elif depth < _MAX_DEPTH and self.peek() == "[":
            value = self.row(depth)
        elif number := _NUMBER.match(self.source, self.at):
            self.at, value = number.end(), int(number[0][:4])
        else:
            value = self.text()
        self.skip_gap()
        return value if depth == 0 or self.skip_expression() else None

    def table(self, depth: int) -> dict[str, object]:
        table: dict[str, object] = {}
        self.at += 1
        while self.peek() not in _CLOSERS:
            name = self.name()
            self.skip_gap()
            if name is not None and self.peek() == ":":
                self.at += 1
                table[name] = self.value(depth + 1)
            else:
                self.skip_expression()
            self.skip_comma()
        self.at += 1
        return table

    def row(self, depth: int) -> list[object]:
        row: list[object] = []
        self.at += 1
        while self.peek() not in _CLOSERS:
            row.append(self.value(depth + 1))
            self.skip_comma()
        self.at += 1
        return row

    def name(self) -> str | None:
        """A key, with or without quotes."""
        self.skip_gap()
        if (text := self.string()) is not None:
            return text
        if name := _NAME.match(self.source, self.at):
            self.at = name.end()
            return name[0]
        return None

    def text(self) -> str | None:
        """A string, or several with `+` between them."""
        text = self.string()
        while text is not None:
            self.skip_gap()
            if self.peek() != "+":
                return text
            self.at += 1
            self.skip_gap()
            more = self.string()
            text = None if more is None else text + more
        return None

    def string(self) -> str | None:
        if raw := _RAW.match(self.source, self.at):
            self.at = raw.end()
            return raw[1]
        if self.peek() not in _QUOTES or (quoted := self.quoted()) is None:
            return None
        if quoted[3] is not None and "${" in quoted[3]:
            return None
        return _ESCAPE.sub(_unescaped, next(part for part in quoted.groups() if part is not None))

    def quoted(self) -> re.Match[str] | None:
        """The string that begins here, and past it; one that never ends goes to the end of everything."""
        quoted = _STRING.match(self.source, self.at)
        self.at = quoted.end() if quoted else len(self.source)
        return quoted

    def skip_expression(self) -> bool:
        """Goes to the comma or bracket that ends what stands here; whether nothing stood there."""
        start, opened = self.at, 0
        while char := self.peek():
            if char in _QUOTES:
                self.quoted()
                continue
            if opened == 0 and char in ",}])":
                break
            opened += (char in "{[(") - (char in "}])")
            self.at += 1
        return self.at == start

    def skip_comma(self) -> None:
        self.skip_gap()
        if self.peek() == ",":
            self.at += 1
        self.skip_gap()

    def skip_gap(self) -> None:
        if gap := _GAP.match(self.source, self.at):
            self.at = gap.end()

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]


def _unescaped(escape: re.Match[str]) -> str:
    if code := escape[1] or escape[2] or escape[3]:
        number = int(code, 16)
        return "" if 0xD800 <= number < 0xE000 or number > 0x10FFFF else chr(number)
    return _CONTROL.get(escape[4], escape[4])
