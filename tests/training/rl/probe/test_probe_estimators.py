"""pass@k and mixed groups against all choices, intervals against simulation, percentiles by hand."""

import itertools
import random

import pytest

from training.rl.probe.estimators import (
    lengths_of,
    mixed_at,
    paired_gain,
    pass_at,
    powers_up_to,
    share_of,
)


@pytest.mark.parametrize("responses", [1, 2, 5, 8])
def test_pass_at_k_is_the_share_of_all_choices_that_hold_a_right_one(responses: int) -> None:
    for correct, k in itertools.product(range(responses + 1), range(1, responses + 1)):
        right = [True] * correct + [False] * (responses - correct)
        choices = list(itertools.combinations(right, k))
        assert pass_at(k, responses, correct) == pytest.approx(sum(map(any, choices)) / len(choices))
        mixed = sum(any(choice) and not all(choice) for choice in choices)
        assert mixed_at(k, responses, correct) == pytest.approx(mixed / len(choices))


def test_pass_at_k_is_unbiased() -> None:
    draw, chance, trials = random.Random(3), 0.3, 4000
    counts = [sum(draw.random() < chance for _ in range(8)) for _ in range(trials)]
    assert sum(pass_at(4, 8, count) for count in counts) / trials == pytest.approx(1 - 0.7**4, abs=0.015)


def test_pass_at_k_needs_as_many_responses() -> None:
    with pytest.raises(ValueError, match="pass@4 of 3 responses; expected k from 1 to that"):
        pass_at(4, 3, 1)


def test_powers_end_with_all_responses() -> None:
    assert powers_up_to(8) == [1, 2, 4, 8]
    assert powers_up_to(6) == [1, 2, 4, 6]
    assert powers_up_to(1) == [1]


def test_an_interval_stays_honest_where_all_values_are_equal() -> None:
    nothing, everything = share_of([0.0] * 32), share_of([1.0] * 32)
    assert (nothing.value, nothing.low) == (everything.value - 1, 1 - everything.high) == (0.0, 0.0)
    assert nothing.high == pytest.approx(1 - everything.low) == pytest.approx(0.1072, abs=1e-4)  # z² / (n + z²)
    assert nothing.text == "0 (0 to 0.11)"


def test_the_interval_of_coins_is_wilsons() -> None:
    share = share_of([1.0] * 10 + [0.0] * 20)  # published tables: 10 of 30 is 0.192 to 0.512
    assert (share.low, share.high) == (pytest.approx(0.192, abs=5e-4), pytest.approx(0.512, abs=5e-4))


@pytest.mark.parametrize("mean", [0.02, 0.3, 0.9])
def test_intervals_cover_the_truth_as_often_as_they_say(mean: float) -> None:
    draw, covered, trials = random.Random(5), 0, 600
    for _ in range(trials):
        chances = [draw.betavariate(2 * mean, 2 * (1 - mean)) for _ in range(32)]
        share = share_of([sum(draw.random() < chance for _ in range(8)) / 8 for chance in chances])
        covered += share.low <= mean <= share.high
    assert covered / trials > 0.93


def test_gains_are_paired_by_problem() -> None:
    gain, error = paired_gain([0.1, 0.5, 0.9], [0.2, 0.6, 1.0])
    assert (gain, error) == (pytest.approx(0.1), pytest.approx(0.0))
    gain, error = paired_gain([0.0, 0.0], [0.0, 1.0])
    assert (gain, error) == (0.5, pytest.approx(0.5))
    assert paired_gain([0.0], [1.0]) == (1.0, 0.0)


def test_percentiles_are_lengths_that_occurred() -> None:
    lengths = lengths_of([10, 40, 20, 30, 50, 60, 70, 80, 90, 1000])
    assert (lengths.p10, lengths.median, lengths.p90, lengths.longest) == (10, 50, 90, 1000)
    assert lengths.mean == 145
    assert lengths_of([7]).p10 == lengths_of([7]).p90 == 7
