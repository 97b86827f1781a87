"""The order of documents and windows: reproducible, complete and even."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mixtures.order import Stream, interleave, permutation


def test_an_order_never_changes() -> None:
    """These numbers hold every mixture ever made; if they change, ORDER_REVISION must be raised."""
    assert permutation(10, 42, "web@1", None, 0, "documents").tolist() == [0, 1, 3, 7, 8, 2, 9, 5, 4, 6]
    assert permutation(5, 43, "web@1", "math_score > 0.5", 1, "windows").tolist() == [0, 4, 2, 3, 1]


def test_an_order_holds_everything_once_and_follows_its_key() -> None:
    first, again, other = permutation(1000, 1, "a"), permutation(1000, 1, "a"), permutation(1000, 2, "a")
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert abs(np.corrcoef(np.arange(1000), first)[0, 1]) < 0.1
    assert permutation(0, 1).tolist() == []


counts_lists = st.lists(st.integers(0, 200), min_size=1, max_size=8).filter(any)


@given(counts_lists)
def test_any_stretch_of_windows_has_each_source_near_its_share(counts: list[int]) -> None:
    order = interleave(counts)
    assert np.bincount(order, minlength=len(counts)).tolist() == counts
    for number, count in enumerate(counts):
        share = count / sum(counts)
        distance = np.cumsum(order == number) - share * np.arange(1, len(order) + 1)
        assert np.abs(distance).max() <= (1 + share * (len(counts) - 2)) / 2 + 1e-9


def test_two_sources_are_never_a_window_away_from_their_share() -> None:
    order = interleave([300, 700])
    for stretch in range(900):
        assert abs((order[stretch : stretch + 100] == 0).sum() - 30) <= 1


streams = st.tuples(
    st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(2, 25), st.integers(1, 80), st.integers(0, 3)
)


def _read(
    lengths: np.ndarray, window_tokens: int, windows: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(window of each rank, tokens, epoch of each token), both [rank, window_tokens]; a token is its own number."""
    stream = Stream((seed, "web@1", None), lengths, window_tokens, windows)
    numbers = stream.windows(np.arange(windows))
    found = stream.stretches(numbers)
    starts = np.cumsum(lengths) - lengths
    rows = zip(found.document, found.start, found.length, strict=True)
    tokens = [np.arange(length) + starts[document] + start for document, start, length in rows]
    assert np.array_equal(np.bincount(found.window, found.length), np.full(windows, window_tokens))
    epochs = np.repeat(found.epoch, found.length).reshape(windows, window_tokens)
    return numbers, np.concatenate(tokens).reshape(windows, window_tokens), epochs


@given(streams)
@settings(max_examples=300, deadline=None)
def test_every_token_is_read_equally_often_or_once_more(case: tuple[list[int], int, int, int]) -> None:
    lengths, (_, window_tokens, windows, seed) = np.array(case[0]), case
    _, tokens, _ = _read(lengths, window_tokens, windows, seed)
    times = np.bincount(tokens.reshape(-1), minlength=lengths.sum())
    whole = windows * window_tokens // lengths.sum()
    assert set(times.tolist()) <= {whole, whole + 1}


@given(streams)
@settings(max_examples=300, deadline=None)
def test_the_stream_is_whole_documents_epoch_after_epoch(case: tuple[list[int], int, int, int]) -> None:
    lengths, (_, window_tokens, windows, seed) = np.array(case[0]), case
    numbers, tokens, epochs = _read(lengths, window_tokens, windows, seed)
    assert np.array_equal(np.sort(numbers), np.arange(windows))
    stream = tokens[np.argsort(numbers)].reshape(-1)
    epoch_of = epochs[np.argsort(numbers)].reshape(-1)
    total, starts = lengths.sum(), np.cumsum(lengths) - lengths
    assert np.array_equal(epoch_of, np.arange(len(stream)) // total)
    for epoch in range(len(stream) // total):  # every whole epoch is the documents in some order, none cut
        content = stream[epoch * total : (epoch + 1) * total]
        order = np.argsort(np.argsort(content)[starts])
        assert np.array_equal(content, np.concatenate([np.arange(lengths[d]) + starts[d] for d in order]))


def test_windows_of_an_epoch_come_before_those_of_the_next_and_are_shuffled() -> None:
    lengths = np.full(100, 50)
    numbers = Stream((1, "a@1", None), lengths, 10, 1200).windows(np.arange(1200))
    assert np.array_equal(np.sort(numbers[:500]), np.arange(500))
    assert np.array_equal(np.sort(numbers[500:1000]), np.arange(500, 1000))
    assert not np.array_equal(numbers[:500] + 500, numbers[500:1000])  # each epoch has its own order
    assert np.abs(np.diff(numbers[:500])).mean() > 50


def test_reading_in_parts_is_reading_at_once() -> None:
    lengths = np.array([7, 3, 11, 2])
    whole = Stream((5, "a@1", None), lengths, 6, 40)
    parts = Stream((5, "a@1", None), lengths, 6, 40)
    together = [parts.windows(np.arange(start, start + 8)) for start in range(0, 40, 8)]
    assert np.array_equal(whole.windows(np.arange(40)), np.concatenate(together))
