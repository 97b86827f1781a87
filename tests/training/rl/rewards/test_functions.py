"""The named rewards: their values, their range, and that being right never costs anything."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.kinds.rl import RewardName
from training.rl.rewards.functions import JUDGING, LOWEST, overlong
from training.rl.rewards.signals import Signals

CLEAN = Signals(boxes=1, boxed=True, early_box=False, many_boxes=False, repetition=False, mixed_language=False)
LOOPING = Signals(boxes=1, boxed=True, early_box=False, many_boxes=False, repetition=True, mixed_language=False)
TWO_BOXES = Signals(boxes=2, boxed=True, early_box=False, many_boxes=True, repetition=False, mixed_language=False)
NO_BOX = Signals(boxes=0, boxed=False, early_box=False, many_boxes=False, repetition=False, mixed_language=False)

ANY_SIGNALS = st.builds(
    lambda boxes, *flags: Signals(boxes, boxes > 0, flags[0], boxes >= 2, *flags[1:]),
    st.integers(0, 5), st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
VALUES = {
    # right and wrong: clean, looping, two boxes, no box
    "plus_minus_one": [(1, -1), (1, -1), (1, -1), (1, -1)],
    "zero_one": [(1, 0), (1, 0), (1, 0), (1, 0)],
    "format": [(1, -0.5), (-1, -1), (-1, -1), (-1, -1)],
    "repetition_penalty": [(1, -1), (-2, -2), (1, -1), (1, -1)],
    "box_repetition_penalty": [(1, -1), (-2, -2), (-2, -2), (1, -1)],
}


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str) -> None:
    reward = JUDGING[name]
    shown = [CLEAN, LOOPING, TWO_BOXES, NO_BOX]
    assert [(reward(True, each), reward(False, each)) for each in shown] == VALUES[name]


def test_every_reward_of_the_manifest_is_here() -> None:
    assert set(get_args(RewardName)) == {*JUDGING, "overlong"} == set(LOWEST)


@given(st.sampled_from(sorted(JUDGING)), ANY_SIGNALS)
def test_being_right_never_costs_and_nothing_is_below_the_lowest(name: str, shown: Signals) -> None:
    right, wrong = JUDGING[name](True, shown), JUDGING[name](False, shown)
    assert LOWEST[name] <= wrong <= right <= 1


@given(st.sampled_from(sorted(JUDGING)), ANY_SIGNALS, st.booleans())
def test_what_these_rewards_do_not_look_at_changes_nothing(name: str, shown: Signals, correct: bool) -> None:
    other = Signals(shown.boxes, shown.boxed, not shown.early_box, shown.many_boxes, shown.repetition, True)
    assert JUDGING[name](correct, shown) == JUDGING[name](correct, other)


@pytest.mark.parametrize(
    ("tokens", "expected"), [(0, 0), (1_536, 0), (1_537, -1 / 512), (1_792, -0.5), (2_048, -1), (9_999, -1)]
)
def test_overlong_is_a_line_over_the_buffer(tokens: int, expected: float) -> None:
    assert overlong(tokens, 2_048, 512) == expected


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 10_000))
def test_overlong_falls_with_the_length_and_stays_in_its_range(one: int, other: int, cap: int, buffer: int) -> None:
    shorter, longer = (overlong(tokens, cap, buffer) for tokens in sorted((one, other)))
    assert LOWEST["overlong"] <= longer <= shorter <= 0
    assert overlong(cap, cap, buffer) == -1
