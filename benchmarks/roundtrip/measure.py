"""What an extractor made of a page, compared with what is on it."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields

from curation.extract.scoring.comparable import without_space
from curation.extract.scoring.shown import Shown, shown_formulas, without_formulas
from roundtrip.documents import PLACE
from roundtrip.formula import Formula
from roundtrip.pages import WORD, KnownPage

Key = Callable[[str], str]
_BETWEEN_CELLS = re.compile(r"\||\t+")
_FENCE = re.compile(r"(?m)^\s*(?:```|~~~)[^\n]*$")
_ADDRESS = re.compile(r"\]\([^()]*\)")


@dataclass(slots=True)
class Counts:
    """Numbers that add up over pages; shares are made of them when they are printed."""

    pages: int = 0
    failed: int = 0
    formulas: int = 0
    exact: int = 0
    equivalent: int = 0
    display_kept: int = 0
    placeable: int = 0
    placed: int = 0
    spurious: int = 0
    words: int = 0
    words_found: int = 0
    words_kept: int = 0
    boilerplate: int = 0
    leaked: int = 0
    code: int = 0
    code_kept: int = 0
    rows: int = 0
    rows_kept: int = 0
    cpu_s: float = 0.0

    def add(self, other: "Counts") -> None:
        """Adds the numbers of other pages."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def share(self, part: str, whole: str) -> float:
        """One number over another; not a number where there is nothing to divide by."""
        return getattr(self, part) / getattr(self, whole) if getattr(self, whole) else float("nan")

    @property
    def prose_f1(self) -> float:
        """The harmonic mean of the share of words kept and the share of words that belong there."""
        return 2 * self.words_kept / (self.words + self.words_found) if self.words + self.words_found else float("nan")


def measure(page: KnownPage, text: str | None, cpu_s: float, key: Key) -> tuple[Counts, list[str]]:
    """The numbers of one page and the formulas that were not recovered; `text` is None if the extractor failed."""
    shown = shown_formulas(text or "")
    wanted = Counter(key(formula.tex) for formula in page.formulas)
    found = Counter(key(formula.tex) for formula in shown)
    common = wanted & found
    counts = Counts(pages=1, failed=text is None, formulas=len(page.formulas), cpu_s=cpu_s)
    counts.exact = (
        Counter(without_space(f.tex) for f in page.formulas) & Counter(without_space(f.tex) for f in shown)
    ).total()
    counts.equivalent = common.total()
    counts.display_kept = _display_kept(page.formulas, shown, key)
    counts.placeable, counts.placed = _placed(page, text or "", shown, key)
    counts.spurious = (found - common).total()
    _measure_prose(counts, page, text or "")
    _measure_shape(counts, page, text or "", shown, key)
    lost = wanted - found
    return counts, [formula.tex for formula in page.formulas if lost[key(formula.tex)]]


def _display_kept(wanted: tuple[Formula, ...], shown: list[Shown], key: Key) -> int:
    return (Counter((key(f.tex), f.display) for f in wanted) & Counter((key(f.tex), f.display) for f in shown)).total()


def _placed(page: KnownPage, text: str, shown: list[Shown], key: Key) -> tuple[int, int]:
    """How many recovered formulas have a word before them on the page, and how many of these still follow it."""
    found = Counter((key(f.tex), _word_before(text, f, shown[n - 1].end if n else 0)) for n, f in enumerate(shown))
    wanted = Counter((key(f.tex), word) for f, word in zip(page.formulas, page.before, strict=True) if word)
    recovered = Counter(key(f.tex) for f in shown)
    by_key: Counter[str] = Counter()
    for (name, _), number in wanted.items():
        by_key[name] += number
    return (by_key & recovered).total(), (wanted & found).total()


def _word_before(text: str, shown: Shown, after: int) -> str:
    words = WORD.findall(text[max(after, shown.start - 60) : shown.start])
    return words[-1].casefold() if words else ""


def _measure_prose(counts: Counts, page: KnownPage, text: str) -> None:
    wanted = Counter(page.words)
    plain = _ADDRESS.sub("]", _FENCE.sub("", without_formulas(text)))
    found = Counter(word.casefold() for word in WORD.findall(plain))
    counts.words, counts.words_found, counts.words_kept = wanted.total(), found.total(), (wanted & found).total()


def _measure_shape(counts: Counts, page: KnownPage, text: str, shown: list[Shown], key: Key) -> None:
    lines = {line.rstrip() for line in text.splitlines()}
    counts.code, counts.code_kept = len(page.code), sum(line.rstrip() in lines for line in page.code)
    counts.boilerplate = len(page.boilerplate)
    counts.leaked = sum(part in text for part in page.boilerplate)
    rows = _rows(text, shown, key)
    counts.rows, counts.rows_kept = len(page.rows), sum(_wanted_row(row, page, key) in rows for row in page.rows)


def _wanted_row(row: tuple[str, ...], page: KnownPage, key: Key) -> tuple[str, ...]:
    return tuple(PLACE.sub(lambda place: _mark(key(page.formulas[int(place[1])].tex)), cell) for cell in row)


def _mark(key: str) -> str:
    return f"⟦{key.replace('|', '¦')}⟧"


def _rows(text: str, shown: list[Shown], key: Key) -> set[tuple[str, ...]]:
    """The cells of every line that has some, between bars or tabs; formulas as their keys."""
    pieces, at = [], 0
    for formula in shown:
        pieces += [text[at : formula.start], _mark(key(formula.tex))]
        at = formula.end
    flat = "".join((*pieces, text[at:]))
    return {
        tuple(cell.strip().strip("*").strip() for cell in _BETWEEN_CELLS.split(line.strip().strip("|")))
        for line in flat.split("\n")
        if _BETWEEN_CELLS.search(line)
    }
