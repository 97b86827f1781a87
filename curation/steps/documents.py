"""The end of the extraction block: token counts, digests and MinHash bands beside each text."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from curation.fates import FateSink
from curation.minhash import BandHasher
from curation.staged import EXTRACTED, StagedWriter, extracted_row
from manifests.kinds.corpus import TokenCounter

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class CountTokens:
    """How many tokens a text has: exactly by a tokenizer, else estimated from its bytes."""

    def __init__(self, options: TokenCounter, tokenizer: Path | None) -> None:
        self.options, self.tokenizer = options, tokenizer
        self._loaded: Tokenizer | None = None

    def count(self, text: str) -> int:
        """Tokens of the text, without special ones."""
        if self.tokenizer is None:
            return max(1, round(len(text.encode()) / self.options.bytes_per_token))
        if self._loaded is None:
            from manifests.tokenizer import plain_tokenizer

            self._loaded = plain_tokenizer(self.tokenizer)
        return len(self._loaded.encode(text, add_special_tokens=False).ids)


class StageDocuments(PipelineStep):
    """Writes the documents and, row for row beside them, what duplicate search needs of each."""

    type, name = "octo", "documents"

    def __init__(self, sink: FateSink, counter: CountTokens, hasher: BandHasher | None) -> None:
        super().__init__()
        self.sink, self.counter, self.hasher = sink, counter, hasher

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields nothing: the files are the result."""
        folder = self.sink.folder
        bands = self.hasher.bands if self.hasher else 0
        with (
            StagedWriter(folder / f"documents-{rank:05d}.parquet", EXTRACTED) as documents,
            StagedWriter(folder / f"bands-{rank:05d}.parquet", band_schema(bands)) as signatures,
        ):
            for document in data:
                self._complete(document)
                documents.write(extracted_row(document))
                signatures.write(self._signature(document))
        self.sink.close()
        yield from ()

    def _complete(self, document: Document) -> None:
        del document.metadata["record"]
        document.metadata |= {
            "text_digest": hashlib.sha256(document.text.encode()).hexdigest(),
            "num_tokens": self.counter.count(document.text),
        }

    def _signature(self, document: Document) -> dict[str, object]:
        row = {name: document.metadata.get(name) for name in ("text_digest", "math_score", "crawl_date")}
        hashes = self.hasher.bands_of(document.text).tolist() if self.hasher else []
        named = {f"band_{index:03d}": value for index, value in enumerate(hashes)}
        return row | {"id": document.id, "num_chars": len(document.text)} | named


def band_schema(bands: int) -> pa.Schema:
    """One column a band, so that a task reads only the bands it works on."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("text_digest", pa.string(), nullable=False),
            pa.field("num_chars", pa.int64(), nullable=False),
            pa.field("math_score", pa.float64()),
            pa.field("crawl_date", pa.string()),
            *[pa.field(f"band_{index:03d}", pa.uint64(), nullable=False) for index in range(bands)],
        ]
    )
