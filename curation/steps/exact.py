"""Exact duplicates: of the pages with one body, byte for byte, one stays, whatever the order of the input."""

from pathlib import Path
from typing import Any

import polars as pl
from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from curation.fates import REMOVED, FateSink
from curation.staged import CANDIDATE
from manifests.records import atomic_path

# Who stays: the page seen first, then the shorter address, then the smaller id. File and offset only tell apart records
# that are the same record read twice.
PREFERENCE = [
    pl.col("crawl_date").fill_null("9999"),
    pl.col("url").fill_null("").str.len_bytes(),
    pl.col("url").fill_null(""),
    pl.col("id"),
    pl.col("file"),
    pl.col("offset"),
]


class KeepFirstBody(PipelineStep):
    """Writes the places of the pages that stay. Each task looks at the bodies whose digest falls to it."""

    type, name = "octo", "exact"

    def __init__(self, sink: FateSink, candidates: Path, enabled: bool) -> None:
        super().__init__()
        self.sink, self.candidates, self.enabled = sink, candidates, enabled

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields nothing: the file of survivors and the fates are the result."""
        self.sink.open(rank)
        pages = self._pages(rank, world_size)
        duplicates = pages.filter(pl.col("kept_id").is_not_null())
        tally = self.sink.tally(self.name)
        tally.input, tally.removed = pages.height, duplicates.height
        tally.kept = tally.input - tally.removed
        for row in duplicates.iter_rows(named=True):
            self.sink.write(_fate(row))
        self._write_survivors(pages.filter(pl.col("kept_id").is_null()), rank)
        self.sink.close()
        yield from ()

    def _pages(self, rank: int, world_size: int) -> pl.DataFrame:
        """This task's pages; `kept_id` is the page that stays instead, null for those that stay."""
        files = sorted(self.candidates.glob("candidates-*.parquet"))
        bucket = pl.col("body_digest").str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64) % world_size
        pages = pl.scan_parquet(files, schema=pl.Schema(_polars_schema())).filter(bucket == rank).collect()
        pages = pages.sort(PREFERENCE)
        if not self.enabled:
            return pages.with_columns(pl.lit(None, pl.String).alias("kept_id"))
        first = pl.int_range(pl.len()).over("body_digest") == 0
        return pages.with_columns(pl.when(~first).then(pl.col("id").first().over("body_digest")).alias("kept_id"))

    def _write_survivors(self, pages: pl.DataFrame, rank: int) -> None:
        with atomic_path(self.sink.folder / f"survivors-{rank:05d}.parquet") as temporary:
            pages.select("file", "offset").sort("file", "offset").write_parquet(temporary)


def _polars_schema() -> dict[str, Any]:
    return dict(pl.from_arrow(CANDIDATE.empty_table()).schema)  # type: ignore[union-attr]


def _fate(row: dict[str, Any]) -> dict[str, Any]:
    provenance = {name: row[name] for name in CANDIDATE.names if name != "body_digest"}
    return provenance | {
        "decision": REMOVED,
        "stage": KeepFirstBody.name,
        "reason": "same_body",
        "detail": f"the same {row['body_digest'][:12]}… body as the page that stayed",
        "score": None,
        "kept_id": row["kept_id"],
    }
