"""Metrics: counts that add up, the best threshold, quantiles per source, texts without a label aside."""

from classifiers.evaluate import Scored, best_threshold, by_source, histogram_rows, totals

SCORED = [
    Scored("book", True, 0.9),
    Scored("book", True, 0.3),
    Scored("novel", False, 0.6),
    Scored("novel", False, 0.1),
    Scored("novel", False, 0.0),
    Scored("manual", None, 1.0),
]


def test_counts_and_ratios() -> None:
    found = totals(SCORED, 0.5)
    assert (found.true_positive, found.false_negative, found.false_positive, found.true_negative) == (1, 1, 1, 2)
    assert (found.texts, found.accuracy, found.recall, found.precision) == (5, 0.6, 0.5, 0.5)


def test_a_score_at_the_threshold_is_positive() -> None:
    assert totals([Scored("book", True, 0.5)], 0.5).true_positive == 1


def test_nothing_to_measure_divides_by_nothing() -> None:
    found = totals([Scored("manual", None, 1.0)], 0.5)
    assert (found.accuracy, found.recall, found.precision) == (0.0, 0.0, 0.0)


def test_the_best_threshold_makes_the_fewest_mistakes() -> None:
    best = best_threshold(SCORED)
    assert (best.threshold, best.false_positive + best.false_negative) == (0.11, 1)


def test_each_source_and_label_has_a_result() -> None:
    results = by_source(SCORED, 0.5)
    assert [(r.label, r.source, r.texts, r.wrong) for r in results] == [
        ("positive", "book", 2, 1),
        ("negative", "novel", 3, 1),
        ("unknown", "manual", 1, None),
    ]
    assert [r.median for r in results] == [0.6, 0.1, 1.0]


def test_the_histogram_counts_every_text() -> None:
    rows = histogram_rows(SCORED, 10)
    assert sum(sum(row[2:]) for row in rows) == len(SCORED)
    assert rows[-1] == ("unknown", "manual", 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
