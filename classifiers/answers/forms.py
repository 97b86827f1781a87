"""What kind of thing an answer is: `readings(tidy text)` gives its forms, a small tree over pieces of text.

Leaf       anything without commas or relations: a number, a formula, words
Listing    `3, 4`, `3 or 4`, `2 \\pm 1`: in any order          Braced     `\\{3, 4\\}`: in any order, no repeats
Ordered    `(3, 4)`, `\\langle 3, 4\\rangle`, `3:4`            Matrix     rows of cells
Interval   `[3, 4)`, and `3 \\le x < 4` as a Named one          Union      of intervals and sets
Named      `x = 5`, `f(x) = 2x`, `x \\in [1, 2]`: a name and what it is
"""

import re
from dataclasses import dataclass

from .cutting import bracket_content, pieces, split, without_thousands
from .normal import squeezed

_DEEPEST = 6  # chosen here: forms within forms; deeper ones stay leaves
_MOST_PARTS = 64  # chosen here: parts of a list, a set or a tuple; longer ones stay leaves, equal only as text


@dataclass(frozen=True)
class Leaf:
    """A piece of tidy text; `words` where all of it is upright text."""

    text: str
    words: bool = False


@dataclass(frozen=True)
class Listing:
    """Several answers, in no order."""

    parts: tuple["Form", ...]


@dataclass(frozen=True)
class Braced:
    """A set written with braces."""

    parts: tuple["Form", ...]


@dataclass(frozen=True)
class Ordered:
    """A pair, a triple, a vector (`kind` is `,`), a ratio or a time of day (`:`)."""

    parts: tuple["Form", ...]
    kind: str = ","
    text: str = ""


@dataclass(frozen=True)
class Interval:
    """An interval; its ends are forms, its brackets one of `(`, `[` and one of `)`, `]`."""

    left: str
    start: "Form"
    end: "Form"
    right: str
    text: str = ""


@dataclass(frozen=True)
class Union:
    """Intervals and sets joined by `\\cup`."""

    parts: tuple["Form", ...]
    text: str = ""


@dataclass(frozen=True)
class Matrix:
    """Rows of cells. A column vector is a matrix of one column."""

    rows: tuple[tuple["Form", ...], ...]


@dataclass(frozen=True)
class Named:
    """A value with the name that it was given."""

    name: str
    value: "Form"


Form = Leaf | Listing | Braced | Ordered | Interval | Union | Matrix | Named

INFINITY = Leaf("\\infty")
MINUS_INFINITY = Leaf("-\\infty")
_MATRIX = re.compile(r"\\begin\{([pbBv]?matrix|array)\}(?:\s*\{[^{}]*\})?(.*)\\end\{\1\}", re.DOTALL)
_RELATIONS = {"=", "<", ">", "\\le", "\\ge", "\\in", "\\neq", "\\approx"}
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell"
)  # not pi, which is a number
_LETTER = (
    rf"(?:[A-Za-z]|\\(?:{_GREEK.replace(' ', '|')}|triangle|angle)(?![A-Za-z]) ?|\\text\{{[^{{}}]*\}}"
    r"|\\(?:overline|overrightarrow|vec|widehat|hat|bar|operatorname)\{[A-Za-z ]*\})"
)
_NAME = re.compile(rf"(?:{_LETTER}(?:[_^]\{{[^{{}}]*\}}|')*){{1,6}}(?:\([^()=]{{1,20}}\))?")


def readings(text: str) -> list[Form]:
    """The forms that a tidy text can have. There is one, except for `1,234`: a number, or two of a list."""
    grouped = without_thousands(text)
    return [_parsed(grouped, 0)] + ([_parsed(text, 0)] if grouped != text else [])


def is_relation(text: str) -> bool:
    """Whether a tidy text is an equation, an inequality or the like."""
    return len(split(text, _RELATIONS)) > 1


def _parsed(text: str, depth: int) -> Form:
    text = text.strip()
    if depth > _DEEPEST:
        return Leaf(text)
    for parse in (_matrix, _listing, _union, _relation, _bracketed, _ratio, _upright):
        form = parse(text, depth + 1)
        if form is not None:
            return form
    return Leaf(text)


def _matrix(text: str, depth: int) -> Form | None:
    inner = bracket_content(text)
    match = _MATRIX.fullmatch(text) or (inner is not None and _MATRIX.fullmatch(inner[1].strip()))
    if not match or match[1] == "vmatrix" or "\\begin" in match[2]:
        return None
    rows = [row for row in re.split(r"\\\\|\\cr(?![a-z])", match[2]) if row.strip()]
    return Matrix(tuple(tuple(_parsed(cell, depth) for cell in row.split("&")) for row in rows))


def _listing(text: str, depth: int) -> Form | None:
    """Commas and semicolons; a `\\pm` stands for two."""
    if "\\begin" in text:
        return None
    cut = pieces(text, {",", ";"})
    if len(cut) > _MOST_PARTS:
        return Leaf(text)
    signed = [one for piece in cut for one in _both_signs(piece)]
    if len(signed) < 2:
        return None if cut == [text] or not cut else _parsed(cut[0], depth)
    parts = tuple(_parsed(piece, depth) for piece in signed)
    values = [part.value if isinstance(part, Named) else part for part in parts]
    if all(isinstance(value, Interval | Union) for value in values):  # x < 1 or x > 3
        return Union(tuple(values), text)
    return Listing(parts)


def _both_signs(piece: str) -> list[str]:
    if re.search(r"\\pm(?![A-Za-z])", piece) is None:
        return [piece]
    upper = re.sub(r"\\pm(?![A-Za-z])", "+", re.sub(r"\\mp(?![A-Za-z])", "-", piece))
    lower = re.sub(r"\\pm(?![A-Za-z])", "-", re.sub(r"\\mp(?![A-Za-z])", "+", piece))
    return [upper, lower]


def _union(text: str, depth: int) -> Form | None:
    cut = pieces(text, {"\\cup"})
    return Union(tuple(_parsed(piece, depth) for piece in cut), text) if len(cut) > 1 else None


def _relation(text: str, depth: int) -> Form | None:
    cut = split(text, _RELATIONS)
    signs, sides = [sign for sign, _ in cut[1:]], [side for _, side in cut]
    if not signs or not all(sides):
        return None
    if signs == ["\\approx"]:
        return Named(_name(sides[0]), _parsed(sides[1], depth)) if _name(sides[0]) else _parsed(sides[0], depth)
    if set(signs) <= {"=", "\\approx"}:
        return _equation(sides, depth)
    if signs in (["\\in"], ["\\neq"]) and _name(sides[0]):
        value = _parsed(sides[1], depth)
        return Named(_name(sides[0]), value if signs == ["\\in"] else _all_but(value, text))
    return _inequality(signs, sides, depth, text)


def _equation(sides: list[str], depth: int) -> Form | None:
    """`x = 2 + 3 = 5` is 5 under the name x; so is `5 = x`."""
    if _name(sides[0]):
        return Named(_name(sides[0]), _parsed(sides[-1], depth))
    if len(sides) == 2 and _name(sides[1]) and re.search("[0-9]", sides[0]) and not re.search("[a-zA-Z]", sides[0]):
        return Named(_name(sides[1]), _parsed(sides[0], depth))
    return None


def _all_but(value: Form, text: str) -> Form:
    holes = value.parts if isinstance(value, Listing) else (value,)
    if len(holes) != 1:
        return Leaf(text)
    return Union((Interval("(", MINUS_INFINITY, value, ")"), Interval("(", value, INFINITY, ")")), text)


def _inequality(signs: list[str], sides: list[str], depth: int, text: str) -> Form | None:
    """`a < x \\le b`, `x > a` and `a < x` as intervals; None where there is another name, or none."""
    if set(signs) <= {">", "\\ge"}:
        turned = {">": "<", "\\ge": "\\le"}
        signs, sides = [turned[sign] for sign in reversed(signs)], sides[::-1]
    if not set(signs) <= {"<", "\\le"} or len(signs) > 2:
        return None
    names = [place for place, side in enumerate(sides) if _name(side)]
    if len(names) != 1 or (len(signs) == 2 and names != [1]):
        return None
    place = names[0]
    start = _parsed(sides[place - 1], depth) if place > 0 else MINUS_INFINITY
    end = _parsed(sides[place + 1], depth) if place + 1 < len(sides) else INFINITY
    left = "[" if place > 0 and signs[place - 1] == "\\le" else "("
    right = "]" if place + 1 < len(sides) and signs[place] == "\\le" else ")"
    return Named(_name(sides[place]), Interval(left, start, end, right, text))


def _name(text: str) -> str:
    """The squeezed text if it is a name (`x`, `f(x)`, `A_{max}`, `\\angle ABC`, `(x, y)`), else ""."""
    name = squeezed(text).removeprefix("m\\angle")
    inner = bracket_content(name)
    if inner is not None and inner[0] == "()" and "," in inner[1]:
        return name if all(_NAME.fullmatch(part) for part in inner[1].split(",")) else ""
    return name if _NAME.fullmatch(name) and name not in ("e", "i") else ""


def _bracketed(text: str, depth: int) -> Form | None:
    bracketed = bracket_content(text)
    if bracketed is None:
        return None
    kind, content = bracketed
    cut = pieces(content, {",", ";"})
    if len(cut) > _MOST_PARTS:
        return None
    parts = tuple(_parsed(piece, depth) for piece in cut)
    if kind == "\\{\\}":
        return _set(content, parts, depth)
    if kind in ("[)", "(]", "[]") and len(parts) == 2:
        return Interval(kind[0], parts[0], parts[1], kind[1], text)
    if kind in ("()", "[]", "\\langle\\rangle") and len(parts) > 1:
        return Ordered(parts, text=text)
    return _parsed(content, depth) if kind in ("()", "{}") and len(parts) == 1 else None


def _set(content: str, parts: tuple[Form, ...], depth: int) -> Form | None:
    """`\\{1, 2\\}`; of `\\{x \\mid x > 3\\}` the condition."""
    cut = pieces(content, {"\\mid", "|", ":"})
    if len(cut) == 2:
        condition = _parsed(cut[1], depth)
        return condition if isinstance(condition, Named | Union) else None
    return Braced(tuple(one for part in parts for one in (part.parts if isinstance(part, Listing) else (part,))))


def _ratio(text: str, depth: int) -> Form | None:
    cut = pieces(text, {":"})
    return Ordered(tuple(_parsed(piece, depth) for piece in cut), ":", text) if len(cut) > 1 else None


def _upright(text: str, depth: int) -> Form | None:
    """All of it `\\text{…}`: what that holds, which may be a list."""
    match = re.fullmatch(r"\\text\{([^{}]*)\}", text)
    if not match:
        return _real_numbers(text)
    inner = _parsed(match[1].strip(), depth)
    return Leaf(inner.text, words=True) if isinstance(inner, Leaf) else inner


def _real_numbers(text: str) -> Form | None:
    if squeezed(text) not in ("\\mathbb{R}", "\\R", "\\Bbb{R}"):
        return None
    return Interval("(", MINUS_INFINITY, INFINITY, ")", text)
