"""The verbs over classifiers: `octo classifier train | evaluate | score`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from manifests.layout import DataFolder
from manifests.terminal import data_option, format_option, print_rows, replace_option, say

if TYPE_CHECKING:
    from classifiers.fasttext_model import MathScorer
    from manifests.load import Loaded

BINS = 10

_files_option = click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder the training files lie in [default: the manifest's].",
)


@click.group()
def classifier() -> None:
    """Train, evaluate and apply text classifiers."""


@classifier.command()
@click.argument("manifest")
@_files_option
@replace_option
@data_option
def train(manifest: str, files: Path | None, replace: bool, data: DataFolder) -> None:
    """Train the model of a classifier MANIFEST and write its card.

    MANIFEST is a path or the name of a recipe, such as math-web. The model lands in classifiers/NAME@VERSION of the
    data folder; a corpus manifest names it by that NAME@VERSION.
    """
    from classifiers.train import train_classifier
    from manifests.load import load_manifest

    loaded = load_manifest(manifest, kind="classifier")
    model = train_classifier(loaded.manifest, files or loaded.folder, data, replace)
    say(f"the card lies beside the model: {model.with_suffix('.md')}")
    click.echo(model)


@classifier.command()
@click.argument("manifest")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_files_option
@click.option("--threshold", type=click.FloatRange(0, 1), help="The score from which a text is positive.")
@click.option("--histogram", is_flag=True, help="Count the texts of each source in each tenth of the score.")
@data_option
@format_option
def evaluate(
    manifest: str,
    file: Path | None,
    files: Path | None,
    threshold: float | None,
    histogram: bool,
    data: DataFolder,
    output: str,
) -> None:
    """Measure the model of a classifier MANIFEST on labelled texts.

    FILE is JSONL with the manifest's columns; rows whose label is null are only looked at. Without FILE, the
    validation texts of the manifest are used. Prints a row for each source, and totals on stderr.
    """
    from classifiers.evaluate import best_threshold, by_source, histogram_rows, score_texts, totals
    from classifiers.labelled import VALID, LabelledTexts, read_file, read_training
    from manifests.load import load_manifest

    loaded = load_manifest(manifest, kind="classifier")
    training, labels = loaded.manifest.training, loaded.manifest.labels
    if file:
        found = LabelledTexts()
        read_file(file, training.model_copy(update={"exclude": {}}), labels, found)  # exclude is about training
        texts = found.texts
    else:
        texts = read_training(training, labels, files or loaded.folder).part(VALID)
    scored = score_texts(_scorer(loaded, data), texts)
    at = loaded.manifest.threshold if threshold is None else threshold
    if histogram:
        columns = ["label", "source", *(f"{step / BINS:g}" for step in range(BINS))]
        print_rows(columns, histogram_rows(scored, BINS), output)
    else:
        columns = ["label", "source", "texts", "wrong", "p10", "median", "p90"]
        rows = [(r.label, r.source, r.texts, r.wrong, r.p10, r.median, r.p90) for r in by_source(scored, at)]
        print_rows(columns, rows, output)
    for name, result in (("", totals(scored, at)), ("fewest mistakes: ", best_threshold(scored))):
        say(
            f"{name}threshold {result.threshold:g}: {result.texts:,} labelled texts, accuracy {result.accuracy:.4f}, "
            f"recall {result.recall:.4f}, precision {result.precision:.4f}, {result.false_negative:,} missed, "
            f"{result.false_positive:,} false alarms"
        )


@classifier.command()
@click.argument("manifest")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@format_option
def score(manifest: str, file: Path, data: DataFolder, output: str) -> None:
    """Score the texts of FILE with the model of a classifier MANIFEST.

    FILE is JSONL (each row's text column is a text) or one plain text. Rows come out in the order of FILE.
    """
    from classifiers.labelled import read_plain
    from manifests.load import load_manifest

    loaded = load_manifest(manifest, kind="classifier")
    scorer = _scorer(loaded, data)
    texts = enumerate(read_plain(file, loaded.manifest.training.text_column), start=1)
    rows = ((row, scorer.score(text), " ".join(text[:60].split())) for row, text in texts)
    print_rows(["row", "score", "beginning"], rows, output)


def _scorer(loaded: "Loaded", data: DataFolder) -> "MathScorer":
    """The model of a manifest: trained in the data folder, else shipped."""
    from classifiers.fasttext_model import MathScorer
    from classifiers.shipped import find_model

    return MathScorer(find_model(loaded.manifest.identity, loaded.folder, data))
