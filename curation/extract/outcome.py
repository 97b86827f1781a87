"""What an extractor says about one page: the text, or why there is none, and what became of its formulas."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from curation.extract.tokens import Formula, Tokens


@dataclass(frozen=True, slots=True)
class Extraction:
    """One page as text. `reason` is None when it worked; otherwise `text` is empty and `detail` is one sentence.

    Found and kept count formulas whose LaTeX is known; what is found but not kept went with a menu or a sidebar. (The
    fast extractor looks for bare delimiters in the chosen text alone, so it finds no others.) `formulas_converted` of
    the kept ones were in another notation. `formula_failures` counts those that have no LaTeX, by `kind: reason`: they
    are left as the marker `[formula]`, or, by the fast extractor, as readable text. `undefined_macros` are commands in
    kept formulas that neither LaTeX nor the page defines. `extractor` says whose main content it is.
    """

    text: str
    reason: str | None = None
    detail: str | None = None
    title: str | None = None
    extractor: str = ""
    formulas_found: int = 0
    formulas_kept: int = 0
    formulas_converted: int = 0
    formula_kinds: dict[str, int] = field(default_factory=dict)
    formula_failures: dict[str, int] = field(default_factory=dict)
    undefined_macros: tuple[str, ...] = ()
    charset: str = ""

    @property
    def formulas_unconverted(self) -> int:
        """How many formulas have no LaTeX."""
        return sum(self.formula_failures.values())

    def with_formulas(self, tokens: Tokens, kept: Sequence[Formula], undefined: Sequence[str] = ()) -> Self:
        """The same outcome with the counts of its formulas."""
        return replace(
            self,
            formulas_found=tokens.formulas,
            formulas_kept=len(kept),
            formulas_converted=sum(formula.converted for formula in kept),
            formula_kinds=dict(sorted(Counter(formula.kind for formula in kept).items())),
            formula_failures=dict(sorted(tokens.failures.items())),
            undefined_macros=tuple(undefined),
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a page is not extracted: a stable word, and one sentence with the value and the limit."""

    reason: str
    detail: str


def refused(refusal: Refusal, charset: str = "", title: str | None = None) -> Extraction:
    """The outcome of a page that gave no text."""
    return Extraction("", refusal.reason, refusal.detail, title, charset=charset)
