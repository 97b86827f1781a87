"""How well a model does on labelled texts: per source, in total, and at the best threshold."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from classifiers.fasttext_model import MathScorer
from classifiers.labelled import LabelledText

BEST_OF = tuple(step / 100 for step in range(1, 100))


@dataclass(frozen=True, slots=True)
class Scored:
    """One text's source, label (True for the positive one, None without) and score."""

    source: str
    positive: bool | None
    score: float


@dataclass(frozen=True, slots=True)
class SourceResult:
    """The texts of one source and label. `wrong` is None where the label is unknown; quantiles are of the scores."""

    source: str
    label: str
    texts: int
    wrong: int | None
    p10: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over all labelled texts at one threshold; the ratios are 0 where they would divide by nothing."""

    threshold: float
    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    @property
    def texts(self) -> int:
        """All labelled texts."""
        return self.true_positive + self.false_negative + self.false_positive + self.true_negative

    @property
    def accuracy(self) -> float:
        """Share of the texts that are right."""
        return _ratio(self.true_positive + self.true_negative, self.texts)

    @property
    def recall(self) -> float:
        """Share of the positive texts that are found."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def precision(self) -> float:
        """Share of the texts found that are positive."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)


def score_texts(scorer: MathScorer, texts: Iterable[LabelledText]) -> list[Scored]:
    """Every text with its score, in order."""
    return [
        Scored(text.source, None if text.label is None else text.label == scorer.label, scorer.score(text.text))
        for text in texts
    ]


def totals(scored: Iterable[Scored], threshold: float) -> Totals:
    """The counts at a threshold: a text is called positive from that score on."""
    counts: dict[tuple[bool, bool], int] = defaultdict(int)
    for text in scored:
        if text.positive is not None:
            counts[text.positive, text.score >= threshold] += 1
    return Totals(threshold, counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def best_threshold(scored: Sequence[Scored]) -> Totals:
    """The counts at the threshold (in hundredths) with the fewest mistakes; the lowest such threshold."""
    return max((totals(scored, threshold) for threshold in BEST_OF), key=lambda found: found.accuracy)


def by_source(scored: Iterable[Scored], threshold: float) -> list[SourceResult]:
    """One result for each source and label, positive ones first, texts without a label last."""
    groups: dict[tuple[int, str], list[Scored]] = defaultdict(list)
    for text in scored:
        groups[_ORDER[text.positive], text.source].append(text)
    return [_result(source, group, threshold) for (_, source), group in sorted(groups.items())]


_ORDER = {True: 0, False: 1, None: 2}
_NAMES = {True: "positive", False: "negative", None: "unknown"}


def histogram_rows(scored: Iterable[Scored], bins: int) -> list[tuple[str | int, ...]]:
    """(label, source, count of each bin) for each source and label; the last bin holds the score 1 too."""
    counts: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * bins)
    for text in scored:
        counts[_ORDER[text.positive], text.source][min(bins - 1, int(text.score * bins))] += 1
    return [(list(_NAMES.values())[order], source, *row) for (order, source), row in sorted(counts.items())]


def _result(source: str, group: list[Scored], threshold: float) -> SourceResult:
    positive = group[0].positive
    wrong = None if positive is None else sum((text.score >= threshold) != positive for text in group)
    deciles = _deciles([text.score for text in group])
    return SourceResult(source, _NAMES[positive], len(group), wrong, deciles[0], deciles[4], deciles[8])


def _deciles(scores: list[float]) -> list[float]:
    """The nine values that cut the scores into tenths; those of one score are that score."""
    return quantiles(scores, n=10, method="inclusive") if len(scores) > 1 else scores * 9


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
