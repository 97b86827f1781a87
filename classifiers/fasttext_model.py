"""fastText models: training that gives the same model every time, and scores that are safe to ask for.

fastText initialises its matrix in ten blocks, one for each thread, so that with fewer than 11 threads most of it is
whatever the memory held; with more than one thread the result depends on timing. One thread on zeroed memory (glibc's
`MALLOC_PERTURB_=255`, set before the process starts) gives one model, byte for byte, of any size.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from classifiers import normalise
from classifiers.fasttext_worker import EXIT_NOT_FINITE
from manifests.errors import ClassifierError, InputError
from manifests.fingerprint import file_digest
from manifests.kinds.classifier import FastText, Quantise
from manifests.records import read_record

LIBRARY = "fasttext-numpy2-wheel"
PREFIX = "__label__"
MAX_CHARS = 30_000
"""Only the beginning of longer texts is scored, so that time is bounded. Measured in `docs/classifiers.md`."""

_ZEROED_MEMORY = {
    "MALLOC_PERTURB_": "255",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=255",
    "MALLOC_MMAP_THRESHOLD_": "4096",
}


def train_model(lines: Iterable[str], options: FastText, quantise: Quantise | None, output: Path) -> int:
    """The number of lines `__label__NAME word word …` trained on, each once; the model lies in `output`. Killable.

    The lines hold all epochs, in order. Raises ClassifierError where training fails. The same lines and options give
    the same bytes (on glibc).
    """
    with tempfile.TemporaryDirectory(prefix=".training-", dir=output.parent) as folder:
        text = Path(folder) / "lines.txt"
        with text.open("w", encoding="utf-8") as file:
            count = sum(file.write(f"{line}\n") > 0 for line in lines)
        job = Path(folder) / "job.json"
        job.write_text(json.dumps(_job(text, options, quantise, output)), "utf-8")
        _run_worker(job)
    return count


def _job(lines: Path, options: FastText, quantise: Quantise | None, output: Path) -> dict[str, Any]:
    return {
        "lines": str(lines),
        "output": str(output),
        "verbose": 2 if sys.stderr.isatty() else 0,
        "model": {
            "dim": options.dim,
            "epoch": 1,
            "lr": options.learning_rate,
            "wordNgrams": options.word_ngrams,
            "minCount": options.min_count,
            "bucket": options.bucket,
            "seed": options.seed,
        },
        "quantise": quantise.model_dump() if quantise else None,
    }


def _run_worker(job: Path) -> None:
    worker = Path(__file__).with_name("fasttext_worker.py")
    command = [sys.executable, "-P", str(worker), str(job)]  # -P: no module beside the worker hides another
    done = subprocess.run(command, env=os.environ | _ZEROED_MEMORY, stdout=2, check=False)
    if done.returncode == EXIT_NOT_FINITE:
        raise ClassifierError(
            "model: the loss became NaN; expected a finite one. Lower model.learning_rate; where the C library is not "
            "glibc, also raise model.bucket, since fastText then starts from uninitialised memory."
        )
    if done.returncode:
        raise ClassifierError(
            f"model: fastText ended with status {done.returncode}; expected 0. Its message stands above; "
            "without one, the machine may have run out of memory: lower model.bucket or model.dim."
        )


@dataclass(frozen=True)
class MathScorer:
    """Scores texts with one local fastText model. Cheap to pickle: the model is loaded at the first score of a process.

    Where a card lies beside the model (`model.json` for `model.ftz`), the model must be the one of the card, and
    trained on the present normal form. Raises InputError for a missing file, ClassifierError for one of these.
    """

    path: Path
    digest: str = ""
    """`sha256:…` of the file: checked where given, found where not."""
    label: str = ""
    """The label whose probability is the score; left out, that of the card, else `math`."""

    def __post_init__(self) -> None:
        found = file_digest(self.path)
        if self.digest and self.digest != found:
            raise ClassifierError(f"{self.path}: its digest is {found}; expected {self.digest}. Train it again.")
        card = _checked_card(self.path, found)
        object.__setattr__(self, "digest", found)
        object.__setattr__(self, "label", self.label or card.get("labels", {}).get("positive", "math"))

    def score(self, text: str) -> float:
        """How probable the positive label is, 0 to 1; 0 for a text without words. Long texts: their beginning."""
        return self.score_words(normalise.normalise(text[:MAX_CHARS]))

    def score_words(self, words: str) -> float:
        """The same for words in normal form already."""
        if not words:
            return 0.0
        for probability, label in _load(self.path, self.digest).f.predict(f"{words}\n", 2, 0.0, "strict"):
            if label == PREFIX + self.label:
                return _within_unit(probability, self.path)
        raise ClassifierError(f"{self.path}: has no label {self.label!r}; expected it. Train a model that has.")


def _within_unit(probability: float, path: Path) -> float:
    """fastText's probabilities exceed 1 by rounding; one that is no number means a broken model."""
    if math.isnan(probability):
        raise ClassifierError(f"{path}: gives NaN for a text; expected a probability. Train the model again.")
    return min(1.0, max(0.0, probability))


def card_path(model: Path) -> Path:
    """Where the card of a model lies: beside it, `model.json` for `model.ftz`."""
    return model.with_suffix(".json")


def _checked_card(model: Path, digest: str) -> dict[str, Any]:
    path = card_path(model)
    if not path.exists():
        return {}
    card = read_record(path)
    if card.get("digest") != digest:
        raise ClassifierError(f"{model}: is not the model of {path.name} ({card.get('digest')}). Train it again.")
    if card.get("normaliser_revision") != normalise.REVISION:
        raise ClassifierError(
            f"{model}: was trained on revision {card.get('normaliser_revision')} of the normal form of text; "
            f"expected {normalise.REVISION}. Train it again with `octo classifier train`."
        )
    return card


@lru_cache(maxsize=8)
def _load(path: Path, digest: str) -> Any:
    """The model in a file, one for each process and content; refused if the file changed since it was named."""
    from fasttext.FastText import _FastText

    if file_digest(path) != digest:
        raise ClassifierError(f"{path}: changed while it was in use; expected {digest}. Start again.")
    try:
        return _FastText(model_path=str(path))
    except (ValueError, RuntimeError, MemoryError) as error:
        raise InputError(f"{path}: is not a fastText model ({error}); expected a .bin or .ftz file.") from error


def library_version() -> str:
    """Name and version of the fastText distribution."""
    return f"{LIBRARY} {version(LIBRARY)}"
