"""Verification: a version's files are read again and must say what its record says."""

from pathlib import Path

import polars as pl

from curation.digest import RowsDigest, partition_of
from manifests.errors import AccountingError
from manifests.fingerprint import file_digest
from manifests.records import read_record
from manifests.schemas import DOCUMENT


def verify_corpus(folder: Path) -> tuple[int, int]:
    """(documents, fates) after checking shard digests, row digest, order, partitions and the sum of fates."""
    record = read_record(folder / "build.json")
    digest, documents = RowsDigest(), 0
    for partition, shard in enumerate(record["shards"]):
        path = folder / "shards" / shard["shard"]
        _require(file_digest(path) == shard["sha256"], f"{path}: its bytes are not those of the build")
        rows = pl.read_parquet(path, columns=["id", "text"])
        _require(pl.read_parquet_schema(path).keys() == set(DOCUMENT.names), f"{path}: has other columns")
        _require(rows["id"].is_sorted() and rows["id"].is_unique().all(), f"{path}: ids are not sorted and unique")
        for identity, text in rows.iter_rows():
            _require(partition_of(identity, len(record["shards"])) == partition, f"{path}: {identity} does not belong")
            digest.add(identity, text)
        documents += rows.height
    _require(f"rows-sha256:{digest.hex()}" == record["digest"], f"{folder}: the rows have another digest")
    fates = pl.scan_parquet(folder / "fates" / "*.parquet").select(pl.len()).collect().item()
    _require(fates == record["counts"]["input_records"], f"{folder}: {fates} fates for the record's input")
    return documents, fates


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AccountingError(f"{message}; expected what build.json records. Build the version again with --replace.")
