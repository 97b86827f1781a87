"""TeX as pages carry it, made clean: delimiters, wrappers, comments and macro definitions off, spelling kept."""

import re

MAX_CHARS = 20_000  # chosen here; the longest of 63,206 formulas on real pages has 1,736

_PAIRS = (
    ("$$", "$$", True),
    ("\\[", "\\]", True),
    ("\\(", "\\)", False),
    ("$", "$", False),
    ("[tex]", "[/tex]", True),
    ("[itex]", "[/itex]", False),
)
_SPACES = str.maketrans({"\u00a0": " ", "\u200b": None, "\ufeff": None, "\u2061": None, "\r": None})
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*\n?")
_STYLE = re.compile(r"\\(?:displaystyle|textstyle)(?![A-Za-z])\s*")
_WRAPPER = re.compile(r"\\begin\{(equation\*?|displaymath|math)\}(.*)\\end\{\1\}", re.DOTALL)
_LABEL = re.compile(r"\\label\s*\{[^{}]*\}")
_DOLLAR = re.compile(r"(?<!\\)\$")
_TEXT_BOX = re.compile(r"\\(?:text\w*|[mhf]box|mathrm|intertext)\b")
_EMPTY = re.compile(r"(?:\s|\\(?:begin|end)group(?![A-Za-z])|\\(?:require|label)\s*\{[^{}]*\})*")
_DEFINITION = re.compile(
    r"\s*\\(?:(?:(?:re|provide)?newcommand|DeclareMathOperator)\*?\s*(?:\{\s*\\[^{}]*\}|\\(?:[A-Za-z]+|.))\s*(?:\[[^\]]*\]\s*)*"
    r"|[gex]?def\s*\\(?:[A-Za-z]+|.)[^{]*)(?=\{)"
)
_SETTING = re.compile(
    r"\s*\\(?:let\s*\\(?:[A-Za-z]+|.)\s*=?\s*\\?(?:[A-Za-z]+|.)|require\s*\{[^{}]*\}"
    r"|definecolor\s*\{[^{}]*\}\s*\{[^{}]*\}\s*\{[^{}]*\})"
)
_TEXISH = re.compile(r"\\[A-Za-z]{2,}|[_^]|\\[,;:!{} ]")
_PROSE = re.compile(r"(?<![A-Za-z])[A-Za-z]{3,}+\s++[A-Za-z]{3}")


def looks_like_tex(text: str) -> bool:
    """Whether there is a command, a subscript or a superscript in it."""
    return bool(_TEXISH.search(text))


def looks_like_prose(text: str) -> bool:
    """Whether two words stand in a row and nothing looks like TeX."""
    return bool(_PROSE.search(text)) and not looks_like_tex(text)


def undelimited(text: str) -> tuple[str, bool | None]:
    """The text without the delimiters around all of it, and whether they mean display; None where there were none."""
    text = text.strip()
    for opening, closing, display in _PAIRS:
        inner = text[len(opening) : -len(closing)]
        if text.startswith(opening) and text.endswith(closing) and inner.strip() and closing not in inner:
            return inner.strip(), display
    return text, None


def tidy(tex: str) -> str:
    """Clean TeX that keeps the author's spelling; "" where there is nothing to show, such as macro definitions alone.

    Lines stay lines, but comments and blank lines go, since both would end a formula in Markdown.
    """
    tex = _without_cdata(tex.translate(_SPACES).strip())
    if "%" in tex and "\n" in tex:
        tex = _COMMENT.sub(r"\1", tex)
    tex = _without_definitions(tex)
    tex = _without_style(tex)
    if "\\begin" in tex and (wrapped := _WRAPPER.fullmatch(tex)):
        tex = wrapped[2]
    if "\\label" in tex:
        tex = _LABEL.sub("", tex)
    if "\n" in tex:
        tex = "\n".join(line.strip() for line in tex.split("\n") if line.strip())
    if "$" in tex and _DOLLAR.search(tex) and not _TEXT_BOX.search(tex):
        tex = _DOLLAR.sub(r"\\$", tex)
    return "" if _EMPTY.fullmatch(tex) else tex.strip()


def _without_cdata(tex: str) -> str:
    """Drops the mark that lets TeX stand in an XHTML script: `% <![CDATA[` … `%]]>`."""
    if tex.endswith("]]>"):
        tex = tex[:-3].rstrip().removesuffix("%").rstrip()
    body = tex.removeprefix("%").lstrip()
    return body[9:].lstrip() if body.startswith("<![CDATA[") else tex


def _without_style(tex: str) -> str:
    """Drops `\\displaystyle` in front of or around the whole formula: it says how the page set it, not what it says."""
    if tex.startswith("{") and (style := _STYLE.match(tex, 1)) and _group_end(tex, 0) == len(tex):
        return tex[style.end() : -1].strip()
    return tex[style.end() :] if (style := _STYLE.match(tex)) else tex


def _without_definitions(tex: str) -> str:
    """Drops the macro definitions in front: `\\newcommand{\\N}{\\mathbb N} f:\\N\\to\\N` gives `f:\\N\\to\\N`."""
    at = 0
    while True:
        if definition := _DEFINITION.match(tex, at):
            at = _group_end(tex, definition.end())
        elif setting := _SETTING.match(tex, at):
            at = setting.end()
        else:
            return tex[at:].strip()


def _group_end(tex: str, at: int) -> int:
    """One past the brace that closes the one at `at`; the end of the text if none does."""
    depth = 0
    while at < len(tex):
        char = tex[at]
        if char == "\\":
            at += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(tex)
