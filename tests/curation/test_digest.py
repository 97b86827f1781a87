"""The digest of a corpus covers its set of rows, and partitions follow from ids alone."""

from hypothesis import given
from hypothesis import strategies as st

from curation.digest import RowsDigest, partition_of

ROWS = st.lists(st.tuples(st.text(), st.text()), max_size=8)


def _digest(rows: list[tuple[str, str]]) -> str:
    digest = RowsDigest()
    for row in rows:
        digest.add(*row)
    return digest.hex()


@given(ROWS, st.randoms())
def test_order_and_cut_do_not_matter(rows: list[tuple[str, str]], random: object) -> None:
    shuffled = sorted(rows, key=lambda _: random.random())  # type: ignore[attr-defined]
    whole, joined = _digest(rows), RowsDigest()
    for part in (shuffled[::2], shuffled[1::2]):
        joined.join(_digest(part))
    assert whole == joined.hex()


def test_every_difference_shows() -> None:
    rows = [("a", "x"), ("b", "y")]
    others = [
        [("a", "x")],
        [("a", "y"), ("b", "x")],
        [("a", "xb"), ("", "y")],
        [*rows, ("b", "y")],
        [("ax", ""), rows[1]],
    ]
    assert len({_digest(each) for each in [rows, *others]}) == 6


@given(st.text(), st.integers(1, 1000))
def test_doubling_the_partitions_splits_each_in_two(identity: str, partitions: int) -> None:
    assert partition_of(identity, 2 * partitions) // 2 == partition_of(identity, partitions) < partitions
