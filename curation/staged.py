"""Intermediate files between blocks: Parquet with an explicit schema, put in place whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document

from manifests.schemas import FORMULAS

BATCH_ROWS = 1_000

PROVENANCE = [
    pa.field("file", pa.string(), nullable=False),
    pa.field("offset", pa.int64(), nullable=False),
    pa.field("length_bytes", pa.int64(), nullable=False),
    pa.field("kind", pa.string(), nullable=False),
    pa.field("http_status", pa.int32()),
    pa.field("cpu_ms", pa.float64(), nullable=False),
    pa.field("id", pa.string(), nullable=False),
    pa.field("url", pa.string()),
    pa.field("crawl_date", pa.string()),
]

# What the first pass over the inputs leaves: everything but the body, which is read again from (file, offset).
CANDIDATE = pa.schema([*PROVENANCE, pa.field("body_digest", pa.string(), nullable=False)])

# A document after extraction and classification; the shard block turns it into manifests.schemas.DOCUMENT.
EXTRACTED = pa.schema(
    [
        *PROVENANCE,
        pa.field("text", pa.string(), nullable=False),
        pa.field("text_digest", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("language", pa.string()),
        pa.field("language_score", pa.float64()),
        pa.field("math_score", pa.float64()),
        *FORMULAS,
        pa.field("num_tokens", pa.int64(), nullable=False),
        pa.field("columns", pa.string(), nullable=False),  # JSON: title, other columns of the input
    ]
)


class StagedWriter:
    """Writes rows of one schema to `path`, which appears only when the block ends well. Unknown keys are an error."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema = path, schema
        self._temporary = path.with_name(f".{path.name}.tmp")
        self._rows: list[dict[str, Any]] = []
        self._known = set(schema.names)
        self._writer: pq.ParquetWriter | None = None

    def open(self) -> None:
        """Starts the file under its temporary name."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._temporary, self.schema, compression="zstd")

    def close(self) -> None:
        """Puts the whole file in place."""
        assert self._writer is not None
        self._flush()
        self._writer.close()
        self._temporary.replace(self.path)

    def __enter__(self) -> Self:
        self.open()
        return self

    def write(self, row: dict[str, Any]) -> None:
        """Adds a row; a key the schema does not have would be lost silently by pyarrow, so it raises here."""
        if unknown := row.keys() - self._known:
            raise KeyError(f"{self.path.name}: the columns {sorted(unknown)} are not in the schema")
        self._rows.append(row)
        if len(self._rows) >= BATCH_ROWS:
            self._flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._writer is not None
        if error is None:
            self.close()
        else:
            self._writer.close()
            self._temporary.unlink(missing_ok=True)

    def _flush(self) -> None:
        assert self._writer is not None
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self.schema))
            self._rows = []


def read_rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a staged file, in order, in bounded memory."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            yield from batch.to_pylist()


def extracted_row(document: Document) -> dict[str, Any]:
    """A row of EXTRACTED from a document; its metadata must hold exactly the other columns."""
    return {"id": document.id, "text": document.text} | {
        name: document.metadata.get(name) for name in EXTRACTED.names if name not in ("id", "text")
    }


def extracted_document(row: dict[str, Any]) -> Document:
    """The document of a row of EXTRACTED."""
    metadata = {name: value for name, value in row.items() if name not in ("id", "text")}
    metadata |= {name: dict(row[name]) for name in ("formula_kinds", "formula_failures")}
    return Document(text=row["text"], id=row["id"], metadata=metadata)


def to_columns(values: dict[str, Any]) -> str:
    """Other columns of the input as canonical JSON, so that equal rows are equal bytes."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
