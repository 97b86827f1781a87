"""Training gives one model, byte for byte; scores are probabilities, from any process; bad models are named."""

import json
import pickle
import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from classifiers import normalise
from classifiers.fasttext_model import MathScorer, card_path, train_model
from manifests.errors import ClassifierError, InputError
from manifests.fingerprint import file_digest
from manifests.kinds.classifier import FastText, Quantise

SMALL = FastText(dim=4, min_count=1, bucket=100_000)
WORDS = {"math": "theorem proof lemma integral group", "nonmath": "bread butter river holiday music"}


def _lines(count: int = 400) -> list[str]:
    rng = random.Random(0)
    labels = [("math", "nonmath")[number % 2] for number in range(count)]
    return [f"__label__{label} {' '.join(rng.choices(WORDS[label].split(), k=12))}" for label in labels]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.ftz"
    assert train_model(_lines(), SMALL, Quantise(cutoff=1000), path) == 400
    return path


def test_the_same_lines_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    train_model(iter(_lines()), SMALL, Quantise(cutoff=1000), tmp_path / "again.ftz")
    assert (tmp_path / "again.ftz").read_bytes() == model.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "again.ftz"]


def test_other_lines_give_another_model(model: Path, tmp_path: Path) -> None:
    train_model(_lines()[:100], SMALL, None, tmp_path / "other.bin")
    assert (tmp_path / "other.bin").read_bytes() != model.read_bytes()


def test_scores_are_probabilities(model: Path) -> None:
    scorer = MathScorer(model)
    assert scorer.score("The proof of the lemma on a group and the integral: theorem.") > 0.8
    assert scorer.score("Bread and butter by the river, music on holiday.") < 0.2
    assert scorer.score("") == scorer.score(" \n---\n ") == scorer.score("\ud800") == 0.0
    assert 0.0 <= scorer.score("unheard of words") <= 1.0


def test_long_and_hostile_texts_are_scored(model: Path) -> None:
    scorer = MathScorer(model)
    assert scorer.score("proof " * 1_000_000) == scorer.score("proof " * 5_000)
    for text in ("\x00" * 100, "__label__nonmath proof", "\\label{" * 50_000, "a" * 1_000_000):
        assert 0.0 <= scorer.score(text) <= 1.0


def test_the_other_label_is_the_complement(model: Path) -> None:
    text = "proof of bread"
    assert MathScorer(model).score(text) + MathScorer(model, label="nonmath").score(text) == pytest.approx(1, abs=1e-3)


def test_threads_and_processes_agree(model: Path) -> None:
    scorer = MathScorer(model)
    texts = [f"proof number {number} of bread" for number in range(20)]
    expected = [scorer.score(text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(scorer.score, texts)) == expected
    for method in ("fork", "spawn"):
        with ProcessPoolExecutor(1, mp_context=get_context(method)) as processes:
            assert list(processes.map(scorer.score, texts)) == expected


def test_a_scorer_is_small_to_pickle_and_keeps_its_digest(model: Path) -> None:
    scorer = MathScorer(model)
    scorer.score("proof")
    packed = pickle.dumps(scorer)
    assert len(packed) < 1000
    assert pickle.loads(packed) == scorer
    assert scorer.digest == file_digest(model)


def test_another_file_than_promised_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"its digest is sha256:\w+; expected sha256:0000"):
        MathScorer(model, digest="sha256:0000")
    with pytest.raises(InputError, match=r"none\.ftz: cannot be read"):
        MathScorer(tmp_path / "none.ftz")


def test_a_file_that_changes_in_use_is_refused(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.ftz"
    copy.write_bytes(model.read_bytes())
    scorer = MathScorer(copy)
    copy.write_bytes(b"other")
    with pytest.raises(ClassifierError, match=r"changed while it was in use"):
        scorer.score("proof")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.ftz"
    path.write_text("<html>", "utf-8")
    with pytest.raises(InputError, match=r"page\.ftz: is not a fastText model .*; expected a \.bin or \.ftz file"):
        MathScorer(path).score("proof")


def test_the_card_beside_a_model_is_checked(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.ftz"
    copy.write_bytes(model.read_bytes())
    card = {"digest": file_digest(copy), "normaliser_revision": normalise.REVISION, "labels": {"positive": "nonmath"}}
    card_path(copy).write_text(json.dumps(card), "utf-8")
    assert MathScorer(copy).label == "nonmath"
    card_path(copy).write_text(json.dumps(card | {"digest": "sha256:1"}), "utf-8")
    with pytest.raises(ClassifierError, match=r"is not the model of model\.json \(sha256:1\)"):
        MathScorer(copy)
    card_path(copy).write_text(json.dumps(card | {"normaliser_revision": -1}), "utf-8")
    with pytest.raises(ClassifierError, match=r"revision -1 of the normal form of text; expected \d+\. Train it again"):
        MathScorer(copy)


def test_a_label_the_model_does_not_have_is_an_error(model: Path) -> None:
    with pytest.raises(ClassifierError, match="has no label 'physics'"):
        MathScorer(model, label="physics").score("proof")


def test_training_that_diverges_is_explained(tmp_path: Path) -> None:
    wild = SMALL.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(
        ClassifierError, match=r"the loss became NaN; expected a finite one\. Lower model\.learning_rate"
    ):
        train_model(_lines(), wild, None, tmp_path / "model.bin")
    assert list(tmp_path.iterdir()) == []


def test_training_without_lines_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"fastText ended with status \d+; expected 0"):
        train_model([], SMALL, None, tmp_path / "model.bin")
