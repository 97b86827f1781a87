"""How an extractor fares on one page in every markup of the web, all formulas of which are known.

The pages ship with the package (`scorecard_cases.jsonl.gz`), so every version of a corpus can carry the scores of the
extractor that made it, and two versions can be compared.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from curation.extract.scoring.comparable import comparable_tex, without_space
from curation.extract.scoring.shown import Shown, shown_formulas

CASES = Path(__file__).with_name("scorecard_cases.jsonl.gz")


@dataclass(frozen=True, slots=True)
class Case:
    """A page in one markup and its formulas, each as LaTeX and whether it is on a line of its own."""

    encoding: str
    group: str
    html: bytes
    formulas: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How many of a page's formulas came back: `exact` but for white space, `equal` in normal form.

    `display` of the equal ones are set as the page sets them, inline or on a line of their own. `spurious` formulas
    stand in the text and not on the page. `failure` is what the extractor raised, if it did.
    """

    group: str
    formulas: int
    exact: int
    equal: int
    display: int
    spurious: int
    failure: str = ""

    @property
    def share(self) -> float:
        """The share of formulas that came back equal."""
        return self.equal / self.formulas


def score(extract: Callable[[bytes], str]) -> dict[str, Score]:
    """The score of an extractor, which makes Markdown of a page in UTF-8, by encoding."""
    return {case.encoding: _score(case, extract) for case in cases()}


@cache
def cases() -> tuple[Case, ...]:
    """The pages that ship with the package."""
    return tuple(_read(CASES))


def _read(path: Path) -> Iterator[Case]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            formulas = tuple((tex, display) for tex, display in row["formulas"])
            yield Case(row["encoding"], row["group"], row["html"].encode(), formulas)


def _score(case: Case, extract: Callable[[bytes], str]) -> Score:
    try:
        shown = shown_formulas(extract(case.html))
    except Exception as error:
        return Score(case.group, len(case.formulas), 0, 0, 0, 0, f"{type(error).__name__}: {error}"[:200])
    exact = Counter(without_space(tex) for tex, _ in case.formulas) & Counter(without_space(s.tex) for s in shown)
    wanted, found = _forms(case.formulas), _forms(_pairs(shown))
    equal = (Counter(tex for tex, _ in wanted) & Counter(tex for tex, _ in found)).total()
    display = (Counter(wanted) & Counter(found)).total()
    return Score(case.group, len(case.formulas), exact.total(), equal, display, len(shown) - equal)


def _pairs(shown: list[Shown]) -> list[tuple[str, bool]]:
    return [(formula.tex, formula.display) for formula in shown]


def _forms(formulas: tuple[tuple[str, bool], ...] | list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    return [(comparable_tex(tex), display) for tex, display in formulas]
