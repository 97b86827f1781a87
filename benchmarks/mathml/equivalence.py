"""When two formulas are the same: both as KaTeX's MathML, without spacing, sizes, style, roman or italic.

Kept are the characters, bold and other alphabets, and the structure: scripts, fractions, roots, accents, tables and
their cells. What one renderer cannot tell from another counts as one: a limit and a script of an operator, long and
short arrows, ⩽ and ≤, a bar and an overline. A script of a group in parentheses is a script of the closing one.
"""

import json
import os
import re
import subprocess
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from lxml import etree

RENDER = Path(__file__).parent / "render.mjs"
_NUMBERS = re.compile(
    r"\\(?:tag\*?|label)\s*\{(?:[^{}]|\{[^{}]*\})*\}|\\(?:notag|nonumber)(?![A-Za-z])"
)  # a producer may drop them
_NUMBERED = re.compile(r"\\(begin|end)\{(align|gather|alignat|equation)\}")
_SPACES = re.compile(r"[\s\u2000-\u200f\u2060-\u2064\u00a0\u202f\u205f]")
_SAME = str.maketrans(
    {
        **dict.fromkeys("ˉ¯", "‾"),
        **dict(zip("⃗⟶⟵⟹⟸⟺⟷⟼", "→→←⇒⇐⇔↔↦", strict=True)),
        **dict(zip("⩽⩾∣∥′⋅∙▵⌀−∗⟂∖", "≤≥|‖'··△∅-*⊥\\", strict=True)),
        **dict.fromkeys("…⋯", "..."),
        "≔": ":=",
        "≕": "=:",
    }
)
_BLACKBOARD = {char: rf"\mathbb{{{letter}}}" for char, letter in zip("ℝℚℤℕℂ", "RQZNC", strict=True)}
_STYLES = {"bold": "b", "bold-italic": "b", "double-struck": "bb", "script": "c", "fraktur": "f", "monospace": "t"}
_STYLES |= {"sans-serif": "s", "sans-serif-bold": "s"}
_HAS_LIMITS = re.compile(r"Pr|[a-zA-Z]{3,}|[∑∏∐∫∬∭∮⋀⋁⋂⋃⨀⨁⨂⨄⨆]")
_OPEN, _CLOSED = "([{|‖⟨⌊⌈", ")]}|‖⟩⌋⌉"
_SCRIPTS = {"msub": "_", "msup": "^", "msubsup": "_^", "munder": "u", "mover": "o", "munderover": "uo"}
_FLAT = ("math", "semantics", "mrow", "mstyle", "mpadded", "mi", "mn", "mo", "mtext", "mtr", "mtd")


def canonical(formulas: Sequence[tuple[str, bool]]) -> list[str | None]:
    """The canonical form of each (TeX, displayed); None where KaTeX refuses it."""
    prepared = [(_prepared(tex), display) for tex, display in formulas]
    distinct = list(dict.fromkeys(prepared))
    forms = {key: markup and _form(markup) for key, markup in zip(distinct, rendered("katex", distinct), strict=True)}
    return [forms[key] for key in prepared]


def rendered(producer: str, formulas: Iterable[tuple[str, bool]]) -> list[str | None]:
    """The MathML that a JavaScript producer makes of each (TeX, displayed); None where it refuses."""
    lines = "".join(json.dumps({"tex": tex, "display": display}) + "\n" for tex, display in formulas)
    command = ["node", str(RENDER), producer]
    done = subprocess.run(command, input=lines, text=True, capture_output=True, check=True, env=os.environ)
    return [json.loads(line)["mathml"] for line in done.stdout.splitlines()]


def _prepared(tex: str) -> str:
    for char, command in _BLACKBOARD.items():
        tex = tex.replace(char, command)
    return _NUMBERED.sub(r"\\\1{\2*}", _NUMBERS.sub("", tex))


def _form(markup: str) -> str:
    root = etree.fromstring(re.sub(r"<annotation.*</annotation>", "", markup, flags=re.DOTALL).encode())
    return "".join(_joined(_parts(root)))


def _joined(parts: Sequence[str]) -> str:
    return "".join(parts)


def _parts(element: etree._Element) -> list[str]:
    """The element as the parts of a row, so that rows in rows leave no trace."""
    tag = etree.QName(element).localname
    if tag in ("annotation", "mphantom", "mspace"):
        return []
    if tag in ("mi", "mn", "mo", "mtext") and len(element) == 0:
        return _characters(element, tag)
    # KaTeX puts the invisible operator of a name into its scripts
    children = [_parts(child) for child in element if tag == "mrow" or child.text != "\u2061"]
    if tag in _FLAT:
        return [part for parts in children for part in parts]
    if tag in _SCRIPTS:
        return _scripted(children, _SCRIPTS[tag])
    if tag == "mtable":
        return _table(element)
    name = {"mfrac": "atop" if (element.get("linethickness") or "1")[0] == "0" else "frac"}.get(tag, tag)
    notation = element.get("notation") or ""
    return [f"{name}{notation}({')('.join(map(_joined, children))})"]


def _characters(element: etree._Element, tag: str) -> list[str]:
    text = unicodedata.normalize("NFC", _SPACES.sub("", element.text or "").translate(_SAME))
    style = "" if tag == "mtext" else _STYLES.get(element.get("mathvariant") or "", "")
    return [f"<{style}>{char}" if style else char for char in text]


def _scripted(children: Sequence[list[str]], places: str) -> list[str]:
    base, *scripts = children
    plain = re.sub(r"<\w*>", "", _joined(base))
    if _HAS_LIMITS.fullmatch(plain):
        places = places.replace("u", "_").replace("o", "^")
    before: list[str] = []
    if places[0] in "_^" and len(base) > 1 and _ends_in_unit(base, plain):
        before, base = base[:-1], base[-1:]
    said = sorted((place, _joined(script)) for place, script in zip(places, scripts, strict=False) if script)
    if not said:
        return [*before, *base]
    return [*before, f"{{{_joined(base)}|{''.join(f'{place}[{script}]' for place, script in said)}}}"]


def _ends_in_unit(base: Sequence[str], plain: str) -> bool:
    """Whether the script looks the same on the last part alone: a closing delimiter, a digit, a letter of a word."""
    if all(part.startswith("<") or part.isalnum() for part in base):
        return True
    fenced = base[0] in _OPEN and base[-1] in _CLOSED
    return fenced or (base[-1] in _CLOSED + "0123456789" and not plain.isalpha())


def _table(element: etree._Element) -> list[str]:
    """The cells, without the glue of numbered equations and what is empty at the end; a single cell is no table."""
    rows = []
    for row in element:
        cells = [_joined(_parts(cell)) for cell in row if cell.get("class") not in ("mtr-glue", "mml-eqn-num")]
        while cells and not cells[-1]:
            cells.pop()
        rows.append(cells)
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0]
    return [f"table({';;'.join(map('&'.join, rows))})"]
