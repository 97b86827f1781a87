"""The order of prompts and the seeds of rollout steps."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.rl.grpo.order import prompts_of, seed_of

IDS = [f"p{number}" for number in range(10)]


@given(st.integers(1, 10), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_no_prompt_comes_again_before_all_others_have_come(per_step: int, steps: int, seed: int) -> None:
    order = [index for step in range(1, steps + 1) for index in prompts_of(IDS, per_step, seed, step)]
    assert len(order) == per_step * steps
    for first in range(0, len(order) - len(IDS) + 1, len(IDS)):
        assert sorted(order[first : first + len(IDS)]) == list(range(len(IDS)))


def test_the_order_depends_on_ids_and_not_on_their_places() -> None:
    turned = list(reversed(IDS))
    assert [IDS[i] for i in prompts_of(IDS, 4, 7, 3)] == [turned[i] for i in prompts_of(turned, 4, 7, 3)]


def test_passes_and_seeds_differ() -> None:
    first, second = prompts_of(IDS, 10, 7, 1), prompts_of(IDS, 10, 7, 2)
    assert first != second
    assert first != prompts_of(IDS, 10, 8, 1)


def test_a_step_may_reach_into_the_next_pass() -> None:
    passes = Counter(index for step in (1, 2, 3, 4, 5) for index in prompts_of(IDS, 4, 7, step))
    assert set(passes.values()) == {2}


@pytest.mark.parametrize("other", [(1, 6), (2, 5)])
def test_every_rollout_step_has_a_seed_of_its_own(other: tuple[int, int]) -> None:
    assert seed_of(1, 5) != seed_of(*other)
    assert 0 <= seed_of(1, 5) < 2**32
