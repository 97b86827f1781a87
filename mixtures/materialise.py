"""Streams → windows on disk, in training order, with the spans and digests that prove them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schemas import SPAN
from manifests.tokenizer import TokenizerFacts
from manifests.windows import sum_digests, window_digest
from mixtures.order import Stream, Stretches, interleave
from mixtures.tokenfile import TokenFile, write_sidecars
from mixtures.tokenize import Report

MAX_FILE_BYTES = 1 << 28
BLOCK_BYTES = 1 << 25


class SourceReader:
    """One source, read forward: the order of its stream follows from the seed, the corpus version and `where`."""

    def __init__(self, corpus: str, where: str | None, file: TokenFile, seed: int, windows: int, tokens: int) -> None:
        self.corpus = corpus
        self.file = file
        self.windows = windows
        self.lengths = np.diff(file.ends, prepend=0)
        self.seen = np.zeros(file.documents, dtype=bool)
        self._stream = Stream((seed, corpus, where), self.lengths, tokens, windows)
        self._done = 0

    def next_windows(self, count: int) -> Stretches:
        """What fills the next `count` windows of this source."""
        ranks = np.arange(self._done, self._done + count)
        self._done += count
        stretches = self._stream.stretches(self._stream.windows(ranks))
        self.seen[stretches.document] = True
        return stretches


@dataclass(frozen=True)
class WindowWriter:
    """Writes windows/, spans/ and batches.bin of one mixture into `folder`."""

    folder: Path
    tokenizer: TokenizerFacts
    window_tokens: int
    batch_windows: int
    max_file_bytes: int = MAX_FILE_BYTES
    block_bytes: int = BLOCK_BYTES

    def write(self, sources: list[SourceReader], report: Report) -> list[dict[str, Any]]:
        """Writes all windows of the sources; returns file, windows and sha256 of each file."""
        for name in ("windows", "spans"):
            (self.folder / name).mkdir()
        order = interleave([source.windows for source in sources])
        files: list[dict[str, Any]] = []
        with (self.folder / "batches.bin").open("wb") as batches:
            digests = BatchDigests(batches, self.batch_windows)
            for start, stop in _runs(len(order), self._fitting(self.max_file_bytes)):
                blocks = self._blocks(order[start:stop], start, sources)
                files.append(self._write_file(f"{len(files):05d}", stop - start, blocks, digests))
                report(stop)
        return files

    def _fitting(self, size_bytes: int) -> int:
        return max(1, size_bytes // (self.window_tokens * self.tokenizer.token_size_bytes))

    def _blocks(
        self, order: np.ndarray, first: int, sources: list[SourceReader]
    ) -> Iterator[tuple[np.ndarray, pa.Table]]:
        """The ids and the spans of a file's windows, in parts that fit into memory."""
        for start, stop in _runs(len(order), self._fitting(self.block_bytes)):
            yield self._fill(order[start:stop], first + start, sources)

    def _fill(self, order: np.ndarray, first: int, sources: list[SourceReader]) -> tuple[np.ndarray, pa.Table]:
        windows = np.empty((len(order), self.window_tokens), dtype=f"<u{self.tokenizer.token_size_bytes}")
        spans = []
        for number, source in enumerate(sources):
            rows = np.flatnonzero(order == number)
            if not len(rows):  # a small source stands in few blocks
                continue
            stretches = source.next_windows(len(rows))
            _copy(source, stretches, rows, windows)
            spans.append(_spans(source, number, stretches, first + rows))
        table = pa.concat_tables(spans)
        return windows, table.take(np.argsort(table["window"].to_numpy(), kind="stable"))

    def _write_file(
        self, name: str, windows: int, blocks: Iterator[tuple[np.ndarray, pa.Table]], digests: "BatchDigests"
    ) -> dict[str, Any]:
        path = self.folder / "windows" / f"{name}.ds"
        spans_path = self.folder / "spans" / f"{name}.parquet"
        digest = hashlib.sha256()
        with path.open("wb") as file, pq.ParquetWriter(spans_path, SPAN) as spans:
            for ids, table in blocks:
                content = ids.tobytes()
                file.write(content)
                digest.update(content)
                digests.add(ids)
                spans.write_table(table)
        write_sidecars(path, np.arange(1, windows + 1) * self.window_tokens, self.tokenizer)
        return {"file": f"windows/{path.name}", "windows": windows, "sha256": "sha256:" + digest.hexdigest()}


class BatchDigests:
    """Writes the digest of each global batch as its last window arrives."""

    def __init__(self, file: BinaryIO, batch_windows: int) -> None:
        self._file = file
        self._batch_windows = batch_windows
        self._pending: list[int] = []

    def add(self, windows: np.ndarray) -> None:
        """Takes the next windows in training order, one a row."""
        for window in windows:
            self._pending.append(window_digest(window))
            if len(self._pending) == self._batch_windows:
                self._file.write(sum_digests(self._pending))
                self._pending.clear()


def _runs(total: int, length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, total, length):
        yield start, min(start + length, total)


def _copy(source: SourceReader, stretches: Stretches, rows: np.ndarray, windows: np.ndarray) -> None:
    """Copies each stretch to its place in the rows of `windows`."""
    ids, flat = source.file.tokens, windows.reshape(-1)
    starts = source.file.ends[stretches.document] - source.lengths[stretches.document] + stretches.start
    # The stretches fill their windows one after the other; the windows lie at `rows`.
    gathered = np.cumsum(stretches.length) - stretches.length
    places = gathered + (rows - np.arange(len(rows)))[stretches.window] * windows.shape[1]
    for start, place, length in zip(starts.tolist(), places.tolist(), stretches.length.tolist(), strict=True):
        flat[place : place + length] = ids[start : start + length]


def _spans(source: SourceReader, index: int, stretches: Stretches, numbers: np.ndarray) -> pa.Table:
    columns = {
        "window": numbers[stretches.window],
        "source": pa.repeat(source.corpus, len(stretches.window)),
        "source_index": np.full(len(stretches.window), index, np.int32),
        "document_id": source.file.ids.take(pa.array(stretches.document)).cast(pa.string()),
        "epoch": stretches.epoch.astype(np.int32),
        "document_start": stretches.start,
        "num_tokens": stretches.length.astype(np.int32),
    }
    return pa.table(columns, schema=SPAN)
