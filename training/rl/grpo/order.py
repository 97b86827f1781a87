"""Which prompts a rollout step samples: a pure function of prompts, seed and step, so that a resume needs no state."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice


def prompts_of(ids: Sequence[str], per_step: int, seed: int, rollout_step: int) -> list[int]:
    """The positions in `ids` of one rollout step's prompts; rollout steps count from 1.

    Every prompt comes once before any comes again: no prompt is left out at the end of a pass, whatever `per_step`
    is. The order depends on the ids alone, not on how they are stored. `per_step` must not exceed the prompts.
    """
    first = (rollout_step - 1) * per_step
    passes = range(first // len(ids), (first + per_step - 1) // len(ids) + 1)
    ordered = [index for number in passes for index in _pass(tuple(ids), seed, number)]
    return list(islice(ordered, first % len(ids), first % len(ids) + per_step))


@lru_cache(maxsize=2)  # a step looks at one pass, or at the border of two
def _pass(ids: tuple[str, ...], seed: int, number: int) -> list[int]:
    """All positions in the order of one pass: that of the digests of (seed, pass, id)."""
    keys = [hashlib.sha256(f"{seed}:{number}:{text}".encode()).digest() for text in ids]
    return sorted(range(len(ids)), key=lambda index: (keys[index], index))


def seed_of(seed: int, rollout_step: int) -> int:
    """The seed of everything random in one rollout step, below 2 ** 32: what came before it cannot change it."""
    return int.from_bytes(hashlib.sha256(f"{seed}:rollout {rollout_step}".encode()).digest()[:4], "big")
