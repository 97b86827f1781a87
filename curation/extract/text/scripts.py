"""Raised and lowered letters that are no formulas, as text: `H₂O`, `m²`, `19th`, `known [3]`, `T_max`."""

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

MAX_CHARS = 24
_MAX_ELEMENTS = 12  # chosen here; a script with more in it is no script
_NOTE = re.compile(r"st|nd|rd|th|mes?|lles?|gr|TM|SM|®|™|©|[*†‡§¶#]+|\[.*\]|\(\w{1,3}\)", re.IGNORECASE)
_ORDINAL = re.compile(r"[\dIVXLCM] ?(?:er|ère|re|e|es|ème|eme|ter|o|a|os|as|º|ª|de|ste|a|ma)")
_RAISED = str.maketrans("0123456789+-\u2212\u2013=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾")
_LOWERED = str.maketrans("0123456789+-\u2212\u2013=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎")
_DIGITS = re.compile(r"[0-9+\-\u2212\u2013=()]+")
_BASE = re.compile(r"[^\W_]|[)\]}|'\u2032]")


def is_note(script: str, base: str, raised: bool) -> bool:
    """Whether a script is a reference, an ordinal's ending or a trade mark. `base` is what stands before it."""
    return bool(_NOTE.fullmatch(script) or (raised and base and _ORDINAL.fullmatch(base[-1] + script)))


def mark_scripts(root: "etree._Element") -> None:
    """Writes the `<sub>` and `<sup>` that are left under `root` as text.

    Digits and signs become those of Unicode, which need neither dollars nor escapes: H₂O, m², ¹⁴C, a note¹. Ordinals,
    references in brackets and trade marks stand on the line. Anything else gets `_` or `^` where it has a base.
    """
    for element in list(root.iter("sub", "sup")):
        if element.getparent() is not None and element.tag in ("sub", "sup"):
            _mark(element, raised=element.tag == "sup")


def _mark(element: "etree._Element", raised: bool) -> None:
    element.tag = "span"
    if len(list(islice(element.iter(), _MAX_ELEMENTS))) == _MAX_ELEMENTS:
        return
    texts = element.xpath("descendant::text()[normalize-space()]")
    script, base = "".join(texts).strip(), base_of(element)
    if not script or len(script) > MAX_CHARS:
        return
    if _DIGITS.fullmatch(script):
        for text in texts:
            _replace(text, text.strip().translate(_RAISED if raised else _LOWERED))
    elif _BASE.match(base[-1:]) and not is_note(script, base, raised):
        braces = len(script) > 1
        last = texts[-1].rstrip() + "}" * braces
        _replace(texts[-1], last)
        first = last if len(texts) == 1 else texts[0]
        _replace(texts[0], ("^" if raised else "_") + "{" * braces + first.lstrip())


def _replace(text: "etree._ElementUnicodeResult", written: str) -> None:
    """Sets a text of the tree, which knows where it stands."""
    holder = text.getparent()
    if holder is not None and text.is_tail:
        holder.tail = written
    elif holder is not None:
        holder.text = written


def base_of(element: "etree._Element") -> str:
    """The text right before an element, "" at the beginning of its parent."""
    before = element.getprevious()
    if before is None:
        parent = element.getparent()
        return (parent.text or "") if parent is not None else ""
    return before.tail or "".join(before.itertext())
