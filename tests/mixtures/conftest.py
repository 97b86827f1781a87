"""Small corpora and a small tokenizer, written as a build would write them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from manifests.layout import DataFolder
from manifests.load import Loaded, load_manifest
from manifests.schemas import DOCUMENT


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


WriteCorpus = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def write_corpus(data: DataFolder) -> WriteCorpus:
    """Writes a finished corpus version and returns its (id, text) in the order of the ids."""

    def write(
        reference: str, texts: Sequence[str], shards: int = 2, tokens: int | None = None
    ) -> list[tuple[str, str]]:
        rows = [(hashlib.sha256(text.encode()).hexdigest(), text) for text in texts]
        folder = data.corpus(reference)
        (folder / "shards").mkdir(parents=True, exist_ok=True)
        for shard in range(shards):
            part = [_document(*row) for row in rows[shard::shards]]
            pq.write_table(pa.Table.from_pylist(part, schema=DOCUMENT), folder / "shards" / f"{shard:05d}.parquet")
        record = _build_record(reference, sorted(rows), tokens)
        (folder / "build.json").write_text(json.dumps(record), "utf-8")
        return sorted(rows)

    return write


def _document(identifier: str, text: str) -> dict[str, Any]:
    known: dict[str, Any] = {
        "id": identifier,
        "text": text,
        "num_chars": len(text),
        "num_tokens": max(1, len(text.encode()) // 4),
    }
    known |= {
        "num_formulas": 0,
        "formulas_found": 0,
        "formulas_converted": 0,
        "undefined_macros": [],
        "formula_kinds": {},
        "formula_failures": {},
        "text_digest": "",
        "metadata": "{}",
    }
    known |= {"math_score": len(text) % 10 / 10}
    return {name: known.get(name) for name in DOCUMENT.names}


def _build_record(reference: str, rows: list[tuple[str, str]], tokens: int | None) -> dict[str, Any]:
    name, _, version = reference.partition("@")
    estimate = sum(max(1, len(text.encode()) // 4) for _, text in rows)
    return {
        "identity": reference, "name": name, "version": version, "description": "", "licence": "",
        "fingerprint": "sha256:0", "digest": "sha256:" + hashlib.sha256(json.dumps(rows).encode()).hexdigest(),
        "counts": {"input_records": len(rows), "documents": len(rows), "removed": 0, "failed": 0},
        "tokens": estimate if tokens is None else tokens, "token_counter": "bytes", "text_bytes": 0, "bytes": 0,
        "formulas": 0, "shards": [], "stages": [], "reasons": [], "inputs": [], "cpu_s": 0.0, "wall_s": 0.0,
        "finished": "2026-01-01T00:00:00Z",
    }  # fmt: skip


WriteMixture = Callable[..., Loaded]


@pytest.fixture
def write_mixture(tmp_path: Path, tokenizer_file: Path) -> WriteMixture:
    """Writes a mixture manifest with the given keys changed and returns it loaded."""

    def write(sources: list[dict[str, Any]], **changes: Any) -> Loaded:
        manifest = {
            "kind": "mixture", "name": "mix", "version": 1, "tokenizer": str(tokenizer_file), "sequence_length": 16,
            "batch_windows": 4, "budget": {"steps": 10}, "sources": sources,
        }  # fmt: skip
        path = tmp_path / f"{changes.get('name', 'mix')}.yaml"
        path.write_text(yaml.safe_dump(manifest | changes), "utf-8")
        return load_manifest(path, "mixture")

    return write
