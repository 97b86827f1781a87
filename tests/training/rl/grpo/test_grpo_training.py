"""Runs of the local backend, whole: they learn, they say what happened, they leave a model behind."""

import gzip
import json
import math
import socket
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import TrainingError
from training.metrics import read_metrics
from training.rl.grpo.fit import Fit

LINE = {
    "rollout_step", "step", "cap", "reward", "reward_std", "accuracy", "correct", "responses", "boxed", "early_box",
    "many_boxes", "repetition", "mixed_language", "truncated", "timeout", "error", "response_tokens_mean",
    "response_tokens_max", "correct_tokens_mean", "groups", "groups_all_right", "groups_all_wrong", "tokens",
    "tokens_per_s", "loss", "learning_rate", "grad_norm", "entropy", "kl", "clip_fraction", "probability_gap", "wall_s",
}  # fmt: skip
VALIDATION_LINE = {
    "rollout_step", "step", "set", "problems", "accuracy", "correct", "boxed", "truncated", "repetition",
    "response_tokens_mean", "correct_tokens_mean", "cap",
}  # fmt: skip

Train = Callable[..., dict[str, Any]]


def metrics(run: Any) -> list[dict[str, Any]]:
    return read_metrics(run.grpo_folder / "metrics.jsonl")


def responses(run: Any, rollout_step: int) -> list[dict[str, Any]]:
    with gzip.open(run.grpo_folder / "responses" / f"{rollout_step:08d}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def same(first: Path, second: Path) -> bool:
    import torch

    one, other = weights(first), weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_learns_and_tells_every_rollout_step(world: Any, train: Train) -> None:
    run = world.run(
        rollout={"prompts_per_step": 16, "responses_per_prompt": 8},
        policy={"minibatch_prompts": 8},
        rollout_steps=12,
        validation={"sets": {"held": {"file": "held.jsonl"}}, "every_rollout_steps": 8},
    )
    facts = train(run)
    lines, checks = metrics(run), read_metrics(run.grpo_folder / "validation.jsonl")
    assert [line["rollout_step"] for line in lines] == list(range(1, 13))
    assert [line["step"] for line in lines] == list(range(2, 25, 2))
    assert all(line.keys() == LINE for line in lines)
    rewards = [line["reward"] for line in lines]
    assert statistics.fmean(rewards[-4:]) > statistics.fmean(rewards[:4]) + 0.2
    assert [line["rollout_step"] for line in checks] == [0, 8, 12]
    assert all(line.keys() == VALIDATION_LINE for line in checks)
    assert facts["reward"] == rewards[-1]
    assert facts["validation"] == {"held": checks[-1]["accuracy"]}
    assert facts["rollout_step"] == 12


def test_the_lines_are_made_of_the_responses_on_disk(world: Any, train: Train) -> None:
    run = world.run()
    train(run)
    for line in metrics(run):
        told = responses(run, line["rollout_step"])
        assert len(told) == line["responses"] == 16
        assert statistics.fmean(each["score"] for each in told) == pytest.approx(line["reward"])
        assert sum(each["correct"] for each in told) == line["correct"]
        assert {each["score"] for each in told} <= {-1.0, 1.0}
        assert len({each["prompt"] for each in told}) == line["groups"] == 4
        assert all(len({each["prompt"] for each in told[first : first + 4]}) == 1 for first in range(0, 16, 4))
    tokens = sum(each["tokens"] for step in (1, 2, 3, 4) for each in responses(run, step))
    assert metrics(run)[-1]["tokens"] == tokens


def test_every_prompt_is_asked_before_one_is_asked_again(world: Any, train: Train) -> None:
    run = world.run(rollout={"prompts_per_step": 5}, policy={"minibatch_prompts": 5}, rollout_steps=4)
    train(run)
    asked = [each["prompt"] for step in range(1, 5) for each in responses(run, step)[::4]]
    assert len(asked) == len(set(asked)) == 20


def test_the_length_schedule_is_obeyed_in_every_rollout_step(world: Any, train: Train) -> None:
    run = world.run(rollout={"length_schedule": [[0, 2], [1, 3], [3, 6]]})
    train(run)
    assert [line["cap"] for line in metrics(run)] == [2, 3, 3, 6]
    for line in metrics(run):
        told = responses(run, line["rollout_step"])
        assert max(each["tokens"] for each in told) <= line["cap"]
        assert line["truncated"] == statistics.fmean(each["truncated"] for each in told)
    assert metrics(run)[0]["truncated"] == 1.0  # no answer fits into two tokens
    assert metrics(run)[3]["truncated"] < 0.5
    caps = {line["rollout_step"]: line["cap"] for line in read_metrics(run.grpo_folder / "validation.jsonl")}
    assert caps == {0: 2, 2: 3, 4: 6}


def test_validation_changes_nothing_in_training(world: Any, train: Train) -> None:
    watched, unwatched = world.run("watched"), world.run("unwatched", validation=None)
    train(watched)
    train(unwatched)
    assert same(watched.export, unwatched.export)
    assert not unwatched.validation_file


def test_how_much_is_computed_at_once_changes_rounding_alone(world: Any, train: Train) -> None:
    import torch

    runs = [world.run(f"tiny-{number}", validation=None) for number in (1, 2)]
    train(runs[0])
    train(runs[1], fit=Fit(update_at_once=2, sample_at_once=3, recompute=True))
    assert [line["reward"] for line in metrics(runs[0])] == [line["reward"] for line in metrics(runs[1])]
    one, other = (weights(run.export) for run in runs)
    assert all(torch.allclose(one[name], other[name], atol=1e-4) for name in one)


def test_groups_without_a_difference_teach_nothing_and_do_no_harm(world: Any, train: Train, policy: Path) -> None:
    run = world.run(rollout={"length_schedule": [[0, 1]]}, policy={"weight_decay": 0.0})
    train(run)
    assert all(line["groups_all_wrong"] == line["groups"] for line in metrics(run))
    assert all(line["grad_norm"] == 0 for line in metrics(run))
    assert same(run.export, policy)


def test_a_kl_loss_is_measured_against_the_checkpoint(world: Any, train: Train) -> None:
    run = world.run(policy={"kl_coefficient": 0.1, "learning_rate": 3e-3})
    train(run)
    divergence = [line["kl"] for line in metrics(run)]
    assert divergence[0] < divergence[-1]
    assert all(value >= 0 for value in divergence)


@pytest.mark.parametrize("aggregation", ["sequence_mean", "fixed_length"])
def test_every_loss_aggregation_trains(world: Any, train: Train, policy: Path, aggregation: str) -> None:
    run = world.run(policy={"loss_aggregation": aggregation, "normalise_by_deviation": False}, rollout_steps=2)
    train(run)
    assert all(math.isfinite(line["loss"]) for line in metrics(run))
    assert not same(run.export, policy)


def test_bfloat16_trains_and_is_exported(world: Any, train: Train) -> None:
    import torch

    run = world.run(precision="bfloat16", rollout_steps=2)
    train(run)
    assert {tensor.dtype for tensor in weights(run.export).values()} == {torch.bfloat16}
    assert json.loads((run.export / "config.json").read_text())["dtype"] == "bfloat16"
    assert {tensor.dtype for tensor in weights(run.checkpoints / "step-0000004").values()} == {torch.float32}


def test_a_float32_run_after_a_bfloat16_run_is_float32(world: Any, train: Train) -> None:
    before, again = world.run("before", rollout_steps=2), world.run("again", rollout_steps=2)
    train(before)
    train(world.run("between", rollout_steps=2, precision="bfloat16"))
    train(again)
    assert same(before.export, again.export)


def test_the_export_loads_offline_with_the_checkpoints_own_tokenizer(world: Any, train: Train, policy: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = world.run()
    facts = train(run)
    folder = world.data.root / facts["export"]
    assert folder == run.export
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert tokenizer.chat_template is None
    assert (folder / "tokenizer.json").read_bytes() == (policy / "tokenizer.json").read_bytes()
    assert (folder / "generation_config.json").read_bytes() == (policy / "generation_config.json").read_bytes()
    ids = tokenizer("1+2=", return_tensors="pt")["input_ids"]
    assert "\\boxed{" in tokenizer.decode(model.generate(ids, max_new_tokens=6, do_sample=False)[0])


def test_the_card_says_where_the_weights_come_from(world: Any, train: Train) -> None:
    run = world.run(reward=[{"name": "plus_minus_one"}, {"name": "overlong", "weight": 0.5, "buffer_tokens": 2}])
    facts = train(run)
    card = (run.export / "README.md").read_text()
    for text in (
        "tiny@1", "policy (sha256:", "sums@1 (", "1 · plus_minus_one + 0.5 · overlong",
        "4 of 4 prompts with 4 responses",
        "| weights | float32 |", f"{facts['reward']:.4f}",
        f"| right on held, not trained on | {facts['validation']['held']:.2%} |",
        "    {question}",
    ):  # fmt: skip
        assert text in card


def test_nothing_is_said_to_the_network_or_on_stdout(
    world: Any, train: Train, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[Any] = []
    monkeypatch.delenv("CI", raising=False)  # TRL keeps quiet there of its own accord
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: called.append(where) or [])
    train(world.run(rollout_steps=2))
    out, err = capsys.readouterr()
    assert not called
    assert out == ""
    assert "rollout.prompts_per_step 4: TRL generation_batch_size=16; verl data.train_batch_size=4" in err
    assert "validation after rollout step 0: held" in err
    assert not [line for line in err.splitlines() if "arn" in line and "earn" not in line]


def test_fewer_prompts_than_a_step_takes_are_refused_before_any_work(world: Any) -> None:
    with pytest.raises(TrainingError, match=r"expected at least one step's"):
        world.run(rollout={"prompts_per_step": 21}, policy={"minibatch_prompts": 21})
