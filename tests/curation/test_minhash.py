"""MinHash: equal texts share every band, likeness decides how many, and clusters do not depend on order."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.minhash import BandHasher
from curation.steps.duplicates import connected_components
from manifests.kinds.corpus import MinHash

WORDS = [f"word{index}" for index in range(3_000)]


def _text(seed: int, length: int = 400) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def _edited(words: list[str], share: float, seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) if rng.random() < share else word for word in words)


def test_equal_words_share_every_band_whatever_their_case_and_punctuation() -> None:
    hasher = BandHasher(MinHash())
    words = _text(1)
    assert (hasher.bands_of(" ".join(words)) == hasher.bands_of("\n".join(words).upper() + "!")).all()


def test_signatures_never_change_between_releases() -> None:
    bands = BandHasher(MinHash(bands=2, rows=3)).bands_of("the quick brown fox jumps over the lazy dog")
    again = BandHasher(MinHash(bands=2, rows=3)).bands_of("the quick brown fox jumps over the lazy dog")
    other_seed = BandHasher(MinHash(bands=2, rows=3, seed=2)).bands_of("the quick brown fox jumps over the lazy dog")
    assert bands.dtype == np.uint64
    assert bands.tolist() == again.tolist() != other_seed.tolist()


def test_pairs_are_found_as_often_as_the_formula_says() -> None:
    """A share e of edited words leaves u = (1 − e)^5 of the shingles, so the Jaccard similarity is u/(2 − u)."""
    hasher = BandHasher(MinHash())
    for share in (0.01, 0.04, 0.08, 0.5):
        unharmed = (1 - share) ** 5
        expected = 1 - (1 - (unharmed / (2 - unharmed)) ** 8) ** 14
        pairs = [(_text(seed), seed) for seed in range(200)]
        found = sum(
            (hasher.bands_of(" ".join(words)) == hasher.bands_of(_edited(words, share, seed))).any()
            for words, seed in pairs
        )
        assert abs(found / 200 - expected) < 0.12, f"{share}: {found / 200} instead of {expected}"


def test_short_and_empty_texts_have_bands() -> None:
    hasher = BandHasher(MinHash())
    assert len(hasher.bands_of("")) == len(hasher.bands_of("two words")) == 14
    assert not (hasher.bands_of("two words") == hasher.bands_of("two others")).any()


@settings(deadline=None)
@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
    )
)
def test_components_are_those_of_a_plain_search(case: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = case
    roots = list(range(count))
    for _ in range(count):  # relabel until nothing changes
        for a, b in pairs:
            roots[a] = roots[b] = min(roots[a], roots[b])
    found = connected_components(count, np.array(pairs, np.int64).reshape(-1, 2))
    assert found.tolist() == roots


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(0).permutation(100_000)
    pairs = np.stack([order[:-1], order[1:]], axis=1)
    assert not connected_components(100_000, pairs).any()
