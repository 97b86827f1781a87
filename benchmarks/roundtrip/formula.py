"""What a page of the benchmark is made of: formulas, and the ways of writing them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

GROUPS = {
    "A": "TeX in the text",
    "B": "rendered, TeX kept",
    "C": "rendered, no TeX",
    "D": "images",
    "H": "glyphs only",
    "M": "page's own macros",
    "S": "AsciiMath",
}


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula as its author wrote it; `ascii` is the same in AsciiMath where the author wrote that."""

    tex: str
    display: bool
    ascii: str = ""


Rendered = Mapping[str, str]
Writer = Callable[[Formula, int, Rendered], str]


@dataclass(frozen=True, slots=True)
class Markup:
    """One way in which pages write formulas. `forms` are the outputs of real renderers that it is made of."""

    name: str
    group: str
    write: Writer
    head: str = ""
    forms: tuple[str, ...] = ()
    dollars: bool = False
    """Whether `$` opens a formula, so that the page writes money as `\\$5`."""
    opening: str = ""
    """What stands in front of the content, such as hidden macro definitions."""
