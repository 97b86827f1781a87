"""The eval manifest: held-out texts whose loss says what a checkpoint has learnt."""

from typing import Annotated, Literal

from pydantic import Field

from manifests.kinds.fields import Manifest, Slug


class EvalManifest(Manifest):
    """Loss on held-out text, by domain."""

    kind: Literal["eval"]
    """`eval`."""
    texts: Annotated[dict[Slug, str], Field(min_length=1)]
    """Domain → JSONL file (plain or gzip), relative to the manifest; the content enters the fingerprint."""
    text_column: str = "text"
    """The column that holds the text."""
    max_windows: Annotated[int, Field(ge=1)] = 1_000
    """Most windows evaluated in a domain; the rest is counted and named in the record."""
