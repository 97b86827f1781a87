"""Formulas into tokens and back: from carriers, from bare delimiters, and into the chosen text."""

import re

from curation.extract.carriers import Carrier
from curation.extract.macros.definitions import strip_definitions
from curation.extract.plain.readable import readable
from curation.extract.tex import MAX_CHARS, tidy
from curation.extract.text.delimiters import find_formulas, has_delimiters
from curation.extract.tokens import DISPLAY, Formula, Tokens

_TYPESETTERS = (b"MathJax", b"mathjax", b"katex", b"KaTeX")
_CELL = "\t\t"  # between the cells of a row, as the main-content chooser writes tables
_PUNCTUATION = re.compile(r"\s*[.,;:](?!\S)")
_BULLETS = frozenset(("•", *(f"{number}." for number in range(1, 100))))
_EQUATION_NUMBER = re.compile(r"\s*(?:\([\w.]{1,8}\)|[\d.]{1,6})\s*")


def token_for(carrier: Carrier, tokens: Tokens) -> str:
    """The token for a carrier; nothing for macro definitions. TeX beyond the limit is no formula that anyone wrote."""
    if carrier.tex is None:
        return tokens.add_unconverted(readable(carrier), carrier.kind)
    if len(carrier.tex) > MAX_CHARS:
        return tokens.add_unconverted("", f"{carrier.kind}: too_long")
    tex = cleaned(carrier.tex, tokens)
    return tokens.add(Formula(tex, bool(carrier.display), carrier.kind)) if tex else ""


def cleaned(tex: str, tokens: Tokens) -> str:
    """Tidy TeX, in which the tokens of other formulas are theirs; what it defines is noted, and not part of it."""
    tex, definitions = strip_definitions(_bare(tex, tokens))
    if definitions:
        tokens.definitions.append(definitions)
    return tidy(tex)


def sets_formulas(html: bytes, tokens: Tokens) -> bool:
    """Whether this page is known to set formulas, so that bare delimiters mean what they look like."""
    return tokens.formulas > 0 or any(word in html for word in _TYPESETTERS)


def take_delimited(text: str, html: bytes, tokens: Tokens) -> str:
    """The text with its bare-delimited formulas as tokens too."""
    if not has_delimiters(text):
        return text
    math_page = sets_formulas(html, tokens) or bool(find_formulas(text, math_page=False))
    parts, at = [], 0
    for span in find_formulas(text, math_page):
        tex = cleaned(span.tex, tokens)
        parts += [text[at : span.start], tokens.add(Formula(tex, span.display, span.kind)) if tex else ""]
        at = span.end
    return "".join([*parts, text[at:]])


def restore(text: str, tokens: Tokens) -> str:
    """The text with `$…$` for every token; displayed formulas as `$$…$$` on lines of their own, except in tables."""
    text = text.replace(f"qz{tokens.opening}", f"qz {tokens.opening}")  # `$a$$b$` would read as display
    if tokens.display_mark in text:
        lines = text.split("\n")
        text = "\n".join(_with_displays(line, tokens) if tokens.display_mark in line else line for line in lines)
    return tokens.pattern.sub(lambda token: _written(token, tokens, "$"), text)


def _bare(tex: str, tokens: Tokens) -> str:
    """TeX in which another formula's token stands, with that formula's TeX instead."""
    return tokens.pattern.sub(lambda token: _written(token, tokens, ""), tex) if tokens.opening in tex else tex


def _written(token: re.Match[str], tokens: Tokens, delimiter: str) -> str:
    entry = tokens.entry(token)
    if entry is None:
        return token[0]
    if isinstance(entry, str):
        return entry
    return f"{delimiter}{' '.join(entry.tex.split())}{delimiter}"


def _with_displays(line: str, tokens: Tokens) -> str:
    """The line cut so that every displayed formula stands on its own. Rows of tables stay whole."""
    if _CELL in line:
        filled = [cell for cell in line.split(_CELL) if cell.strip()]
        if len(filled) > 2 or (len(filled) == 2 and not _EQUATION_NUMBER.fullmatch(filled[1])):
            return line
        line = " ".join(filled)
    indent = line[: len(line) - len(line.lstrip())]
    rows, at = [], 0
    for token in tokens.pattern.finditer(line):
        if token[1] != DISPLAY or not isinstance(formula := tokens.entry(token), Formula):
            continue
        punctuation = _PUNCTUATION.match(line, token.end())
        end = punctuation.end() if punctuation else token.end()
        before = line[at : token.start()].strip()
        shown = f"$${formula.tex}$${line[token.end() : end].strip()}"
        rows += [f"{before} {shown}"] if before in _BULLETS else [before, shown]
        at = end
    rows.append(line[at:].strip())
    return "\n".join(indent + row for row in rows if row)
