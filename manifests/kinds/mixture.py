"""The mixture manifest: the weights and the budget of ONE phase."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from manifests.kinds.fields import Count, Manifest, Positive, Reference, Section


class Source(Section):
    """One corpus inside the mixture."""

    corpus: Reference
    """The corpus version, `name@version`."""
    weight: Positive
    """Share of the trained tokens; the weights of a mixture sum to 1."""
    where: str | None = None
    """SQL condition on the columns of a document, such as `math_score >= 0.6`; left out, every document."""
    max_epochs: Positive = 4.0
    """How often the source's tokens may be seen; a plan that needs more is refused."""


class Budget(Section):
    """How long the phase is: exactly one of the two."""

    tokens: Count | None = None
    """Trained tokens, such as `200B`; rounded up to whole steps."""
    steps: Count | None = None
    """Optimizer steps."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.tokens is None) == (self.steps is None):
            given = "both" if self.tokens is not None else "neither"
            raise ValueError(f"{given} of `tokens` and `steps` given; expected exactly one")
        return self


class MixtureManifest(Manifest):
    """What one phase trains on, in which shares, for how long."""

    kind: Literal["mixture"]
    """`mixture`."""
    tokenizer: str
    """A tokenizer.json, relative to the manifest; its content enters the fingerprint."""
    end_of_text: str | None = None
    """The token written after each document; left out, the tokenizer's own <|endoftext|>, <|end_of_text|> or </s>."""
    sequence_length: Annotated[int, Field(ge=8, le=1_048_576)]
    """Trained tokens in a window; one more is stored."""
    batch_windows: Annotated[int, Field(ge=1)]
    """Windows in a global batch, the unit of the order digest (the paper: 512 windows of 8,192 tokens)."""
    budget: Budget
    """How long the phase is."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 42
    """Decides the order of documents and windows."""
    sources: Annotated[list[Source], Field(min_length=1)]
    """The corpora and their weights."""

    @field_validator("sources")
    @classmethod
    def _weights_sum_to_one(cls, sources: list[Source]) -> list[Source]:
        total = math.fsum(source.weight for source in sources)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the weights sum to {total:.6g}; expected 1")
        return sources

    @field_validator("sources")
    @classmethod
    def _sources_differ(cls, sources: list[Source]) -> list[Source]:
        seen = [(source.corpus, source.where) for source in sources]
        twice = sorted({corpus for corpus, where in seen if seen.count((corpus, where)) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice; expected one entry with the summed weight")
        return sources
