"""TeX as pages carry it, made clean: delimiters, wrappers and comments off, spelling kept."""

import re
from html import unescape

MAX_CHARS = 20_000  # chosen here; the longest of 63,206 formulas on real pages has 1,736

_PAIRS = (
    ("$$", "$$", True),
    ("\\[", "\\]", True),
    ("\\(", "\\)", False),
    ("$", "$", False),
    ("[tex]", "[/tex]", True),
    ("[itex]", "[/itex]", False),
)
_SPACES = str.maketrans(
    {"\u00a0": " ", "\u200b": " ", "\u2061": " ", "\u2009": " ", "\u2002": " ", "\u2003": " ", "\u202f": " "}
    | {"\u3000": " ", "\ufeff": None, "\u00ad": None, "\r": None}
)  # fmt: skip
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n|\Z)")
_PERCENT = re.compile(r"(?<!\\)((?:\\\\)*)%")
_AMOUNT = re.compile(r"\d\s*%\Z")
_STYLE = re.compile(r"\\(?:displaystyle|textstyle)(?![A-Za-z])\s*")
_WRAPPER = re.compile(
    r"\\begin\{(equation\*?|displaymath|math)\}((?:[^\\]|\\(?!end\{\1\}).)*+)\\end\{\1\}(\s*[.,;:]?)", re.DOTALL
)
_LABEL = re.compile(r"\\label\s*\{(?:[^{}]|\{[^{}]*\})*+\}")
_EMPTY = re.compile(r"(?:\s|\\(?:begin|end)group(?![A-Za-z])|\\(?:require|label)\s*\{[^{}]*\})*")
# Boxes of text, in which dollars mean a formula; the number of their arguments where it is not one.
_BOX_MARK = re.compile(r"\\(text\w*|[mhf]box|intertext|f?colorbox|tag\*?|footnote)(?![A-Za-z])|\\.|[{}$]", re.DOTALL)
_BOX_ARGUMENTS = {"colorbox": 2, "fcolorbox": 3}
_LAST_BACKSLASHES = re.compile(r"\\+\Z")
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
    """Clean TeX that keeps the author's spelling; "" where there is nothing to show, such as a label alone.

    Lines stay lines, but comments and blank lines go, since both would end a formula in Markdown; and so does
    everything else that a formula between dollars cannot hold.
    """
    tex = _decoded(tex)
    tex = _without_cdata(tex.strip())
    if "%" in tex:
        tex = _without_comments(tex)
    tex = _without_style(undelimited(tex)[0])
    if "\\begin" in tex and (wrapped := _WRAPPER.fullmatch(tex)):
        tex = wrapped[2].rstrip() + wrapped[3].strip()
    if "\\label" in tex:
        tex = _LABEL.sub("", tex)
    if "\n" in tex:
        tex = "\n".join(line.strip() for line in tex.split("\n") if line.strip())
    if "$" in tex:
        tex = _with_safe_dollars(tex)
    return "" if _EMPTY.fullmatch(tex) else _without_open_end(tex.strip())


def _decoded(tex: str) -> str:
    """TeX with plain spaces, and without the entities and line breaks of a page that was escaped twice."""
    tex = tex.translate(_SPACES)
    if "&" in tex:
        tex = _ENTITY.sub(lambda entity: unescape(entity[0]), tex)
    return _BREAK.sub("\n", tex) if "<" in tex else tex


def _without_comments(tex: str) -> str:
    """TeX without comments, as TeX reads them; a `%` that cannot be one is made a sign."""
    if "\n" not in tex and _AMOUNT.search(tex):
        return _PERCENT.sub(r"\1\\%", tex)
    bare = _COMMENT.sub(r"\1\n", tex)
    return bare.strip() if _balance(bare) == _balance(tex) else _PERCENT.sub(r"\1\\%", tex)


def _balance(tex: str) -> int:
    return tex.count("{") - tex.count("}")


def _with_safe_dollars(tex: str) -> str:
    r"""TeX with `\$` for every dollar outside the boxes of text; in a box dollars are the delimiters they look like."""
    boxes, waiting, depth, pieces, at = list[int](), 0, 0, list[str](), 0
    for mark in _BOX_MARK.finditer(tex):
        if mark[1]:
            waiting = _BOX_ARGUMENTS.get(mark[1], 1)
        elif mark[0] == "{":
            depth += 1
            if waiting:
                boxes.append(depth)
                waiting -= 1
        elif mark[0] == "}":
            if boxes and boxes[-1] == depth:
                boxes.pop()
            depth -= 1
        elif mark[0] == "$" and not boxes:
            pieces += [tex[at : mark.start()], "\\$"]
            at = mark.end()
    return "".join([*pieces, tex[at:]])


def _without_open_end(tex: str) -> str:
    r"""TeX without the backslash that is left of a `\ ` at the end: it would escape the closing dollar."""
    last = _LAST_BACKSLASHES.search(tex)
    return tex[:-1].rstrip() if last and len(last[0]) % 2 else tex


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
    if not (style := _STYLE.match(tex)):
        return tex
    tex = tex[style.end() :]
    return tex[1:-1].strip() if tex.startswith("{") and _group_end(tex, 0) == len(tex) else tex


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
