"""Code that comes out of a page as it stands there: every line, its indentation and its blank lines, in a fence.

The finished block is a token. Its text stays in the tree between two copies of that token, because those who choose the
main content weigh text; what stands between the two is cut afterwards.
"""

import re

from lxml import etree

from curation.extract.tokens import Tokens

MAX_CHARS = 400_000  # chosen here: what is longer is data, and stays what the page's text makes of it
MAX_WEIGHT = 20_000  # characters of a block that stay in the tree; more of them would not change the choice
_INLINE = ("code", "kbd", "samp", "tt")
_FRAGILE = re.compile(r"[$\\`]")
_DROPPED = frozenset(("button", "style", "script", "textarea", "svg", "clipboard-copy"))
_LINE_TAGS = frozenset(("div", "p", "li", "tr"))
_LINE_CLASS = re.compile(r"(?:^|\s)(?:line|code-line|view-line)(?:\s|$)")
_GUTTER = re.compile(
    r"(?:^|\s)(?:linenos|lineno|linenodiv|lnt?|gutter|(?:rouge-|crayon-)gutter\S*|crayon-nums?\S*|hljs-ln-n\w*|blob-num"
    r"|line-?numbers?(?:-rows)?|copybtn|ttc|copy-button)(?:\s|$)"
)
_CODE_CELL = re.compile(r"(?:^|\s)(?:code|rouge-code|blob-code|crayon-code|hljs-ln-code|lntd)(?:\s|$)")
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language|lang|highlight-source|highlight|brush|sourceCode|src)(?:[-:]\s?|\s(?:src-)?)([\w+#.-]{1,20})"
)
_BARE = re.compile(
    r"(?:^|\s)(python|r|julia|c|cpp|java|javascript|haskell|sql|bash|ruby|rust|go|matlab|php)(?:\s|$)", re.IGNORECASE
)
_NO_LANGUAGE = frozenset((
    "default", "none", "text", "plaintext", "plain", "txt", "nohighlight", "notranslate", "highlighter-rouge",
    "raw", "highlight", "output", "code", "hljs", "math", "numberSource", "numberLines", "source", "block", "table",
    "prettyprint",
))  # fmt: skip
_NAMES = {
    "ipython3": "python",
    "ipython": "python",
    "pycon3": "pycon",
    "py": "python",
    "python3": "python",
    "ipycon": "pycon",
    "jl": "julia",
    "c++": "cpp",
}


def protect_code(root: etree._Element, tokens: Tokens) -> None:
    """Every block of code in the tree becomes a fence kept by a token; inline code with `$` or backslashes too."""
    _free_numbered(root)
    _join_doxygen(root)
    for block in list(root.iter("pre")):
        text = "".join(block.itertext()).strip()
        if text and block.getparent() is not None and not tokens.pattern.fullmatch(text):
            _protect_block(block, tokens)
    for code in root.iter(*_INLINE):
        text = "".join(code.itertext()).strip()
        if _FRAGILE.search(text) and tokens.opening not in text and "\n" not in text:
            _set_text(code, tokens.add_block(inline_code(text)))
            code.tag = "span"


def fenced(code: str, language: str = "") -> str:
    """The code in a fence longer than any run of backticks in it; no blank lines at its ends, none of its tabs."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code)), 3)
    lines = [line.rstrip() for line in code.expandtabs(4).split("\n")]
    filled = [number for number, line in enumerate(lines) if line]
    lines = lines[filled[0] : filled[-1] + 1] if filled else []
    return "\n".join([fence + language, *lines, fence])


def inline_code(text: str) -> str:
    """The text as inline code, in one more backtick than it has in a row."""
    marks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{marks} {text} {marks}" if "`" in text else f"{marks}{text}{marks}"


def _protect_block(block: etree._Element, tokens: Tokens) -> None:
    code = code_text(block)
    if not code.strip() or len(code) > MAX_CHARS:
        return
    language = language_of(block)
    token = tokens.add_block(fenced(code, language))
    _set_text(block, f"{token}\n{code.strip()[:MAX_WEIGHT]}\n{token}")
    for ancestor in block.iterancestors("figure"):
        ancestor.tag = "div"  # figures are pictures to those who choose


def code_text(block: etree._Element) -> str:
    """The lines of a block of code, without what highlighters put beside them: numbers, buttons, tooltips."""
    parts: list[str] = []
    each_is_line = _lines_are_elements(block)
    walk = etree.iterwalk(block, events=("start", "end"))
    for event, element in walk:
        dropped = element.tag in _DROPPED or (element is not block and bool(_GUTTER.search(element.get("class") or "")))
        if event == "start":
            if dropped:
                walk.skip_subtree()
            elif element.tag == "br":
                parts.append("\n")
            elif element.text:
                parts.append(element.text)
            continue
        ends_line = element.tag in _LINE_TAGS or (each_is_line and _is_line(element))
        if ends_line and not dropped and element is not block and not (parts and parts[-1].endswith("\n")):
            parts.append("\n")
        if element is not block and element.tail:
            parts.append(element.tail)
    return "".join(parts).replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\u200b", "")


def _lines_are_elements(block: etree._Element) -> bool:
    """Whether the lines are only told apart by their elements, with neither newlines nor breaks between them."""
    lines = [element for element in block.iter("span", "code") if _is_line(element)]
    return len(lines) > 1 and not any(
        "\n" in (line.tail or "") or (line.getnext() is not None and line.getnext().tag == "br") for line in lines
    )


def _is_line(element: etree._Element) -> bool:
    if element.tag == "code":
        parent = element.getparent()
        return parent is not None and parent.tag == "pre" and len(parent) > 1
    return element.tag == "span" and bool(_LINE_CLASS.search(element.get("class") or ""))


def language_of(block: etree._Element) -> str:
    """The language that a block's classes or those of its two wrappers name, in lower case; "" where none does."""
    around = [block, *list(block.iter("code"))[:1], *list(block.iterancestors())[:2]]
    for element in around:
        classes = element.get("class") or ""
        named = element.get("data-lang") or element.get("data-language") or ""
        for name in (named, *(match[1] for match in _LANGUAGE.finditer(classes))):
            if re.fullmatch(r"[\w+#.-]{1,20}", name) and name not in _NO_LANGUAGE and not name.startswith("line"):
                return _NAMES.get(name.lower(), name.lower())
    for element in around[:2]:
        if bare := _BARE.search(element.get("class") or ""):
            return bare[1].lower()
    return ""


def _free_numbered(root: etree._Element) -> None:
    """Tables with line numbers in one cell and code in the other become that code."""
    for table in list(root.iter("table")):
        cells = [cell for cell in table.iter("td") if _CODE_CELL.search(cell.get("class") or "")]
        numbers = [cell for cell in table.iter("td", "th") if _GUTTER.search(cell.get("class") or "")]
        if not cells or (not numbers and len(cells) != 2) or table.getparent() is None:
            continue
        inner = any(True for cell in cells for _ in cell.iter("pre"))
        code = "\n".join(text for cell in cells if (text := code_text(cell).strip("\n")) or not inner)
        classes = " ".join(element.get("class") or "" for element in [table, *cells[-1].iter("pre", "code")])
        inside = next(table.iterancestors("pre"), None)
        _become_code(table, code, classes, "span" if inside is not None else "pre")


def _join_doxygen(root: etree._Element) -> None:
    """Doxygen writes each line of a listing as a block of its own."""
    for listing in list(root.iter("div")):
        if "fragment" in (listing.get("class") or "").split():
            _become_code(listing, code_text(listing), "")


def _become_code(element: etree._Element, code: str, classes: str, tag: str = "pre") -> None:
    _set_text(element, code)
    element.tag = tag
    element.set("class", classes)


def _set_text(element: etree._Element, text: str) -> None:
    """Leaves the element with this text alone; its place and what follows it stay."""
    del element[:]
    element.text = text
