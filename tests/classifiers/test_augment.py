"""Training lines: formulas dropped or shown, windows cut, labels balanced, the same for the same seed."""

from collections import Counter

import pytest

from classifiers.augment import LONGEST_WORDS, drop_formulas, plain_formulas, training_lines
from classifiers.labelled import TRAIN, LabelledText
from manifests.errors import ClassifierError
from manifests.kinds.classifier import Labels

FORMULA = r"Let $f(x) = \frac{a}{b}$ be smooth on the interval that we look at in this section, so that \[ f \leq 1 \]"


def _texts(label: str, count: int, text: str) -> list[LabelledText]:
    return [LabelledText(f"{text} number {label}", label, "here", "CC0-1.0", TRAIN) for _ in range(count)]


def test_formulas_are_dropped_or_shown_as_glyphs() -> None:
    assert "f(x)" not in drop_formulas(FORMULA)
    assert "be smooth" in drop_formulas(FORMULA)
    assert r"\frac" not in plain_formulas(FORMULA)
    assert r"\leq" in plain_formulas(FORMULA)


def test_every_epoch_has_as_many_lines_of_each_label() -> None:
    texts = _texts("math", 3, "a proof") + _texts("nonmath", 11, "a recipe")
    lines = list(training_lines(texts, Labels(), [], epochs=2, seed=0))
    for epoch in (lines[:22], lines[22:]):
        assert Counter(line.split()[0] for line in epoch) == {"__label__math": 11, "__label__nonmath": 11}


def test_the_seed_alone_decides() -> None:
    texts = _texts("math", 20, FORMULA) + _texts("nonmath", 20, "bread and butter " * 20)
    first, again, other = (list(training_lines(texts, Labels(), ["windows"], 2, seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_windows_are_cut_anew_in_each_epoch() -> None:
    texts = _texts("math", 1, "x " * 500) + _texts("nonmath", 1, "y " * 500)
    lines = list(training_lines(texts, Labels(), ["windows"], epochs=2, seed=0))
    longest = max(len(line.split()) - 1 for line in lines)
    assert longest <= LONGEST_WORDS
    one = list(training_lines(texts, Labels(), ["windows"], epochs=1, seed=0))
    assert lines[: len(one)] == one
    assert sorted(lines[len(one) :]) != sorted(one)


def test_windows_hold_every_word_of_the_label_with_more_lines() -> None:
    texts = _texts("math", 1, "x " * 5000) + _texts("nonmath", 1, "y " * 50)
    lines = list(training_lines(texts, Labels(), ["windows"], epochs=1, seed=0))
    assert sum(line.split().count("x") for line in lines) == 5000


def test_variants_are_added_for_the_positive_label_alone() -> None:
    texts = _texts("math", 1, FORMULA) + _texts("nonmath", 1, "costs $5 and then $10 " * 5)
    lines = set(training_lines(texts, Labels(), ["drop_formulas", "plain_formulas"], 1, 0))
    assert len([line for line in lines if line.startswith("__label__math")]) == 3
    assert len([line for line in lines if line.startswith("__label__nonmath")]) == 1


def test_a_label_without_texts_is_an_error() -> None:
    with pytest.raises(ClassifierError, match="no text has the label 'nonmath'; expected texts of both labels"):
        list(training_lines(_texts("math", 3, "a proof"), Labels(), [], 1, 0))
