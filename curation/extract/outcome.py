"""What an extractor says about one page: the text, or why there is none, and what became of its formulas."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Extraction:
    """One page as text. `reason` is None when it worked; otherwise `text` is empty and `detail` is one sentence.

    Found and kept count formulas whose TeX is known. Those written with bare delimiters are looked for in the chosen
    text alone, so they are always kept; the others can be lost with a menu or a sidebar. Unconverted ones had no TeX
    in the page: they are left as readable text, or as the marker `[formula]` where there is none.
    """

    text: str
    reason: str | None = None
    detail: str | None = None
    title: str | None = None
    formulas_found: int = 0
    formulas_kept: int = 0
    formula_kinds: dict[str, int] = field(default_factory=dict)
    formulas_unconverted: int = 0
    charset: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a page is not extracted: a stable word, and one sentence with the value and the limit."""

    reason: str
    detail: str


def refused(refusal: Refusal, charset: str = "", title: str | None = None) -> Extraction:
    """The outcome of a page that gave no text."""
    return Extraction("", refusal.reason, refusal.detail, title, charset=charset)
