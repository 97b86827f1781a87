"""From a classifier manifest to a model version: read, augment, train, measure, write the card, all or nothing."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

from classifiers import augment, normalise
from classifiers.card import card_text
from classifiers.evaluate import best_threshold, by_source, score_texts, totals
from classifiers.fasttext_model import MathScorer, card_path, library_version, train_model
from classifiers.labelled import TRAIN, VALID, LabelledTexts, read_training, training_files
from classifiers.shipped import MODEL_FILE
from manifests.errors import ClassifierError
from manifests.fingerprint import file_digest, fingerprint, refuse_changed
from manifests.folders import atomic_folder, only_writer
from manifests.kinds import ClassifierManifest
from manifests.layout import DataFolder
from manifests.records import now, write_record
from manifests.terminal import say


def train_classifier(manifest: ClassifierManifest, files: Path, data: DataFolder, replace: bool = False) -> Path:
    """The trained model's file; trained now, or as it was when the recipe is unchanged.

    `files` is the folder the training files lie in. Raises IdentityError where the version was made from another
    recipe and `replace` is not given, ClassifierError where the model is worse than `min_accuracy`.
    """
    folder = data.classifier(manifest.identity)
    model = folder / MODEL_FILE
    recipe = resolve(manifest, files)
    if not replace:
        refuse_changed(manifest.identity, card_path(model), recipe)
        if model.exists() and card_path(model).exists():
            say(f"{manifest.identity}: already trained from this recipe, nothing to do")
            return model
    found = read_training(manifest.training, manifest.labels, files)
    with only_writer(folder), atomic_folder(folder) as unfinished:
        _write_version(unfinished, manifest, found, recipe)
    return model


def resolve(manifest: ClassifierManifest, files: Path) -> dict[str, Any]:
    """The manifest as data, with digests in place of paths, and the revisions of the code that shapes the model."""
    recipe = manifest.model_dump(mode="json", exclude={"description"})
    digests = {file_digest(path): label for path, label in training_files(manifest.training, files).items()}
    recipe["training"]["files"] = sorted(digest for digest, label in digests.items() if label is None)
    recipe["training"]["one_label_files"] = {digest: label for digest, label in digests.items() if label is not None}
    return recipe | {"revisions": {"normalise": normalise.REVISION, "augment": augment.REVISION}}


def _write_version(folder: Path, manifest: ClassifierManifest, found: LabelledTexts, recipe: dict[str, Any]) -> None:
    model = folder / MODEL_FILE
    texts = found.part(TRAIN)
    lines = augment.training_lines(
        texts, manifest.labels, manifest.training.augment, manifest.model.epochs, manifest.model.seed
    )
    say(f"{manifest.identity}: training on {len(texts):,} texts")
    trained = train_model(lines, manifest.model, manifest.quantise, model)
    card = _card(manifest, found, recipe, model, trained)
    write_record(card_path(model), card)
    model.with_suffix(".md").write_text(card_text(card), "utf-8")


def _card(
    manifest: ClassifierManifest, found: LabelledTexts, recipe: dict[str, Any], model: Path, lines: int
) -> dict[str, Any]:
    """Everything worth knowing about the model. Raises ClassifierError where it is too bad to keep."""
    metrics = _metrics(manifest, found, model)
    if metrics["accuracy"] < manifest.min_accuracy:
        raise ClassifierError(
            f"{manifest.identity}: accuracy on {metrics['texts']:,} validation texts is {metrics['accuracy']:.3f}; "
            f"expected {manifest.min_accuracy:g} (min_accuracy). Look at the labels, or change the model's parameters."
        )
    return {
        "identity": manifest.identity,
        "description": manifest.description,
        "digest": file_digest(model),
        "size_bytes": model.stat().st_size,
        "labels": manifest.labels.model_dump(),
        "threshold": manifest.threshold,
        "normaliser_revision": normalise.REVISION,
        "fingerprint": fingerprint(recipe),
        "recipe": recipe,
        "training_lines": lines,
        "sources": _sources(found),
        "left_out": dict(sorted(found.left_out.items())),
        "valid": metrics,
        "library": library_version(),
        "made": now(),
    }


def _sources(found: LabelledTexts) -> list[dict[str, Any]]:
    counts = Counter((text.label, text.source, text.licence, text.split) for text in found.texts if text.label)
    origins = sorted({key[:3] for key in counts})
    return [
        {"source": source, "label": label, "licence": licence}
        | {split: counts[label, source, licence, split] for split in (TRAIN, VALID)}
        for label, source, licence in origins
    ]


def _metrics(manifest: ClassifierManifest, found: LabelledTexts, model: Path) -> dict[str, Any]:
    valid = found.part(VALID)
    if not valid:
        raise ClassifierError(f"{manifest.identity}: no validation texts; expected some with the split {VALID!r}.")
    scored = score_texts(MathScorer(model, label=manifest.labels.positive), valid)
    at, best = totals(scored, manifest.threshold), best_threshold(scored)
    return {
        "texts": at.texts,
        "accuracy": round(at.accuracy, 4),
        "recall": round(at.recall, 4),
        "precision": round(at.precision, 4),
        "best_threshold": best.threshold,
        "best_accuracy": round(best.accuracy, 4),
        "by_source": [dataclasses.asdict(result) for result in by_source(scored, manifest.threshold)],
    }
