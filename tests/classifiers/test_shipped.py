"""The shipped model: it is the one of its card and of its recipe, and tells mathematics from other text."""

import gzip
import json
from pathlib import Path

import pytest

from classifiers.augment import drop_formulas
from classifiers.card import card_text
from classifiers.evaluate import Scored, totals
from classifiers.fasttext_model import MathScorer, card_path
from classifiers.shipped import shipped_models
from classifiers.train import resolve, train_classifier
from manifests.fingerprint import fingerprint
from manifests.layout import DataFolder
from manifests.load import load_manifest

MODEL = shipped_models()["math-web"]
CARD = json.loads(card_path(MODEL).read_text("utf-8"))
PAGES = {
    True: [
        "Theorem. Every finite integral domain is a field. Proof. Let $R$ be a finite integral domain and $a \\neq 0$.",
        "To solve the equation, complete the square: x² + 6x = 7, so (x + 3)² = 16 and x = 1 or x = −7.",
        "The expected value of a random variable X with density f is the integral of x f(x) over the real line.",
    ],
    False: [
        "Heat the oil in a large pan, add the onions and garlic, and cook until soft. Serve with bread and a salad.",
        "The hotel is five minutes from the beach, and the owners are very friendly. Rooms cost $80 to $120 a night, "
        "breakfast is included, and there is a garden where the children can play while you enjoy the evening.",
        "Run `npm install` and restart the server; the configuration file is read again when the process starts.",
    ],
}


def test_the_model_is_small_and_the_one_of_its_card() -> None:
    assert MODEL.stat().st_size <= 3_000_000
    assert MathScorer(MODEL).digest == CARD["digest"]
    assert MODEL.with_suffix(".md").read_text("utf-8") == card_text(CARD)


def test_the_recipe_is_the_one_of_the_card() -> None:
    manifest = load_manifest("math-web", kind="classifier").manifest
    stated = {key: value for key, value in CARD["recipe"].items() if key not in ("training", "revisions")}
    assert stated == manifest.model_dump(mode="json", include=set(stated))
    assert CARD["identity"] == manifest.identity
    assert CARD["fingerprint"] == fingerprint(CARD["recipe"])


def test_every_source_has_a_licence_and_none_of_those_to_measure_on() -> None:
    assert all(row["licence"] != "(not stated)" for row in CARD["sources"])
    measured_on = ("python3", "postgresql", "handbook", "boost", "aptitude", "pride-and", "time-machine")
    assert not [row for row in CARD["sources"] if any(word in row["source"] for word in measured_on)]


@pytest.mark.parametrize("positive", PAGES)
def test_plain_cases(positive: bool) -> None:
    scorer = MathScorer(MODEL)
    for page in PAGES[positive]:
        assert (scorer.score(page) >= 0.5) == positive, page


def test_manuals_and_novels_it_never_saw(shared_data: Path) -> None:
    scorer = MathScorer(MODEL)
    left_out = tuple(rule.removeprefix("source: ").rstrip("*") for rule in CARD["left_out"])
    with gzip.open(shared_data / "classifier" / "math_paragraphs.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    unseen = [row for row in rows if row["source"].startswith(left_out)][::10]
    assert len(unseen) > 1000
    found = totals([Scored("", False, scorer.score(row["text"])) for row in unseen], 0.5)
    assert found.accuracy > 0.8


def test_planetmath_pages_with_and_without_formulas(shared_data: Path) -> None:
    scorer = MathScorer(MODEL)
    with gzip.open(shared_data / "planetmath-sources.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["tex"] for line in file][::5]
    for change, least in ((str, 0.97), (drop_formulas, 0.9)):
        found = totals([Scored("", True, scorer.score(change(text))) for text in texts], 0.5)
        assert found.recall > least


@pytest.mark.slow
def test_the_recipe_makes_the_model_byte_for_byte(shared_data: Path, tmp_path: Path) -> None:
    manifest = load_manifest("math-web", kind="classifier").manifest
    assert resolve(manifest, shared_data) == CARD["recipe"]
    assert train_classifier(manifest, shared_data, DataFolder(tmp_path)).read_bytes() == MODEL.read_bytes()
