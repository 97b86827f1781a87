"""From Markdown with tokens to Markdown with formulas: `$…$` in the line, `$$…$$` on its own, blocks in their place."""

import re

from curation.extract.content.dollars import safe_dollars
from curation.extract.tokens import BLOCK, DISPLAY, Formula, Tokens

_PUNCTUATION = re.compile(r"\s*[.,;:](?!\S)")
_CONTAINER = re.compile(r"(?:\s|> |[-:] |\d{1,9}\. )*")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*+)(\\)?\|(?=([A-Za-z])?)")
_GAP = "\0"  # begins a line that is to be blank, if none beside it is
_BLANK = re.compile(r"\n(?:[ \t]*\n){2,}")
_MAX_DEPTH = 3  # a table holds inline code, which holds nothing; what a page builds deeper is shown as it is


def finish_markdown(markdown: str, tokens: Tokens) -> str:
    """The text with each block once (what stood between its two tokens cut) and money made safe; tokens stay."""
    text = cut_protected(markdown, tokens)
    if "$" in text:
        text = "\n\n".join(safe_dollars(part, tokens) if "$" in part else part for part in text.split("\n\n"))
    return text


def restore_markdown(markdown: str, tokens: Tokens) -> str:
    """The text with every token replaced by what it stands for. Fences, tables and displays stand on own lines."""
    text = markdown.replace(f"qz{tokens.opening}", f"qz {tokens.opening}")  # `$a$$b$` would read as display
    text = _BLANK.sub("\n\n", text)  # before there is code in it
    lines: list[str] = []
    gap = ""
    for line in (line for row in text.split("\n") for line in _restored(row, tokens)):
        if line.startswith(_GAP):
            gap = line
            continue
        if gap and lines and lines[-1].strip("> ") and line.strip("> "):
            lines.append(gap.removeprefix(_GAP))
        lines.append(line)
        gap = ""
    return "\n".join(lines).strip()


def cut_protected(text: str, tokens: Tokens) -> str:
    """The text without what stands between the two tokens of a block, and with one of them.

    Where something else came between the two, more than the block is long, only the tokens are merged.
    """
    if f"{tokens.opening}{BLOCK}" not in text:
        return text
    kept, at = [], 0
    last = {token[0]: token for token in tokens.pattern.finditer(text) if token[1] == BLOCK}
    for token in tokens.pattern.finditer(text):
        closing = last.get(token[0])
        if closing is None or token.start() < at:
            continue
        kept.append(text[at : token.end()])
        long = closing.start() - token.end() > 2 * len(_entry_text(token, tokens)) + 1_000
        at = token.end() if long or closing is token else closing.end()
    return "".join([*kept, text[at:]])


def _entry_text(token: re.Match[str], tokens: Tokens) -> str:
    entry = tokens.entry(token)
    return entry if isinstance(entry, str) else token[0]


def _restored(line: str, tokens: Tokens) -> list[str]:
    """The lines that one line becomes when its tokens are replaced; all of them inside the same list or quotation."""
    if tokens.opening not in line:
        return [line]
    container = _CONTAINER.match(line)
    lead = container[0] if container else ""
    rows: list[str] = []
    text: list[str] = []
    at = len(lead)
    for token in tokens.pattern.finditer(line, at):
        text.append(line[at : token.start()])
        at = token.end()
        own = [] if line.startswith("#") else _own_lines(token, tokens)
        if not own:
            text.append(_written(token, tokens))
            continue
        if token[1] == DISPLAY and (mark := _PUNCTUATION.match(line, at)):
            own[-1] += mark[0].strip()
            at = mark.end()
        rows += [*filter(None, ["".join(text).strip()]), *own]
        text = []
    rows += filter(None, ["".join([*text, line[at:]]).strip()])
    rest = "".join(char if char in "> " else " " for char in lead)
    if lead and rows and rows[0] == _GAP:
        del rows[0]  # an item begins with its code
    return [_placed(row, rest if number else lead) for number, row in enumerate(rows)] or [lead.rstrip()]


def _placed(row: str, lead: str) -> str:
    return _GAP + lead.rstrip() if row == _GAP else (lead + row).rstrip()


def _own_lines(token: re.Match[str], tokens: Tokens) -> list[str]:
    """The lines of a displayed formula, or of a block with blank lines around it; none for what stays in its line."""
    entry = tokens.entry(token)
    if isinstance(entry, Formula):
        return f"$${entry.tex}$$".split("\n") if token[1] == DISPLAY else []
    if entry is None or token[1] != BLOCK or "\n" not in entry:
        return []
    return [_GAP, *_block(entry, tokens).split("\n"), _GAP]


def _block(entry: str, tokens: Tokens) -> str:
    """A finished block with the formulas in it; blocks in blocks are inline code in cells, no deeper."""
    is_table = not entry.startswith("```") and "| --- |" in entry
    for _ in range(_MAX_DEPTH):
        if tokens.opening not in entry:
            break
        entry = tokens.pattern.sub(lambda token: _written(token, tokens, is_table), entry)
    return entry


def _written(token: re.Match[str], tokens: Tokens, in_table: bool = False) -> str:
    entry = tokens.entry(token)
    if isinstance(entry, Formula):
        tex = " ".join(entry.tex.split())
        barred = in_table and "|" in tex and "\\begin{array}" not in tex  # whose columns are bars of another kind
        return f"${_BAR.sub(_bar_command, tex) if barred else tex}$"
    return token[0] if entry is None else entry


def _bar_command(bar: re.Match[str]) -> str:
    """The command for a bar, which would end a cell: `\\vert`, and `\\Vert` for a double one."""
    return bar[1] + ("\\Vert" if bar[2] else "\\vert") + (" " if bar[3] else "")
