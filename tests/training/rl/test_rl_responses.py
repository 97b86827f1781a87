"""What the responses of a rollout step say together."""

from collections.abc import Sequence

import pytest

from training.rl.responses import Response, response_line, summarise
from training.rl.rewards.compose import Length, Reward

REWARD = Reward([{"name": "plus_minus_one", "weight": 1.0}])


def _group(prompt: str, *texts: str) -> Sequence[Response]:
    return [
        Response(prompt, text, "7", len(text), REWARD.judge(text, "7", Length(len(text), 40, len(text) >= 40)))
        for text in texts
    ]


def test_shares_counts_and_lengths_are_those_of_the_responses() -> None:
    found = summarise([_group("a", r"\boxed{7}", r"so \boxed{8}"), _group("b", "no box", "7" * 50)])
    assert (found["responses"], found["correct"], found["accuracy"]) == (4, 1, 0.25)
    assert (found["boxed"], found["truncated"]) == (0.5, 0.25)
    assert found["reward"] == pytest.approx(-0.5)
    assert (found["response_tokens_max"], found["correct_tokens_mean"]) == (50, len(r"\boxed{7}"))
    assert (found["groups"], found["groups_all_right"], found["groups_all_wrong"]) == (2, 0, 1)


def test_without_a_right_answer_its_length_is_not_made_up() -> None:
    assert summarise([_group("a", "no", "none")])["correct_tokens_mean"] is None


def test_a_line_holds_the_text_and_the_verdict() -> None:
    line = response_line(_group("a", r"\boxed{8}")[0], 3)
    assert (line["rollout_step"], line["prompt"], line["answer"], line["reason"]) == (3, "a", "8", "wrong")
    assert (line["score"], line["correct"], line["boxed"]) == (-1.0, 0.0, 1.0)
