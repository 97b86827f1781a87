"""The windows of a finished mixture, read in training order. The only thing training knows of a mixture.

The folder of a mixture:

    lock.json                what was declared; its presence means that the mixture is finished
    windows/00000.ds         token ids, `sequence_length + 1` a window, little-endian uint16 or uint32
    spans/00000.parquet      which stretches of which documents fill each window (manifests.schemas.SPAN)
    batches.bin              32 bytes a global batch: its digest, whatever the order inside the batch

Numbers of windows and steps are 0-based.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from manifests.errors import InputError, NotFound
from manifests.fingerprint import file_digest
from manifests.records import read_record

DIGEST_BYTES = 32
_FILE = re.compile(r"windows/[0-9]{5,}\.ds\Z")


class Windows:
    """The windows of the mixture in `folder`: `len()`, one window, one global batch, and where they come from.

    Raises NotFound if the mixture is not finished, InputError if its files are not what its lock declares.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = _read_lock(folder)
        self.sequence_length: int = self.lock["sequence_length"]
        self.batch_windows: int = self.lock["batch_windows"]
        self.steps: int = self.lock["steps"]
        self._dtype = np.dtype(f"<u{self.lock['token_size_bytes']}")
        self._first = np.cumsum([0] + [file["windows"] for file in self.lock["files"]])
        self._mapped: tuple[int, np.ndarray] | None = None
        self._sources: tuple[int, list[str]] | None = None
        self._check_sizes()

    def __len__(self) -> int:
        return int(self.lock["windows"])

    def window(self, number: int) -> np.ndarray:
        """The `sequence_length + 1` ids (int64) of one window; 0-based, in training order."""
        return self._read(number, number + 1)[0]

    def batch(self, step: int) -> np.ndarray:
        """The ids (int64) [batch_windows, sequence_length + 1] of one optimizer step; 0-based."""
        return self._read(step * self.batch_windows, (step + 1) * self.batch_windows)

    def sources(self, step: int) -> list[str]:
        """The corpus version that each window of one step comes from."""
        first = step * self.batch_windows
        self._require(first, first + self.batch_windows)
        return [self._source(number) for number in range(first, first + self.batch_windows)]

    def batch_digest(self, windows: np.ndarray) -> bytes:
        """32 bytes for a batch that was read, in any order of its windows: compare with `declared_digest`."""
        return sum_digests(map(window_digest, np.asarray(windows).astype(self._dtype)))

    def declared_digest(self, step: int) -> bytes:
        """The digest of one step's batch as the mixture was written."""
        self._require(step * self.batch_windows, (step + 1) * self.batch_windows)
        with (self.folder / "batches.bin").open("rb") as file:
            file.seek(step * DIGEST_BYTES)
            return file.read(DIGEST_BYTES)

    def verify_files(self) -> None:
        """Reads every file of windows. Raises InputError naming all that differ from the lock."""
        declared = {file["file"]: file["sha256"] for file in self.lock["files"]}
        declared["batches.bin"] = self.lock["order_digest"]
        wrong = [name for name, digest in declared.items() if file_digest(self.folder / name) != digest]
        if wrong:
            raise InputError(
                f"{self.folder}: {', '.join(wrong)} differ from lock.json; expected the bytes that were written. "
                "Delete the folder and tokenize the mixture again."
            )

    def _read(self, start: int, stop: int) -> np.ndarray:
        self._require(start, stop)
        parts = []
        while start < stop:
            file = int(np.searchsorted(self._first, start, side="right")) - 1
            end = min(stop, int(self._first[file + 1]))
            parts.append(self._map(file)[start - self._first[file] : end - self._first[file]])
            start = end
        ids = np.concatenate(parts).astype(np.int64)
        if ids.max() >= self.lock["vocab_size"]:
            raise InputError(
                f"{self.folder}: holds the token {ids.max()}; expected ids below {self.lock['vocab_size']}, the "
                "vocabulary. The windows are damaged: delete the folder and tokenize the mixture again."
            )
        return ids

    def _require(self, start: int, stop: int) -> None:
        if start < 0 or stop > len(self):
            raise IndexError(f"windows {start} to {stop} of {len(self)}")

    def _map(self, file: int) -> np.ndarray:
        """One file stays mapped: training reads forward, and each mapping holds a file descriptor."""
        if self._mapped is None or self._mapped[0] != file:
            shape = (self.lock["files"][file]["windows"], self.sequence_length + 1)
            path = self.folder / self.lock["files"][file]["file"]
            self._mapped = file, np.memmap(path, dtype=self._dtype, mode="r", shape=shape)
        return self._mapped[1]

    def _source(self, number: int) -> str:
        file = int(np.searchsorted(self._first, number, side="right")) - 1
        if self._sources is None or self._sources[0] != file:
            self._sources = file, self._read_sources(file)
        return self._sources[1][number - int(self._first[file])]

    def _read_sources(self, file: int) -> list[str]:
        import pyarrow.parquet as pq

        name = Path(self.lock["files"][file]["file"]).stem
        spans = pq.read_table(self.folder / "spans" / f"{name}.parquet", columns=["window", "source"])
        _, first = np.unique(spans["window"].to_numpy(), return_index=True)
        return list(spans["source"].take(first).to_pylist())

    def _check_sizes(self) -> None:
        window_bytes = (self.sequence_length + 1) * self._dtype.itemsize
        expected = {file["file"]: file["windows"] * window_bytes for file in self.lock["files"]}
        expected["batches.bin"] = self.steps * DIGEST_BYTES
        for name, size_bytes in expected.items():
            path = self.folder / name
            actual = path.stat().st_size if path.is_file() else None
            if actual != size_bytes:
                found = "is missing" if actual is None else f"has {actual:,} bytes"
                raise InputError(
                    f"{path}: {found}; expected {size_bytes:,} bytes. Delete {self.folder} and tokenize again."
                )


def window_digest(window: np.ndarray) -> int:
    """The SHA-256 of one window's ids, little-endian and as wide as on disk, as a number."""
    return int.from_bytes(hashlib.sha256(np.ascontiguousarray(window).data).digest(), "little")


def sum_digests(digests: Iterable[int]) -> bytes:
    """The digest of a batch: the sum of its windows' digests modulo 2^256, which ignores their order; 32 bytes."""
    return (sum(digests) % (1 << 8 * DIGEST_BYTES)).to_bytes(DIGEST_BYTES, "little")


def _read_lock(folder: Path) -> dict[str, Any]:
    path = folder / "lock.json"
    if not path.exists():
        raise NotFound(f"{folder}: holds no finished mixture. Run `octo mixture tokenize` with its manifest.")
    lock = read_record(path)
    try:
        _require_sound(lock)
    except (KeyError, TypeError, ValueError) as error:
        message = f"{path}: is not a lock of windows ({error}); expected what `octo mixture tokenize` wrote."
        raise InputError(message) from error
    return lock


def _require_sound(lock: dict[str, Any]) -> None:
    """Raises ValueError, KeyError or TypeError for a lock that could send a reader to wrong places or wrong ids."""
    if lock["layout"] != "sequential":
        raise ValueError(f"layout {lock['layout']!r}, this reader knows 'sequential'")
    counts = [lock[name] for name in ("vocab_size", "sequence_length", "batch_windows", "steps", "windows")]
    counts += [file["windows"] for file in lock["files"]]
    if not all(type(count) is int and count > 0 for count in counts):
        raise ValueError("a count is not a whole number above 0")
    if lock["token_size_bytes"] != (2 if lock["vocab_size"] <= 1 << 16 else 4):
        raise ValueError(f"token_size_bytes {lock['token_size_bytes']} does not fit vocab_size {lock['vocab_size']}")
    if not lock["windows"] == lock["steps"] * lock["batch_windows"] == sum(file["windows"] for file in lock["files"]):
        raise ValueError("the windows of the steps and of the files differ")
    for file in lock["files"]:
        if not _FILE.match(file["file"]):
            raise ValueError(f"the file name {file['file']!r}")
