"""KaTeX's drawings by name: arrows, braces, accents and tall delimiters that it writes as SVG paths instead of glyphs.

A drawing is known by the first numbers of its path, which are the same in KaTeX 0.10 to 0.19 (MIT licence) at any size.
"""

import re

from lxml import etree

from curation.extract.notation.rendered_tree import Row, name, node

_NUMBER = re.compile(r"-?\d*\.?\d+")
_MAX_PATH = 4_000  # chosen here: no path that KaTeX draws needs more to be told from the others
_PARTS = {
    "0 241 40 399891": "→", "400000 241 110 3": "←", "399738 392 -10 10": "⇒", "262 157 10 -10": "⇐",
    "0 267 .7 5.3": "↼", "7 241 -4 4": "↽", "7 435 -4 4": "↽", "0 241 40 399993": "⇀", "399747 511 0 7.3": "⇁",
    "399747 705 0 7.3": "⇁", "400000 281 103 -33": "left hook", "399859 241 -764 0": "right hook",
    "40 281 448 0": "bar", "0 50 400000 40": "=", "0 167 68 40": "↞", "400000 167 -68 -40": "↠",
    "0 147 400000 40": "to", "400000 167 -70.7 -42": "from", "40 281 428 0": "segment", "399960 241 94 40": "segment",
    "200428 334 -100.7 -8.3": "⏞", "199572 214 100.7 8.3": "⏟", "400000 80 435 64": "⏠", "400000 262 435 64": "⏡",
    "6 548 -6 -6": "", "400000 542 -6 6": "", "0 6 6 -6": "", "399994 0 6 6": "",
    "0 80 399565 371": "", "0 262 399565 371": "",
    "377 20 0 -5.333": "⃗", "200 55.538 -77 0": "~", "344 55.266 -142 0": "~", "786 59 457 59": "~",
    "786 58 457 58": "~", "529 0 5 519": "^", "1181 0 2 1171": "^", "529 159 5 519": "ˇ", "1181 220 2 1171": "ˇ",
    "1181 280 2 1171": "ˇ", "1181 340 2 1171": "ˇ",
}  # fmt: skip
_COMBINED = {
    "← →": "↔", "⇐ ⇒": "⇔", "left hook →": "↪", "← right hook": "↩", "bar →": "↦", "↽ ⇀": "⇌", "↼ ⇁": "⇋",
    "to from": "⇄", "segment segment": "⎯",
}  # fmt: skip
_INTEGRALS = {
    "512.6 71.6 272.6 0": "∯", "757.8 100.1 384.7 0": "∯", "681.4 71.6 408.9 0": "∰", "1021.2 53 603.6 0": "∰",
}  # fmt: skip
# Tall delimiters share their first number; the number after it here stands in the paths of that one alone.
_TALL = (
    ("863", "9", "("), ("76", "9", ")"), ("403", "347", "["), ("403", "602", "⌈"), ("347", "602", "⌉"),
    ("347", "347", "]"), ("319", "263", "⌊"), ("319", "1799", "⌋"), ("145", "367", "‖"), ("145", "188", "|"),
)  # fmt: skip


def drawing(svg: etree._Element) -> Row:
    """An operator for a drawing; a mark for strokes; nothing for what other classes tell, such as root signs."""
    strokes = [child for child in svg if name(child) == "line"]
    if strokes:
        return [node("mark", name=" ".join(map(_stroke, strokes)))]
    numbers = _NUMBER.findall("".join(child.get("d") or "" for child in svg)[:_MAX_PATH])
    start = " ".join(numbers[:4])
    if start in _INTEGRALS:
        return [node("mark", name="integral", char=_INTEGRALS[start])]
    if start in _PARTS:
        return [node("mark", name="drawing", char=_PARTS[start])]
    tall = next((char for first, told, char in _TALL if numbers[:1] == [first] and told in numbers[1:]), None)
    return [node("mark", name="tall", char=tall)] if tall else [node("mark", name="unknown")]


def combined(marks: Row) -> str | None:
    """The one sign that drawings side by side make, such as ↔ of ← and →; None where they make none."""
    parts = [mark.get("char") for mark in marks if mark.get("char")]
    if not parts or any(mark.get("name") != "drawing" for mark in marks):
        return None
    return parts[0] if len(parts) == 1 else _COMBINED.get(" ".join(parts))


def _stroke(line: etree._Element) -> str:
    """KaTeX draws `\\cancel` from the lower left to the upper right."""
    rises = (line.get("y1") or "0") not in ("0", "0%")
    return "updiagonalstrike" if rises else "downdiagonalstrike"
