"""The manifest as TRL's settings, and what a user is told of them."""

from dataclasses import fields
from typing import Any

import pytest
import torch

from manifests.errors import TrainingError
from manifests.kinds.rl import RlManifest
from training.rl.grpo.fit import Fit, sample_at_once, update_at_once
from training.rl.grpo.mapping import COLUMNS, mapping_lines, mapping_rows
from training.rl.grpo.settings import batch_settings, grpo_config, policy_settings, sampling_settings
from training.rl.verl.given import Given
from training.rl.verl.options import Options
from training.rl.verl.overrides import stage_settings

CHANGES = (
    {},
    {"policy": {"kl_coefficient": 0.01, "clip_ratio_high": 0.28, "loss_aggregation": "fixed_length"}},
    {"policy": {"normalise_by_deviation": False, "loss_aggregation": "sequence_mean"}, "precision": "bfloat16"},
)


def paper(**changes: Any) -> RlManifest:
    content: dict[str, Any] = {
        "kind": "rl", "name": "paper", "version": 1, "checkpoint": "model", "prompts": {"corpus": "math-8k@1"},
        "rollout": {"length_schedule": [[0, 2048], [100, 4096], [160, 8192]]}, "rollout_steps": 200,
    }  # fmt: skip
    return RlManifest.model_validate(content | changes)


def test_the_papers_numbers_become_trls() -> None:
    settings = batch_settings(paper(), 200, Fit())
    assert settings["num_generations"] == 16
    assert settings["generation_batch_size"] == 2048
    assert settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"] == 1024
    assert settings["max_steps"] == 400


def test_trl_accepts_the_settings_and_keeps_every_one(world: Any) -> None:
    for number, changes in enumerate(CHANGES):
        run = world.run(f"tiny-{number}", **changes)
        manifest = run.plan.manifest
        config = grpo_config(run, torch.device("cpu"), 4, Fit())
        wanted = batch_settings(manifest, 4, Fit()) | policy_settings(manifest) | sampling_settings(manifest)
        assert {name: getattr(config, name) for name in wanted} == wanted
        assert config.steps_per_generation == 2 * config.gradient_accumulation_steps
        assert config.bf16 == (manifest.precision == "bfloat16")
        assert not config.gradient_checkpointing
        assert config.report_to == []


def test_every_setting_is_one_of_trls(world: Any) -> None:
    from trl import GRPOConfig

    known = {field.name for field in fields(GRPOConfig)}
    manifest = paper()
    assert (
        batch_settings(manifest, 1, Fit()) | policy_settings(manifest) | sampling_settings(manifest)
    ).keys() <= known


@pytest.mark.parametrize(
    ("aggregation", "trl", "verl"),
    [
        ("token_mean", "dapo", "token-mean"),
        ("sequence_mean", "grpo", "seq-mean-token-mean"),
        ("fixed_length", "dr_grpo", "seq-mean-token-sum-norm"),
    ],
)
def test_loss_aggregation_is_named_in_both_backends(aggregation: str, trl: str, verl: str) -> None:
    rows = {row[0]: row for row in mapping_rows(paper(policy={"loss_aggregation": aggregation}))}
    assert rows["policy.loss_aggregation"][1:4] == [
        aggregation, f"loss_type={trl}", f"actor_rollout_ref.actor.loss_agg_mode={verl}",
    ]  # fmt: skip


def test_the_mapping_names_every_setting_of_rollout_and_policy() -> None:
    manifest = paper()
    named = {row[0] for row in mapping_rows(manifest)}
    for section in ("rollout", "policy"):
        assert {f"{section}.{name}" for name in type(getattr(manifest, section)).model_fields} <= named
    assert all(len(row) == len(COLUMNS) for row in mapping_rows(manifest))
    assert any("max_steps=400" in line for line in mapping_lines(manifest))


@pytest.mark.parametrize("changes", CHANGES)
def test_the_mapping_says_what_verl_is_really_given(world: Any, changes: dict[str, Any]) -> None:
    given = Given(world.run(**changes).plan, Options(python=None), world.folder)
    settings = stage_settings(given, given.stages[0]) | {"actor_rollout_ref.actor.optim.lr_scheduler_type": "constant"}
    words = [word for row in mapping_rows(given.manifest) for word in row[3].split() if "=" in word]
    assert len(words) >= 15
    assert set(words) <= {f"{key}={value}" for key, value in settings.items()}


def test_an_update_takes_a_divisor_of_the_mini_batch_that_fits() -> None:
    assert update_at_once(paper(), Fit()) == 1  # 16,384 tokens hold one response of 8,192
    assert update_at_once(paper(rollout={"length_schedule": [[0, 2048]]}), Fit()) == 4  # of the 6 that would fit
    assert update_at_once(paper(), Fit(update_at_once=64)) == 64


def test_responses_at_once_that_do_not_divide_the_mini_batch_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"paper@1: 7 responses at once do not divide a mini-batch of 1,024"):
        update_at_once(paper(), Fit(update_at_once=7))


def test_sampling_takes_whole_groups_that_fit() -> None:
    assert sample_at_once(paper(), 2048, Fit()) == 96  # 107 would fit
    assert sample_at_once(paper(), 100, Fit()) == 512
    assert sample_at_once(paper(), 100_000, Fit()) == 2
    assert sample_at_once(paper(), 2048, Fit(sample_at_once=10)) == 10
    assert sample_at_once(paper(), 2048, Fit(sample_at_once=10_000)) == 2048


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that is asked for")
def test_settings_that_trl_refuses_are_explained(world: Any) -> None:
    run = world.run(precision="bfloat16")
    with pytest.raises(TrainingError, match=r"tiny@1: TRL refuses the settings of this run \("):
        grpo_config(run, torch.device("cuda"), 4, Fit())
