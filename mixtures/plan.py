"""What a mixture will be: windows, tokens and epochs for each source.

Counts are exact where the token file is there, else estimated by the corpus' own token counter; the plan says which.
"""

from dataclasses import asdict, dataclass
from typing import Any

from manifests.errors import MixtureError, NotFound, OctoError
from manifests.fingerprint import fingerprint
from manifests.kinds.mixture import MixtureManifest, Source
from manifests.layout import DataFolder
from manifests.load import Loaded
from manifests.tokenizer import TOKENIZE_REVISION, TokenizerFacts, read_tokenizer
from mixtures.budget import apportion, count_steps
from mixtures.corpora import Corpus, count_selected, read_corpus
from mixtures.order import ORDER_REVISION
from mixtures.tokenfile import find_token_file, token_folder, token_recipe


@dataclass(frozen=True)
class SourcePlan:
    """One source of a planned mixture. `available_tokens` count the end of text after each document."""

    corpus: str
    where: str | None
    weight: float
    max_epochs: float
    windows: int
    trained_tokens: int
    documents: int
    available_tokens: int
    epochs: float
    counts: str
    """`exact` (from the token file) or `estimated` (from the corpus)."""
    disk_bytes: int


@dataclass(frozen=True)
class Plan:
    """A mixture with its corpora found and its budget divided."""

    identity: str
    manifest: MixtureManifest
    tokenizer: TokenizerFacts
    corpora: list[Corpus]
    sources: list[SourcePlan]
    steps: int

    @property
    def windows(self) -> int:
        """Windows of the phase."""
        return self.steps * self.manifest.batch_windows

    @property
    def window_tokens(self) -> int:
        """Tokens stored for each window."""
        return self.manifest.sequence_length + 1

    @property
    def trained_tokens(self) -> int:
        """Tokens that are predicted; each window stores one more."""
        return self.windows * self.manifest.sequence_length

    @property
    def disk_bytes(self) -> int:
        """Size of the windows."""
        return sum(source.disk_bytes for source in self.sources)

    @property
    def token_file_bytes(self) -> int:
        """Size of the token files that are still to be written."""
        missing = [source for source in self.sources if source.counts == "estimated"]
        return sum(source.available_tokens for source in missing) * self.tokenizer.token_size_bytes

    @property
    def exact(self) -> bool:
        """Whether every count comes from a token file."""
        return all(source.counts == "exact" for source in self.sources)

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the mixture's windows rest on."""
        manifest = self.manifest
        sources = [
            {
                "corpus": source.corpus,
                "corpus_digest": corpus.digest,
                "where": source.where,
                "weight": source.weight,
                "max_epochs": source.max_epochs,
            }
            for source, corpus in zip(manifest.sources, self.corpora, strict=True)
        ]
        return {
            "sources": sources,
            "tokenizer_digest": self.tokenizer.digest,
            "end_of_text": self.tokenizer.end_of_text,
            "sequence_length": manifest.sequence_length,
            "batch_windows": manifest.batch_windows,
            "steps": self.steps,
            "seed": manifest.seed,
            "revisions": {"tokenize": TOKENIZE_REVISION, "order": ORDER_REVISION},
        }

    def record(self) -> dict[str, Any]:
        """The plan as it is written to plan.json."""
        return {
            "identity": self.identity,
            "fingerprint": fingerprint(self.recipe),
            "recipe": self.recipe,
            "steps": self.steps,
            "windows": self.windows,
            "trained_tokens": self.trained_tokens,
            "disk_bytes": self.disk_bytes,
            "token_file_bytes": self.token_file_bytes,
            "sources": [asdict(source) for source in self.sources],
        }


@dataclass(frozen=True)
class Measured:
    """A source's corpus and what its selection holds; `tokens` count the end of text after each document."""

    corpus: Corpus
    documents: int
    tokens: int
    counts: str


def plan_mixture(loaded: Loaded, data: DataFolder) -> Plan:
    """The plan of a mixture manifest, feasible or not (`mixtures.feasible` says).

    Raises NotFound or MixtureError, naming every source at fault, where a corpus or a selection cannot be read at all.
    """
    manifest: MixtureManifest = loaded.manifest
    tokenizer = read_tokenizer(loaded.folder / manifest.tokenizer, manifest.end_of_text)
    measured = _measure_all(manifest, tokenizer, data)
    steps = count_steps(manifest.budget, manifest.sequence_length, manifest.batch_windows)
    windows = apportion(steps * manifest.batch_windows, [source.weight for source in manifest.sources])
    sources = [
        _plan_source(source, count, found, manifest.sequence_length, tokenizer)
        for source, count, found in zip(manifest.sources, windows, measured, strict=True)
    ]
    return Plan(manifest.identity, manifest, tokenizer, [found.corpus for found in measured], sources, steps)


def _measure_all(manifest: MixtureManifest, tokenizer: TokenizerFacts, data: DataFolder) -> list[Measured]:
    measured: list[Measured] = []
    errors: list[OctoError] = []
    for source in manifest.sources:
        try:
            measured.append(_measure(source, tokenizer, data))
        except OctoError as error:
            errors.append(error)
    if errors:
        missing = all(isinstance(error, NotFound) for error in errors)
        lines = "\n".join(f"mixture {manifest.identity}: {error}" for error in errors)
        raise NotFound(lines) if missing else MixtureError(lines)
    return measured


def _measure(source: Source, tokenizer: TokenizerFacts, data: DataFolder) -> Measured:
    corpus = read_corpus(data, source.corpus)
    recipe = token_recipe(corpus.digest, source.where, tokenizer)
    found = find_token_file(token_folder(data, corpus.reference, recipe), recipe)
    if found:
        return Measured(corpus, found.documents, found.num_tokens, "exact")
    documents, tokens = count_selected(corpus, source.where)
    return Measured(corpus, documents, tokens + documents, "estimated")


def _plan_source(
    source: Source, windows: int, measured: Measured, sequence_length: int, tokenizer: TokenizerFacts
) -> SourcePlan:
    stored = windows * (sequence_length + 1)
    return SourcePlan(
        corpus=source.corpus,
        where=source.where,
        weight=source.weight,
        max_epochs=source.max_epochs,
        windows=windows,
        trained_tokens=windows * sequence_length,
        documents=measured.documents,
        available_tokens=measured.tokens,
        epochs=stored / measured.tokens if measured.tokens else 0.0,
        counts=measured.counts,
        disk_bytes=stored * tokenizer.token_size_bytes,
    )
