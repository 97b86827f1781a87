"""Shards: each task gathers one partition, sorted by id, and writes it as one Parquet file with its statistics."""

from pathlib import Path
from typing import Any

import polars as pl
from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from curation.digest import RowsDigest, partition_of
from curation.fates import FateSink, Verdict
from curation.stage import Heartbeat, Stage
from curation.staged import EXTRACTED, StagedWriter, extracted_document
from manifests.fingerprint import file_digest
from manifests.schemas import DOCUMENT


class ReadPartition(PipelineStep):
    """Yields the documents whose id falls to this task, sorted by id."""

    type, name = "octo", "partition"

    def __init__(self, documents: Path, folder: Path) -> None:
        super().__init__()
        self.documents, self.folder = documents, folder

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields documents in the order of the shard; documents of equal id follow each other, by text."""
        heartbeat, done = Heartbeat(self.folder, rank), 0
        for row in self._rows(rank, world_size).iter_rows(named=True):
            done += 1
            heartbeat.beat(done)
            yield extracted_document(row)
        heartbeat.beat(done, final=True)

    def _rows(self, rank: int, world_size: int) -> pl.DataFrame:
        parts = [self._mine(path, rank, world_size) for path in sorted(self.documents.glob("documents-*.parquet"))]
        return pl.concat(parts).sort("id", "text_digest", "file", "offset")

    def _mine(self, path: Path, rank: int, world_size: int) -> pl.DataFrame:
        """The rows of one staged file that fall to this task, chosen by id before the texts are read."""
        ids = pl.read_parquet(path, columns=["id"])["id"]
        mine = pl.Series([partition_of(identity, world_size) == rank for identity in ids], dtype=pl.Boolean)
        return pl.read_parquet(path, columns=EXTRACTED.names).filter(mine)


class KeepUniqueIds(Stage):
    """Removes documents whose id another one has; ids must be unique in a corpus, and the inputs may not know it."""

    name = "ids"

    def prepare(self) -> None:
        """Starts a partition."""
        self._last: str | None = None

    def judge(self, document: Document) -> Verdict | None:
        """None for the first document of an id; the partition is sorted, so equal ids are neighbours."""
        if document.id == self._last:
            return Verdict("same_id", "another record of this id stayed", kept_id=document.id)
        self._last = document.id
        return None


class WriteShard(PipelineStep):
    """Writes the shard of this task atomically, with its statistics, and the fate `kept` of every row."""

    type, name = "octo", "shard"

    def __init__(self, sink: FateSink, shards: Path, licence: str) -> None:
        super().__init__()
        self.sink, self.shards, self.licence = sink, shards, licence

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields nothing: the shard is the result."""
        self.sink.open(rank)
        target = self.shards / f"part-{rank:05d}.parquet"
        tally, digest, statistics = self.sink.tally(self.name), RowsDigest(), _Statistics()
        with StagedWriter(target, DOCUMENT) as writer:
            for document in data:
                row = self._row(document)
                writer.write(row)
                digest.add(row["id"], row["text"])
                statistics.add(row)
                tally.input += 1
                tally.kept += 1
                self.sink.record(document, self.name, None)
        shard = {"shard": target.name, "size_bytes": target.stat().st_size, "sha256": file_digest(target)}
        self.sink.extra = {
            "shard": shard | statistics.as_dict(),
            "digest": digest.hex(),
            "text_bytes": statistics.bytes,
        }
        self.sink.close()
        yield from ()

    def _row(self, document: Document) -> dict[str, Any]:
        origin = document.metadata
        copied = (
            "url", "source", "crawl_date", "language", "language_score", "math_score", "num_tokens", "text_digest",
            "cluster_id", "cluster_size", "num_formulas", "formulas_found", "formulas_converted", "undefined_macros",
            "extractor",
        )  # fmt: skip
        return {name: origin.get(name) for name in copied} | {
            "id": document.id,
            "text": document.text,
            "formula_kinds": sorted(origin["formula_kinds"].items()),
            "formula_failures": sorted(origin["formula_failures"].items()),
            "num_chars": len(document.text),
            "refiner": None,
            "licence": self.licence or None,
            "metadata": origin["columns"],
        }


class _Statistics:
    """What the catalog says of a shard."""

    def __init__(self) -> None:
        self.rows = self.tokens = self.chars = self.max_chars = self.formulas = self.bytes = 0
        self.scores: list[float] = []

    def add(self, row: dict[str, Any]) -> None:
        self.rows += 1
        self.tokens += row["num_tokens"]
        self.chars += row["num_chars"]
        self.max_chars = max(self.max_chars, row["num_chars"])
        self.formulas += row["num_formulas"]
        self.bytes += len(row["text"].encode())
        if row["math_score"] is not None:
            self.scores.append(row["math_score"])

    def as_dict(self) -> dict[str, Any]:
        scores = self.scores
        return {
            "rows": self.rows,
            "tokens": self.tokens,
            "chars": self.chars,
            "formulas": self.formulas,
            "mean_chars": self.chars / self.rows if self.rows else None,
            "max_chars": self.max_chars,
            "min_math_score": min(scores, default=None),
            "mean_math_score": sum(scores) / len(scores) if scores else None,
            "max_math_score": max(scores, default=None),
        }
