"""Formulas written with what HTML has, italics, raised and lowered letters and Unicode, as TeX."""

import re
import unicodedata
from typing import TYPE_CHECKING

from curation.extract.notation.mathml_pieces import ends_in_command, join
from curation.extract.notation.mathml_symbols import spell

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from curation.extract.text.flow import Edge, Flow

FUNCTIONS = frozenset(
    (
        "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd",
        "hom", "inf", "ker", "lg", "lim", "liminf", "limsup", "ln", "log", "max", "min", "Pr", "sec", "sin", "sinh",
        "sup", "tan", "tanh",
    )
)  # fmt: skip
ITALIC = frozenset(("i", "em", "var", "dfn", "cite"))
_BOLD = frozenset(("b", "strong"))
_OVERLINED = re.compile("border-top|overline")
_SCRIPTS = {"sup": "^{", "sub": "_{"}
_ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "overline",
    "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring", "\u030c": "check", "\u20d7": "vec",
}  # fmt: skip
_OWN = {
    "\u2032": "'", "\u2033": "''", "\u2034": "'''", "\u2019": "'", "\u2225": "\\|", "\u2016": "\\|", "\u2264": "\\le",
    "\u2265": "\\ge", "\u2260": "\\ne", "\u00b0": "^\\circ", "\u2044": "/", "\u00b7": "\\cdot", "\u2061": "",
    "^": "^", "_": "_", "\u2062": "", "\u2063": "", "\u2064": "", "\u200b": "", "\ufe0e": "", "\ufe0f": "",
    "\u2060": "", "\u00ad": "",
}  # fmt: skip
_SCRIPT_CHARS = "\u2070-\u208e\u1d62-\u1d6a\u2090-\u209c\u2c7c\u00b2\u00b3\u00b9\u02b0\u02b2\u02e1-\u02e3\u1d2c-\u1d61"
_LEXEME = re.compile(
    rf"(?P<accented>[^\W\d_][\u0300-\u030c\u20d7]+)|(?P<word>[A-Za-z]+)|(?P<script>[{_SCRIPT_CHARS}]+)"
    r"|(?P<space>\s+)|(?P<root>\u221a)|(?P<plain>[\d.,;:()\[\]|+\-*/=<>!?'\"]+)|(?P<sign>.)",
    re.DOTALL,
)
_ROOT = "\u221a"  # until what it covers is known
_COVERED = re.compile(rf"{_ROOT}\s*(?:(\d+(?:\.\d+)?|[A-Za-z]|\\[A-Za-z]+)|\(([^()]*)\))")
_FRACTION = re.compile(r"\^\{([^{}]*)\}\s*/\s*_\{([^{}]*)\}")
_PRIMES = re.compile(r"\^\{('+)\}")
_MODULO = re.compile(r"\(\\mathrm\{mod\}\s*([^()]*)\)")
_TWICE = re.compile(r"(\^\{[^{}]*\})(?=\^)|(_\{[^{}]*\})(?=_)")
_GROUPED = re.compile(r"[_^]\{")
_SPACES = re.compile(r"\s+")
_PRODUCT = 3  # letters in italics that are a product and no name


def tex_of(flow: "Flow", start: int, end: int) -> str:
    r"""The TeX of a stretch of a flow: `<i>x</i><sup>2</sup> ≤ 2<i>y</i>` is `x^{2} \le 2y`. Raises Unconvertible."""
    edges = flow.edges_within(start, end)
    writer = _Writer(any(is_italic(edge.element) for edge in edges), _GROUPED.search(flow.text, start, end) is not None)
    at = start
    for edge in edges:
        writer.add(flow.text[at : edge.at])
        writer.cross(edge)
        at = edge.at
    writer.add(flow.text[at:end])
    return _finished("".join(writer.parts))


def is_italic(element: "etree._Element") -> bool:
    """Whether the letters in this element lean as variables do."""
    if element.tag == "em":
        return not element.get("class")  # with one it emphasises a word or marks a name of code
    return element.tag in ITALIC or (element.tag == "span" and "italic" in element.get("style", ""))


class _Writer:
    """TeX as it grows, and the elements that are open where it grows."""

    def __init__(self, has_italics: bool, tex_braces: bool) -> None:
        self.parts: list[str] = []
        self.tex_braces = tex_braces
        self._has_italics = has_italics
        self._italic: list[etree._Element] = []
        self._bold: list[etree._Element] = []
        self._closers: dict[etree._Element, str] = {}

    def cross(self, edge: "Edge") -> None:
        """Begins or ends what an element stands for."""
        element = edge.element
        if not edge.opens:
            self._write(self._closers.pop(element, ""))
            for stack in (self._italic, self._bold):
                if stack and stack[-1] is element:
                    stack.pop()
            return
        if element.tag in _SCRIPTS or (self.parts and self.parts[-1] == _ROOT and _OVERLINED.search(_style(element))):
            self.parts[-1:] = ["\\sqrt"] if self.parts[-1:] == [_ROOT] else self.parts[-1:]
            self._write(_SCRIPTS.get(element.tag, "{"))
            self._closers[element] = "}"
        elif is_italic(element):
            self._italic.append(element)
        elif element.tag in _BOLD:
            self._bold.append(element)

    def add(self, text: str) -> None:
        """Appends text in the style of the elements that are open."""
        for lexeme in _LEXEME.finditer(text):
            self._write(_WRITTEN[lexeme.lastgroup or "sign"](lexeme[0], self))

    def word(self, word: str) -> str:
        """Letters: a function's name, a product of variables, or a name or word in upright letters."""
        if word in FUNCTIONS:
            return f"\\{word}"
        if len(word) == 1 or (len(word) <= _PRODUCT and self._italic) or (len(word) == 2 and not self._has_italics):
            return f"\\mathbf{{{word}}}" if self._bold else word
        if self._italic:
            return f"\\mathit{{{word}}}"
        return f"\\mathbf{{{word}}}" if self._bold else f"\\mathrm{{{word}}}"

    def sign(self, char: str) -> str:
        """Any other character."""
        if char in _OWN:
            return _OWN[char]
        if char in "{}" and self.tex_braces:
            return char
        parts = unicodedata.normalize("NFKC", char).split("\u2044")
        if len(parts) == 2:
            return f"\\frac{{{parts[0]}}}{{{parts[1]}}}"
        apart = unicodedata.normalize("NFD", char)
        if len(apart) == 2 and apart[1] in _ACCENTS:
            return self.accented(apart)
        tex = spell(char)
        return f"\\boldsymbol{{{tex}}}" if self._bold and char.isalpha() else tex

    def accented(self, letters: str) -> str:
        """A letter with marks above it."""
        tex = spell(letters[0])
        for mark in letters[1:]:
            tex = f"\\{_ACCENTS[mark]}{{{tex}}}"
        return tex

    def _write(self, tex: str) -> None:
        if tex:
            if self.parts and tex[0].isalpha() and ends_in_command(self.parts[-1]):
                self.parts.append(" ")
            self.parts.append(tex)


def _written_script(text: str, writer: _Writer) -> str:
    """Raised and lowered characters of Unicode."""
    groups: list[list[str]] = []
    for char in text:
        sign = "_" if "SUBSCRIPT" in unicodedata.name(char, "") else "^"
        if not groups or groups[-1][0] != sign:
            groups.append([sign])
        groups[-1].append(spell(unicodedata.normalize("NFKC", char)))
    return "".join(f"{sign}{{{join(parts)}}}" for sign, *parts in groups)


_WRITTEN: "dict[str, Callable[[str, _Writer], str]]" = {
    "word": lambda text, writer: writer.word(text),
    "accented": lambda text, writer: writer.accented(text),
    "script": _written_script,
    "space": lambda text, writer: " ",
    "root": lambda text, writer: _ROOT,
    "plain": lambda text, writer: text,
    "sign": lambda text, writer: writer.sign(text),
}


def _style(element: "etree._Element") -> str:
    return element.get("style", "") + element.get("class", "")


def _finished(tex: str) -> str:
    """The TeX with what only shows when it is whole: fractions, roots, primes, `\\pmod`, no script twice."""
    if _ROOT in tex:
        tex = _COVERED.sub(lambda root: f"\\sqrt{{{root[1] or root[2]}}}", tex).replace(_ROOT, "\\surd ")
    if "^" in tex:
        tex = _PRIMES.sub(r"\1", _FRACTION.sub(r"\\frac{\1}{\2}", tex))
        tex = _TWICE.sub(lambda script: script[0] + "{}", tex)
    if "\\mathrm{mod}" in tex:
        tex = _MODULO.sub(r"\\pmod{\1}", tex).replace("\\mathrm{mod}", "\\bmod")
    return _SPACES.sub(" ", tex).strip()
