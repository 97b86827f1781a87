"""In which order a phase reads its documents and windows. Pure: it follows from seed, sources and counts.

A source is read as a stream: for epoch 0, 1, … all its documents in an order of that epoch, one after the other. The
stream is cut into windows without gaps, so that every token is read as often as every other or once more. The windows
of an epoch are shuffled too, or one long document would fill whole batches. Sources are interleaved evenly.

Random numbers are the raw output of Philox, keyed by a digest: NumPy promises that this stream never changes (NEP 19),
and it can be entered at any position, so that parts of an order can be made without the rest.
"""

import functools
import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from manifests.fingerprint import canonical_json

# What an order rests on besides its inputs. Raise it when any change here changes an order.
ORDER_REVISION = 1

Key = tuple[str | int | None, ...]


def permutation(count: int, *key: str | int | None) -> np.ndarray:
    """A random order of 0 … count-1 (int64), the same on every machine for the same key."""
    digest = hashlib.sha256(canonical_json(list(key))).digest()
    numbers = np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(count)
    return np.argsort(numbers, kind="stable")


def interleave(counts: list[int]) -> np.ndarray:
    """The source of each window (int32): the k-th of a source's n windows stands at (k + 0.5) / n of the phase.

    Equal places go by the number of the source. In the first r windows, for every r, a source of share p has
    p × r of them, give or take (1 + p × (number of sources - 2)) / 2.
    """
    source = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    places = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    return source[np.argsort(places, kind="stable")]


class Epoch(NamedTuple):
    """One reading of a source: its documents in order, where each ends in it, and the order of the epoch's windows."""

    documents: np.ndarray
    ends: np.ndarray
    windows: np.ndarray


@dataclass(frozen=True)
class Stretches:
    """Stretches of documents, in the order in which they fill windows; one array item a stretch."""

    window: np.ndarray  # which of the windows asked for, 0-based
    document: np.ndarray  # number of the document in its token file
    epoch: np.ndarray
    start: np.ndarray  # first token, counted in the document
    length: np.ndarray


class Stream:
    """The first `windows` windows of one source, `window_tokens` each; `lengths` are its documents' tokens."""

    def __init__(self, key: Key, lengths: np.ndarray, window_tokens: int, windows: int) -> None:
        self._key = key
        self._lengths = lengths
        self._window_tokens = window_tokens
        self._total = int(lengths.sum())
        epochs = -(-windows * window_tokens // self._total)
        # An epoch owns the windows that begin in it; the last epoch ends early.
        first = -(-np.arange(epochs + 1) * self._total // window_tokens)
        self._first_window = np.minimum(first, windows)
        self._epoch = functools.lru_cache(maxsize=3)(self._make_epoch)  # a window can reach into the next epoch

    def _make_epoch(self, number: int) -> Epoch:
        documents = permutation(len(self._lengths), *self._key, number, "documents")
        own = int(self._first_window[number + 1] - self._first_window[number])
        windows = self._first_window[number] + permutation(own, *self._key, number, "windows")
        return Epoch(documents, np.cumsum(self._lengths[documents]), windows)

    def windows(self, ranks: np.ndarray) -> np.ndarray:
        """Which window of the stream is read as the source's k-th, for each k in `ranks` (ascending)."""
        epochs = np.searchsorted(self._first_window, ranks, side="right") - 1
        found = np.empty(len(ranks), dtype=np.int64)
        for number in np.unique(epochs):
            mask = epochs == number
            found[mask] = self._epoch(int(number)).windows[ranks[mask] - self._first_window[number]]
        return found

    def stretches(self, windows: np.ndarray) -> Stretches:
        """What fills the given windows of the stream, window by window, each in the order of its tokens."""
        starts = windows * self._window_tokens
        first = starts // self._total
        count = (starts + self._window_tokens - 1) // self._total - first + 1
        window = np.repeat(np.arange(len(windows)), count)
        epoch = first[window] + _within(count)
        begin = np.maximum(starts[window] - epoch * self._total, 0)
        end = np.minimum(starts[window] + self._window_tokens - epoch * self._total, self._total)
        parts = [self._in_epoch(int(number), epoch == number, window, begin, end) for number in np.unique(epoch)]
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.lexsort((joined[2], joined[0]))  # stable: inside an epoch the stretches are in order already
        return Stretches(*(column[order] for column in joined))

    def _in_epoch(
        self, number: int, mask: np.ndarray, window: np.ndarray, begin: np.ndarray, end: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """The stretches of documents between `begin` and `end` of one epoch."""
        documents, ends, _ = self._epoch(number)
        window, begin, end = window[mask], begin[mask], end[mask]
        first = np.searchsorted(ends, begin, side="right")
        count = np.searchsorted(ends, end, side="left") - first + 1
        row = np.repeat(np.arange(len(window)), count)
        rank = first[row] + _within(count)
        document_begin = ends[rank] - self._lengths[documents[rank]]
        start = np.maximum(begin[row], document_begin)
        length = np.minimum(end[row], ends[rank]) - start
        return window[row], documents[rank], np.full(len(row), number), start - document_begin, length


def _within(counts: np.ndarray) -> np.ndarray:
    """0 … c-1 for each c in `counts`, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
