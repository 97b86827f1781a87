"""MinHash bands of a text: pages that are alike agree on a whole band with high probability.

Word shingles are hashed once (a polynomial over word hashes), then permuted by multiply-add modulo 2^64 with fixed odd
factors (Dietzfelbinger et al. 1997), so that signatures are the same on every machine and with every library version.
For Jaccard similarity s, two pages share a band with probability 1 − (1 − s^rows)^bands (Broder 1997).
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from curation.words import words
from manifests.kinds.corpus import MinHash

if TYPE_CHECKING:
    from numpy.typing import NDArray

REVISION = 1
MAX_CACHED_WORDS = 200_000
CHUNK_SHINGLES = 4_096


class BandHasher:
    """Computes the band hashes of texts; one for each task, since it remembers word hashes."""

    def __init__(self, options: MinHash) -> None:
        self.options = options
        self.bands = options.bands
        count = options.bands * options.rows
        self._factors = _constants("factor", options.seed, count) | np.uint64(1)
        self._offsets = _constants("offset", options.seed, count)
        self._powers = _constants("power", options.seed, options.ngram_words) | np.uint64(1)
        self._row_factors = _constants("row", options.seed, options.rows) | np.uint64(1)
        self._word_hashes = _WordHashes()

    def bands_of(self, text: str) -> "NDArray[np.uint64]":
        """One 64-bit hash a band, shape [bands]."""
        signature = self._signature(self._shingles(text)).reshape(self.bands, self.options.rows)
        return _mix((signature * self._row_factors).sum(axis=1, dtype=np.uint64))

    def _shingles(self, text: str) -> "NDArray[np.uint64]":
        """The distinct shingle hashes of the text; a text shorter than a shingle is one shingle."""
        hashes = self._word_hashes.of(words(text))
        size = self.options.ngram_words
        if len(hashes) < size:
            hashes = np.pad(hashes, (0, size - len(hashes)))
        length = len(hashes) - size + 1
        total = np.zeros(length, np.uint64)
        for index in range(size):
            total += hashes[index : index + length] * self._powers[index]
        return np.unique(_mix(total))

    def _signature(self, shingles: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
        """The least permuted hash of each row; worked on in chunks that stay in the processor's cache."""
        least = np.full(len(self._factors), np.iinfo(np.uint64).max, np.uint64)
        for start in range(0, len(shingles), CHUNK_SHINGLES):
            chunk = shingles[start : start + CHUNK_SHINGLES]
            for row, (factor, offset) in enumerate(zip(self._factors, self._offsets, strict=True)):
                least[row] = min(least[row], (chunk * factor + offset).min())
        return least


class _WordHashes(dict[str, int]):
    """Remembers the hash of every word seen, up to a bound."""

    def __missing__(self, word: str) -> int:
        value = xxhash.xxh3_64_intdigest(word.encode())
        if len(self) < MAX_CACHED_WORDS:
            self[word] = value
        return value

    def of(self, found: list[str]) -> "NDArray[np.uint64]":
        return np.fromiter(map(self.__getitem__, found), np.uint64, len(found))


def _constants(purpose: str, seed: int, count: int) -> "NDArray[np.uint64]":
    """`count` fixed 64-bit numbers for a purpose and a seed."""
    raw = hashlib.shake_256(f"octocorpus minhash {purpose} {seed}".encode()).digest(8 * count)
    return np.frombuffer(raw, "<u8").astype(np.uint64)


def _mix(values: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Spreads every input bit over the output (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
