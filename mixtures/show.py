"""A finished mixture for a person to look at: its sources, and windows as the text that training sees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from manifests.tokenizer import Encoder, read_tokenizer
from manifests.windows import Windows

SOURCE_COLUMNS = (
    "corpus", "where", "weight", "share", "windows", "trained_tokens", "available_tokens", "epochs", "documents",
    "documents_seen",
)  # fmt: skip
SAMPLE_COLUMNS = ("window", "step", "source", "document_id", "epoch", "document_start", "num_tokens", "text")


def source_rows(windows: Windows) -> Iterator[list[Any]]:
    """One row a source, in the order of SOURCE_COLUMNS."""
    for source in windows.lock["sources"]:
        yield [source[name] for name in SOURCE_COLUMNS]


def sample_rows(windows: Windows, count: int) -> Iterator[list[Any]]:
    """One row for each stretch of `count` windows spread evenly over the phase, with its text; see SAMPLE_COLUMNS."""
    tokenizer = _tokenizer(windows)
    count = min(count, len(windows))
    for number in (len(windows) * (2 * k + 1) // (2 * count) for k in range(count)):
        ids = windows.window(number)
        start = 0
        for span in read_spans(windows.folder, number):
            text = tokenizer.decode(ids[start : start + span["num_tokens"]].tolist())
            start += span["num_tokens"]
            step = number // windows.batch_windows
            yield [number, step, *(span[name] for name in SAMPLE_COLUMNS[2:-1]), text]


def read_spans(folder: Path, window: int) -> list[dict[str, Any]]:
    """The stretches of one window, in the order of its tokens."""
    condition = [("window", "=", window)]
    files = sorted((folder / "spans").glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file, filters=condition).to_pylist()]


def _tokenizer(windows: Windows) -> Encoder:
    path = windows.folder / "tokenizer.json"
    return Encoder(read_tokenizer(path, windows.lock["end_of_text"]["token"]))
