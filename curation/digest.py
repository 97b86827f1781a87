"""What identifies a corpus: a digest of its ids and texts that no order and no cut of the input can change."""

import hashlib

MODULUS = 1 << 256


def partition_of(identity: str, partitions: int) -> int:
    """The shard of a document: the first 64 bits of the sha256 of its id, scaled to the number of partitions.

    Scaling keeps prefixes together, so that doubling the partitions splits every shard in two.
    """
    prefix = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big")
    return prefix * partitions >> 64


class RowsDigest:
    """The sum modulo 2^256 of the sha256 of every row (id and text): equal for equal sets of rows."""

    def __init__(self) -> None:
        self._total = 0

    def add(self, identity: str, text: str) -> None:
        """Adds one row. The id's length goes in front, so that id and text cannot run into each other."""
        key = identity.encode()
        row = hashlib.sha256(len(key).to_bytes(8, "big") + key + text.encode()).digest()
        self._total = (self._total + int.from_bytes(row, "big")) % MODULUS

    def join(self, digest: str) -> None:
        """Adds the rows of another digest, as `hex()` gave it."""
        self._total = (self._total + int(digest, 16)) % MODULUS

    def hex(self) -> str:
        """64 hexadecimal digits."""
        return f"{self._total:064x}"
