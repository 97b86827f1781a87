"""The classifier manifest: labelled texts and hyper-parameters of one fastText model."""

from typing import Annotated, Literal

from pydantic import Field

from manifests.kinds.fields import Fraction, Manifest, Positive, Section

Augmentation = Literal["drop_formulas", "plain_formulas", "windows"]


class Labels(Section):
    """The two labels of the training data."""

    positive: str = "math"
    """The label whose probability is the score."""
    negative: str = "nonmath"
    """The other label."""


class Training(Section):
    """The labelled texts."""

    files: Annotated[list[str], Field(min_length=1)]
    """JSONL files (plain or gzip) of labelled texts, relative to the manifest or to `--files DIR`."""
    one_label_files: dict[str, str] = {}
    """More such files, whose rows all have the label given here."""
    text_column: str = "text"
    """The column that holds the text."""
    label_column: str = "label"
    """The column that holds the label."""
    split_column: str | None = "split"
    """The column that says `train` or `valid`; null splits by a hash of the text, one in ten for validation."""
    source_column: str | None = "source"
    """The column that names the origin, for counts per source in the card."""
    licence_column: str | None = "licence"
    """The column that names the licence, for the card."""
    exclude: dict[str, list[str]] = {}
    """Column → values whose rows are left out (a value that ends in `*` matches a prefix)."""
    augment: list[Augmentation] = []
    """Variants added to the training texts, so that text of web pages looks familiar."""


class FastText(Section):
    """fastText hyper-parameters. Training uses one thread: more are faster but give another model each time."""

    dim: Annotated[int, Field(ge=2, le=1024)] = 16
    """Length of the word vectors."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 5
    """Passes over the training texts."""
    learning_rate: Positive = 0.5
    """Initial learning rate."""
    word_ngrams: Annotated[int, Field(ge=1, le=5)] = 2
    """Longest word sequence used as a feature."""
    min_count: Annotated[int, Field(ge=1)] = 3
    """Words seen less often are ignored."""
    bucket: Annotated[int, Field(ge=1_000)] = 200_000
    """Hash buckets for word sequences; more cost memory and file size, fewer collide."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the initial vectors."""


class Quantise(Section):
    """Product quantisation, which makes a model some thirty times smaller."""

    cutoff: Annotated[int, Field(ge=1_000)] = 50_000
    """Features kept."""
    dsub: Annotated[int, Field(ge=1, le=16)] = 2
    """Length of each quantised part of a vector."""
    qnorm: bool = True
    """Quantise the norms apart."""
    retrain: bool = True
    """Fine-tune after features were cut."""


class ClassifierManifest(Manifest):
    """One fastText classifier."""

    kind: Literal["classifier"]
    """`classifier`."""
    labels: Labels = Labels()
    """The two labels."""
    training: Training
    """The labelled texts."""
    model: FastText = FastText()
    """Hyper-parameters."""
    quantise: Quantise | None = None
    """Left out, the model is stored as trained."""
    threshold: Fraction = 0.5
    """The score from which a text counts as positive in the metrics."""
    min_accuracy: Fraction = 0.9
    """Training fails when the validation accuracy is lower, so that a broken model is never stored."""
