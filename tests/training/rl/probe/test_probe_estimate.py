"""The cost of a run, against sums done by hand."""

from typing import Any

import pytest

from manifests.kinds.rl import RlManifest
from manifests.kinds.train import LlamaShape
from training.planning.sizes import llama_size
from training.rl.probe.estimate import Pace, cost_lines, cost_record, estimate_run, validation_steps

SIZE = llama_size(
    LlamaShape(hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2),
    vocab_size=100,
)
PACE = Pace(response_tokens_mean=150.0, prompt_tokens_mean=50.0, tokens_per_s=100.0)


def manifest(**changes: Any) -> RlManifest:
    """Ten rollout steps of 4 prompts with 2 responses: three of at most 100 tokens, seven of at most 400."""
    content = {
        "kind": "rl",
        "name": "tiny",
        "version": 1,
        "checkpoint": "model",
        "prompts": {"corpus": "problems@1"},
        "rollout": {
            "prompts_per_step": 4,
            "responses_per_prompt": 2,
            "length_schedule": [[0, 100], [3, 400]],
        },
        "policy": {"minibatch_prompts": 2},
        "rollout_steps": 10,
    }
    return RlManifest.model_validate(content | changes)


def flops(length: int) -> float:
    """By the formula of the plans: 6 a parameter that is multiplied, and causal attention."""
    return 6.0 * SIZE.multiplied + 6.0 * 2 * 8 * length


def test_response_tokens_lie_between_the_measured_length_and_the_caps() -> None:
    cost = estimate_run(manifest(), SIZE, PACE)
    first, second = cost.spans
    assert (first.first, first.last, first.cap, second.first, second.last, second.cap) == (1, 3, 100, 4, 10, 400)
    assert first.step_low.response_tokens == first.step_high.response_tokens == 8 * 100  # no longer than the cap
    assert (second.step_low.response_tokens, second.step_high.response_tokens) == (8 * 150, 8 * 400)
    assert cost.low.response_tokens == 3 * 800 + 7 * 1200
    assert cost.high.response_tokens == 3 * 800 + 7 * 3200
    assert cost.low.sampling_hours == pytest.approx(10800 / 100 / 3600)


def test_updates_compute_prompts_and_responses_once_more_than_they_train() -> None:
    cost = estimate_run(manifest(), SIZE, PACE)
    trained, again = 24 * 150 * flops(150) + 56 * 200 * flops(200), 4 / 3  # 50 tokens of prompt each
    assert cost.low.update_flops == pytest.approx(trained * again)
    assert cost.low.update_gpu_hours == pytest.approx(trained * again / (989e12 * 0.4) / 3600)


def test_a_reference_costs_another_forward() -> None:
    without = estimate_run(manifest(), SIZE, PACE)
    with_one = estimate_run(manifest(policy={"minibatch_prompts": 2, "kl_coefficient": 0.01}), SIZE, PACE)
    assert with_one.low.update_flops == pytest.approx(without.low.update_flops * 5 / 4)
    assert any("of the checkpoint (KL loss)" in line for line in cost_lines(with_one, "cpu"))
    assert not any("KL loss" in line for line in cost_lines(without, "cpu"))


def test_validation_is_sampled_but_not_trained_on() -> None:
    sets = {"held": {"file": "held.jsonl"}}
    validated = manifest(validation={"sets": sets, "every_rollout_steps": 4})
    assert validation_steps(validated) == [0, 4, 8, 10]
    assert validation_steps(manifest()) == []
    with_it, without = (estimate_run(each, SIZE, PACE, 20) for each in (validated, manifest()))
    assert with_it.validation_low.response_tokens == 20 * (100 + 150 * 3)
    assert with_it.validation_high.response_tokens == 20 * (100 + 400 * 3)
    assert with_it.low.update_flops == without.low.update_flops
    assert with_it.low.response_tokens == without.low.response_tokens + 11_000
    assert any(line.startswith("4 validations: 11K to 26K") for line in cost_lines(with_it, "cpu"))
    assert without.validations == 0


def test_the_lines_say_amounts_and_assumptions() -> None:
    lines = cost_lines(estimate_run(manifest(), SIZE, PACE), "cpu")
    assert lines[0] == "rollout steps 1 to 3, cap 100: 800 to 800 response tokens each, 2.4K to 2.4K in all"
    assert lines[1] == "rollout steps 4 to 10, cap 400: 1.2K to 3.2K response tokens each, 8.4K to 22.4K in all"
    assert lines[2].startswith("in all 10.8K response tokens if they stay as long as now, at most 24.8K if all reach")
    assert "1.8 min to 4.13 min of sampling at the measured speed on cpu" in lines[2]
    assert "40 % utilisation" in lines[3] and "GPU-hours" in lines[3]


@pytest.mark.parametrize(
    ("tokens_per_s", "text"),
    [(1000, "10.8 s to 24.8 s"), (1, "3 hours to 6.89 hours"), (0.01, "300 hours (12.5 days)")],
)
def test_times_have_the_unit_that_reads_best(tokens_per_s: float, text: str) -> None:
    assert text in cost_lines(estimate_run(manifest(), SIZE, Pace(150.0, 50.0, tokens_per_s)), "cpu")[2]


def test_the_record_holds_plain_values() -> None:
    import json

    cost = estimate_run(manifest(), SIZE, PACE)
    record = json.loads(json.dumps(cost_record(cost), allow_nan=False))
    assert record["spans"][1]["high"]["response_tokens"] == 22_400
    assert record["low"]["response_tokens"] == 10_800
    assert len(record["assumptions"]) == 2
