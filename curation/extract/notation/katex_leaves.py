"""The glyphs of KaTeX's HTML as MathML tokens: their classes say whether they are letters, operators or text."""

import re
import unicodedata

from lxml import etree

from curation.extract.notation.rendered_glyphs import NOT, known
from curation.extract.notation.rendered_tree import Row, joined, node, words

_OPERATORS = frozenset(("mrel", "mbin", "mopen", "mclose", "mpunct", "minner", "delimsizing", "delimcenter"))
_VARIANTS = {
    "mathrm": "normal", "mathbf": "bold", "boldsymbol": "bold-italic", "mathbb": "double-struck",
    "mathcal": "script", "mathscr": "script", "mathfrak": "fraktur", "mathboldfrak": "bold-fraktur",
    "mathsf": "sans-serif", "mathtt": "monospace", "mathit": "italic",
}  # fmt: skip
_TEXT_VARIANTS = {"textbf": "bold", "textit": "italic", "textsf": "sans-serif", "texttt": "monospace"}
_TEXT_CLASSES = frozenset((*_TEXT_VARIANTS, "mord", "mtight", "textrm", "textup", "textmd", "amsrm", "cjk_fallback"))
_MARKS = {
    "frac-line": "frac-line", "overline-line": "line", "underline-line": "line", "hline": "hline", "hdashline": "hline",
    "fbox": "box", "fcolorbox": "box", "sout": "horizontalstrike",
}  # fmt: skip
_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*+|[A-Za-z]+|[^\u0300-\u036f][\u0300-\u036f]*|.", re.DOTALL)
_BARS = {"∣": "|", "∥": "‖"}
_SIZES = {"size1": "1.2em", "size2": "1.8em", "size3": "2.4em", "size4": "3em"}
_WIDTH = re.compile(r"margin-right:\s*((?:\d++(?:\.\d++)?+|\.\d++))em")
_WIDE = 0.9  # em, chosen here: narrower explicit spaces look like those that KaTeX puts around operators
# KaTeX's fonts hold negated relations at private places (its symbol table, MIT licence).
_PRIVATE = {
    "\ue006": "∤", "\ue007": "∦", "\ue00c": "≨", "\ue00d": "≩", "\ue00e": "≧" + NOT, "\ue00f": "⩾" + NOT,
    "\ue010": "⩽" + NOT, "\ue011": "≦" + NOT, "\ue016": "⫅" + NOT, "\ue017": "⫋", "\ue018": "⫆" + NOT, "\ue019": "⫌",
    "\ue01a": "⊊", "\ue01b": "⊋", "\ue020": NOT,
}  # fmt: skip


def leaf(element: etree._Element) -> Row:
    """The tokens of an element without children; a mark for the lines that an empty element draws."""
    classes = words(element)
    mark = next((_MARKS[word] for word in classes if word in _MARKS), None)
    if mark:
        return [node("mark", name=mark)]
    text = known("".join(_PRIVATE.get(char, char) for char in (element.text or "") if char != "\u200b"))
    if not text:
        return []
    if not text.strip() or _is_text(element, classes):
        return [node("mtext", text=text, **_variant(classes, _TEXT_VARIANTS))]
    if not _OPERATORS.isdisjoint(classes):
        return [_operator(char, classes) for token in _TOKEN.findall(text) for char in _apart(token)]
    if "mop" in classes:
        return [node("mi" if text.isalpha() and len(text) > 1 else "mo", text=text)]
    return joined([_token(token, classes) for token in _TOKEN.findall(text)])


def space(element: etree._Element, parts: list[Row]) -> Row:
    """A space that the author wrote, as far as it can be told from those that KaTeX adds."""
    if "newline" in words(element):
        return [node("mspace", linebreak="newline")]
    if element.text:
        return [node("mtext", text="\u00a0")]
    width = _WIDTH.search(element.get("style") or "")
    return [node("mspace", width=f"{width[1]}em")] if width and float(width[1]) >= _WIDE else []


def operator_name(element: etree._Element, parts: list[Row]) -> str | None:
    """The name that the letters of an operator spell, such as `lim sup`; None if it is something else."""
    if element.text or any(child.tail for child in element):
        text = "".join(element.itertext())
        return text if text.isalpha() and len(text) > 1 else None
    spelt = []
    for child, part in zip(element, parts, strict=True):
        if not all(piece.tag == "mi" and piece.get("mathvariant") == "normal" for piece in part):
            return None
        spelt.append("\u2009" if "mspace" in words(child) else "".join(piece.text or "" for piece in part))
    text = "".join(spelt).strip("\u2009")
    return text or None


def _is_text(element: etree._Element, classes: list[str]) -> bool:
    if any(word.startswith("text") and word in _TEXT_CLASSES for word in classes):
        return True
    parent = element.getparent()
    return parent is not None and "text" in words(parent) and _TEXT_CLASSES.issuperset(classes)


def _variant(classes: list[str], variants: dict[str, str]) -> dict[str, str]:
    return next(({"mathvariant": variants[word]} for word in classes if word in variants), {})


def _operator(text: str, classes: list[str]) -> etree._Element:
    """An operator; a delimiter that `\\left` did not make keeps the size it has."""
    size = next((_SIZES[word] for word in classes if word in _SIZES), None)
    if size:
        return node("mo", text=_BARS.get(text, text), minsize=size)
    if "mrel" in classes or not (text in "()[]{}⟨⟩⌊⌋⌈⌉" or text in _BARS):
        return node("mo", text=text)
    return node("mo", text=_BARS.get(text, text), stretchy="false")


def _apart(token: str) -> list[str]:
    """Operators stand alone, but a negating stroke stays with its operator."""
    return [token] if unicodedata.combining(token[-1]) else list(token)


def _token(text: str, classes: list[str]) -> Row:
    variant = _variant(classes, _VARIANTS)
    if text[0].isdigit():
        return [node("mn", text=text, **variant)]
    if text == "mod" and "mathrm" in classes:
        return [node("mo", text=text)]
    if text in _BARS:
        return [_operator(text, classes)]
    if not text[0].isalpha():
        return [node("mi" if variant else "mo", text=text, **variant)] if text.strip() else []
    if "mathit" in classes and len(text) == 1:
        return [node("mi", text=text)]
    if variant:
        return [node("mi", text=text, **variant)]
    return [node("mi", text=letter) for letter in text] if text.isascii() else [node("mi", text=text)]
