"""Quality rules for running text that leave mathematics alone.

The rules follow Gopher and C4 in kind, but count with the formulas masked: their stock forms remove 14 to 19 of 21 good
mathematics pages (curly brackets, few alphabetic words, repeated symbols).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datatrove.data import Document

from curation.fates import FateSink, Verdict
from curation.stage import Stage
from curation.words import mask_formulas
from manifests.kinds.corpus import Quality

DUPLICATE_NGRAM, TOP_NGRAM = 10, 3


@dataclass(frozen=True)
class Page:
    """A text cut once for all rules."""

    lines: list[str]
    words: list[str]


class KeepQuality(Stage):
    """Removes a page at the first rule it breaks; the fate names the rule, the value and the limit."""

    name = "quality"

    def __init__(self, sink: FateSink, options: Quality) -> None:
        super().__init__(sink)
        self.options = options

    def judge(self, document: Document) -> Verdict | None:
        """None for a page that breaks no rule."""
        text = mask_formulas(document.text)
        page = Page([line for raw in text.split("\n") if (line := raw.strip())], text.split())
        return next(_broken_rules(page, self.options), None)


def _broken_rules(page: Page, limits: Quality) -> Iterator[Verdict]:
    """The rules a page breaks, cheapest first, each worked out only when asked for."""
    for name, measure, limit, is_least in (
        ("min_words", lambda page: len(page.words), limits.min_words, True),
        ("max_words", lambda page: len(page.words), limits.max_words, False),
        ("max_mean_word_chars", _mean_word_chars, limits.max_mean_word_chars, False),
        ("min_letter_words", _letter_words, limits.min_letter_words, True),
        ("max_bullet_lines", _bullet_lines, limits.max_bullet_lines, False),
        ("max_ellipsis_lines", _ellipsis_lines, limits.max_ellipsis_lines, False),
        ("max_duplicate_lines", _duplicate_lines, limits.max_duplicate_lines, False),
        ("max_top_ngram", _top_ngram, limits.max_top_ngram, False),
        ("max_duplicate_ngrams", _duplicate_ngrams, limits.max_duplicate_ngrams, False),
    ):
        if verdict := _compare(page, name, measure, float(limit), is_least):
            yield verdict


def _compare(page: Page, name: str, measure: Callable[[Page], float], limit: float, is_least: bool) -> Verdict | None:
    value = float(measure(page))
    if value >= limit if is_least else value <= limit:
        return None
    side = "below" if is_least else "above"
    return Verdict(name, f"{value:.4g} is {side} {limit:g}", value)


def _mean_word_chars(page: Page) -> float:
    return sum(map(len, page.words)) / max(len(page.words), 1)


def _letter_words(page: Page) -> float:
    return sum(any(map(str.isalpha, word)) for word in page.words) / max(len(page.words), 1)


def _bullet_lines(page: Page) -> float:
    return sum(line.startswith(("•", "- ", "* ", "‣", "◦")) for line in page.lines) / max(len(page.lines), 1)


def _ellipsis_lines(page: Page) -> float:
    return sum(line.endswith(("…", "...")) for line in page.lines) / max(len(page.lines), 1)


def _duplicate_lines(page: Page) -> float:
    repeated = sum(len(line) * (count - 1) for line, count in Counter(page.lines).items())
    return repeated / max(sum(map(len, page.lines)), 1)


def _top_ngram(page: Page) -> float:
    """Share of the words in the most frequent 3-word sequence that is not formulas alone."""
    grams = Counter(zip(*(page.words[start:] for start in range(TOP_NGRAM)), strict=False))
    top = max((count for gram, count in grams.items() if len(set(gram)) > 1), default=0)
    return top * TOP_NGRAM / max(len(page.words), 1) if top > 1 else 0.0


def _duplicate_ngrams(page: Page) -> float:
    """Share of the words that stand in a 10-word sequence seen before on the page."""
    seen: set[tuple[str, ...]] = set()
    covered, end = 0, 0
    for start in range(len(page.words) - DUPLICATE_NGRAM + 1):
        gram = tuple(page.words[start : start + DUPLICATE_NGRAM])
        if gram in seen:
            covered += start + DUPLICATE_NGRAM - max(start, end)
            end = start + DUPLICATE_NGRAM
        seen.add(gram)
    return covered / max(len(page.words), 1)
