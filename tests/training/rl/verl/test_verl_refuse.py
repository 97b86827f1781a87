"""What stands against a launch is told before anything is written, all of it at once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import TrainingError
from training.jobs.slurm import Slurm
from training.rl.verl.options import Options
from training.rl.verl.write import write_launch

ONE_STAGE = {"length_schedule": [[0, 8]], "prompts_per_step": 4, "responses_per_prompt": 2}


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"nodes": 0}, "--nodes is 0; expected at least 1"),
        ({"gpus_per_node": -1}, "--gpus-per-node is -1; expected at least 1"),
        ({"tp": 2}, "--tp 2 does not divide the 1 GPUs; expected whole sampling engines"),
        ({"gpus_per_node": 8}, "= 4, shared by 8 GPUs; expected a multiple, since verl fills the rest with empty"),
        ({"ray_address": "head node:1; rm"}, "--ray-address is 'head node:1; rm'; expected HOST:PORT"),
        ({"slurm": Slurm(partition="gpu\n#SBATCH --x")}, "expected letters, digits and _ . : , + - alone"),
        ({"slurm": Slurm(time="1 day")}, "--slurm-time is '1 day'"),
        ({"max_tokens_per_gpu": 15}, "is 15, a prompt and a response have up to 8 + 8 = 16 tokens"),
        ({"extra": {"trainer.total_epochs": 3}}, "--verl-set trainer.total_epochs: cannot be set here"),
        ({"extra": {"reward.num_workers": "many"}}, "--verl-set reward.num_workers: is 'many'; expected int"),
        (
            {"extra": {"actor_rollout_ref.rollout.max_num_batched_tokens": 10,
                       "actor_rollout_ref.rollout.enable_chunked_prefill": False}},
            "max_num_batched_tokens is 10 and chunked prefill is off; expected 16 or more",
        ),
    ],
)  # fmt: skip
def test_options_that_cannot_work_are_refused(
    world: Any, options: Options, tmp_path: Path, changes: dict[str, Any], mistake: str
) -> None:
    with pytest.raises(TrainingError) as refused:
        write_launch(world.plan(), replace(options, **changes), tmp_path / "root")
    assert mistake in str(refused.value)
    assert not (tmp_path / "root").exists()


def test_all_mistakes_are_told_at_once(world: Any, options: Options, tmp_path: Path) -> None:
    wrong = replace(options, tp=3, ray_address="x", max_tokens_per_gpu=1)
    with pytest.raises(TrainingError) as refused:
        write_launch(world.plan(), wrong, tmp_path)
    assert [line.split(": ")[0] for line in str(refused.value).splitlines()] == ["rl tiny@1"] * 3


@pytest.mark.parametrize(
    ("name", "why"),
    [("a:b", "ends a path in PYTHONPATH"), ("a[1]", "pattern"), ("${x}", "reference"), ("a\nb", "control characters")],
)
def test_folders_that_verl_cannot_read_are_refused(
    world: Any, options: Options, tmp_path: Path, name: str, why: str
) -> None:
    with pytest.raises(TrainingError, match=why):
        write_launch(world.plan(), options, tmp_path / name)


def test_a_loss_by_the_cap_needs_stages(world: Any, options: Options, tmp_path: Path) -> None:
    plan = world.plan(policy={"loss_aggregation": "fixed_length"})
    with pytest.raises(TrainingError, match=r"fixed_length, which divides by the cap .* Use --rendering staged"):
        write_launch(plan, options, tmp_path)
    write_launch(plan, replace(options, rendering="staged"), tmp_path)


def test_sequence_parallel_gpus_share_a_response(world: Any, options: Options, tmp_path: Path) -> None:
    """8 GPUs in groups of 2 are 4 ranks, which share the 4 responses of an optimizer step evenly."""
    extra = {"actor_rollout_ref.actor.fsdp_config.ulysses_sequence_parallel_size": 2}
    write_launch(world.plan(), replace(options, gpus_per_node=8, extra=extra), tmp_path)


def test_the_model_must_know_the_position_that_sglang_loses(world: Any, options: Options, tmp_path: Path) -> None:
    config = json.loads((world.folder / "policy" / "config.json").read_text())
    plan = world.plan(rollout={"length_schedule": [[0, config["max_position_embeddings"] - 8]]})
    write_launch(plan, options, tmp_path)
    with pytest.raises(TrainingError, match=r"sampling needs 32,769 positions"):
        write_launch(plan, replace(options, engine="sglang"), tmp_path)
