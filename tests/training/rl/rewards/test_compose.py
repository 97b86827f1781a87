"""The composition: the weighted sum, and the worst score with its reason for what cannot be judged."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.rl.rewards.compose import Judgement, Length, Reward
from training.rl.rewards.functions import JUDGING

RIGHT = "Half of ten is five, and twice that is ten again. So \\boxed{5}"
WRONG = RIGHT.replace("{5}", "{6}")
KEYS = [
    "score", "correct", "boxed", "early_box", "many_boxes", "repetition", "mixed_language", "truncated", "timeout",
    "error",
]  # fmt: skip
OVERLONG = {"name": "overlong", "buffer_tokens": 100}


def _reward(*names: str) -> Reward:
    return Reward([{"name": name} for name in names])


def test_the_papers_reward() -> None:
    reward = _reward("plus_minus_one")
    right, wrong = reward.judge(RIGHT, "5"), reward.judge(WRONG, "5")
    assert (right.score, right.verdict.correct, right.verdict.reason) == (1, True, "right")
    assert (wrong.score, wrong.verdict.correct, wrong.verdict.reason) == (-1, False, "wrong")
    assert reward.judge("I do not know.", "5").verdict.reason == "no_box"
    assert right.error is None and wrong.error is None


def test_the_checker_knows_equal_answers() -> None:
    assert _reward("plus_minus_one").judge("so \\boxed{0.5}", "\\frac{1}{2}").score == 1


def test_terms_are_weighed_and_summed() -> None:
    reward = Reward([{"name": "zero_one", "weight": 2.0}, {"name": "repetition_penalty"}, {**OVERLONG, "weight": 0.5}])
    assert reward.judge(RIGHT, "5", Length(950, 1_000, False)).score == 2 + 1 - 0.25
    assert reward.lowest == 0 - 2 - 0.5


def test_metrics_have_the_same_names_whatever_happened() -> None:
    reward = Reward([{"name": "plus_minus_one"}, OVERLONG])
    judged = reward.judge(RIGHT, "5", Length(1_000, 1_000, True)).metrics
    failed = reward.judge(RIGHT, "5").metrics
    assert list(judged) == list(failed) == KEYS
    assert judged == {**dict.fromkeys(KEYS, 0.0), "correct": 1.0, "boxed": 1.0, "truncated": 1.0}
    assert failed == {**dict.fromkeys(KEYS, 0.0), "boxed": 1.0, "error": 1.0, "score": -2.0}


def _assert_failed(judgement: Judgement, reward: Reward, message: str) -> None:
    assert judgement.error is not None and message in judgement.error
    assert judgement.score == reward.lowest
    assert (judgement.verdict.correct, judgement.verdict.reason) == (False, "error")
    assert judgement.metrics["error"] == 1


def test_overlong_without_a_length_is_an_error_that_is_told() -> None:
    reward = Reward([{"name": "plus_minus_one"}, OVERLONG])
    judgement = reward.judge(RIGHT, "5")
    _assert_failed(judgement, reward, "reward overlong: the length of the response is not known")
    assert judgement.signals.boxed


def test_a_length_that_is_no_number_is_an_error() -> None:
    reward = Reward([{"name": "plus_minus_one"}, OVERLONG])
    _assert_failed(reward.judge(RIGHT, "5", Length("many", 1_000, True)), reward, "TypeError")  # type: ignore[arg-type]


@pytest.mark.parametrize("truth", [None, "", {}, [], float("nan"), object()])
def test_a_truth_that_is_no_answer_is_an_error(truth: Any) -> None:
    reward = _reward("box_repetition_penalty")
    _assert_failed(reward.judge(RIGHT, truth), reward, "")


@pytest.mark.parametrize("truth", [5, 5.0, "5", ["5"], " 5 "])
def test_a_truth_may_be_a_number_or_a_list(truth: Any) -> None:
    judgement = _reward("plus_minus_one").judge(RIGHT, truth)
    assert judgement.score == 1, judgement


@pytest.mark.parametrize("response", [None, 5, b"\\boxed{5}", ["\\boxed{5}"]])
def test_a_response_that_is_no_text_is_an_error(response: Any) -> None:
    reward = _reward("plus_minus_one")
    _assert_failed(reward.judge(response, "5"), reward, "TypeError")


TERMS = st.lists(
    st.builds(lambda name, weight: {"name": name, "weight": weight}, st.sampled_from(sorted(JUDGING)), st.floats(0, 9)),
    min_size=1,
    max_size=4,
    unique_by=lambda term: str(term["name"]),
)
PIECES = st.lists(st.sampled_from([RIGHT, WRONG, "\\boxed", "{", "}", "数" * 20, "Solution\n" * 30, "5"]), max_size=6)


@given(TERMS, PIECES.map("".join), st.integers(1, 3_000), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_composition_of_any_response_stays_in_its_range(
    terms: list[dict[str, Any]], response: str, tokens: int, with_length: bool
) -> None:
    reward = Reward([*terms, {**OVERLONG, "weight": 0.5}])
    judgement = reward.judge(response, "5", Length(tokens, 2_000, tokens >= 2_000) if with_length else None)
    highest = sum(term["weight"] for term in terms)
    assert reward.lowest <= judgement.score <= highest + 1e-9
    assert (judgement.error is None) == with_length
    assert with_length or judgement.score == reward.lowest


@given(TERMS, st.booleans())
@settings(max_examples=50, deadline=None)
def test_a_right_answer_is_never_worth_less(terms: list[dict[str, Any]], loops: bool) -> None:
    reward = Reward(terms)
    tail = " and so on" * 40 if loops else ""
    assert reward.judge(RIGHT + tail, "5").score >= reward.judge(WRONG + tail, "5").score


HOSTILE = ["\\boxed{" * 100_000, "\\boxed{" + "9" * 1_000_000 + "}", "\0\ud800" * 1_000, ""]


@pytest.mark.parametrize("response", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_responses_are_judged_wrong(response: str) -> None:
    judgement = _reward("plus_minus_one").judge(response, "5")
    assert judgement.score == -1
    assert not judgement.verdict.correct


def test_an_answer_that_takes_for_ever_is_wrong_and_counted() -> None:
    judgement = _reward("plus_minus_one").judge("so \\boxed{\\frac{1}{7^{10000000}} + x^{9^{9^{9}}}}", "5")
    assert (judgement.score, judgement.error) == (-1, None)
    assert judgement.verdict.reason in ("timeout", "memory")
    assert (judgement.metrics["timeout"], judgement.metrics["error"]) == (1, 0)


MISTAKES: list[tuple[list[dict[str, Any]], str]] = [
    ([], "reward: has no terms; expected at least one"),
    ([{"name": "kindness"}], "reward 'kindness': is not known; expected one of plus_minus_one, zero_one"),
    ([{"name": "zero_one", "weight": -1}], "reward zero_one: weight is -1; expected a number from 0 on"),
    ([{"name": "zero_one", "weight": float("inf")}], "reward zero_one: weight is inf"),
    ([{"name": "overlong"}], "reward overlong: buffer_tokens is None; expected a whole number from 1 on"),
    ([{"name": "overlong", "buffer_tokens": 0}], "reward overlong: buffer_tokens is 0"),
    ([{"name": "zero_one", "buffer_tokens": 9}], "reward zero_one: buffer_tokens is 9"),
]


@pytest.mark.parametrize(("terms", "message"), MISTAKES)
def test_terms_that_no_manifest_holds_are_refused(terms: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Reward(terms)
    assert str(caught.value).startswith(message)
