"""Manifest → settings: complete, explicit, and each stage of the length schedule at its place."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.rl.verl.given import Given
from training.rl.verl.overrides import resume_settings, stage_settings, start_settings
from training.rl.verl.words import override_words

GOLDEN = Path(__file__).parent / "golden"
SECTION = "actor_rollout_ref"
NEVER_LEFT_OUT = [
    "actor_rollout_ref.rollout.name", "actor_rollout_ref.rollout.tensor_model_parallel_size", "trainer.logger",
    "trainer.default_local_dir", "trainer.total_training_steps", "trainer.total_epochs", "data.dataloader_num_workers",
    "data.seed", "actor_rollout_ref.rollout.max_model_len", "reward.custom_reward_function.path",
    "reward.reward_manager.source", "reward.num_workers", "actor_rollout_ref.actor.checkpoint.save_contents",
    "data.val_files", "actor_rollout_ref.model.tokenizer_path", "actor_rollout_ref.rollout.val_kwargs.temperature",
]  # fmt: skip


def _given(world: Any, options: Any, **changes: Any) -> Given:
    return Given(world.plan(**changes), options, world.folder / "root")


def test_what_verl_would_guess_is_always_said(world: Any, options: Any) -> None:
    for rendering in ("one_run", "staged"):
        given = _given(world, replace(options, rendering=rendering))
        for stage in given.stages:
            settings = stage_settings(given, stage)
            assert not [key for key in NEVER_LEFT_OUT if key not in settings]
            assert {"trainer.resume_mode", "trainer.resume_from_path"} <= start_settings(given, stage).keys()


@pytest.mark.parametrize("rendering", ["one_run", "staged"])
def test_the_words_of_a_run_are_the_golden_ones(world: Any, options: Any, rendering: str) -> None:
    given = _given(world, replace(options, rendering=rendering))
    words = [
        f"{stage.name}: {word.replace(str(world.folder).replace(chr(39), chr(92) + chr(39)), 'WORLD')}"
        for stage in given.stages
        for word in override_words({**stage_settings(given, stage), **start_settings(given, stage)})
    ]
    assert words == (GOLDEN / f"{rendering}.txt").read_text("utf-8").splitlines()


def test_one_run_has_the_widest_tensors_and_our_loop(world: Any, options: Any) -> None:
    given = _given(world, options)
    (stage,) = given.stages
    settings = stage_settings(given, stage)
    assert (stage.first, stage.last, stage.width) == (1, 4, 8)
    assert settings["data.max_response_length"] == 8
    assert settings[f"{SECTION}.rollout.max_model_len"] == 16  # 8 of a prompt
    assert settings[f"{SECTION}.rollout.agent.default_agent_loop"] == "octo_length_schedule"
    assert start_settings(given, stage)["trainer.resume_mode"] == "disable"


def test_stages_resume_from_the_exact_end_of_the_one_before(world: Any, options: Any) -> None:
    given = _given(world, replace(options, rendering="staged"))
    first, second = given.stages
    assert [(stage.first, stage.last, stage.width) for stage in given.stages] == [(1, 2, 4), (3, 4, 8)]
    settings = stage_settings(given, second)
    assert settings["trainer.total_training_steps"] == 4  # counted from the start of the run
    assert settings[f"{SECTION}.rollout.agent.agent_loop_config_path"] is None
    start = start_settings(given, second)
    assert start["trainer.resume_mode"] == "resume_path" and start["trainer.val_before_train"] is False
    assert start["trainer.resume_from_path"] == str(first.checkpoints / "global_step_2")
    assert not str(start["trainer.resume_from_path"]).endswith("/")
    assert start_settings(given, first)["trainer.val_before_train"] is True


def test_a_stage_that_goes_on_takes_its_own_newest_checkpoint() -> None:
    assert resume_settings() == {
        "trainer.resume_mode": "auto", "trainer.resume_from_path": None, "trainer.val_before_train": False,
    }  # fmt: skip


def test_stages_lie_in_folders_of_their_own(world: Any, options: Any) -> None:
    given = _given(world, replace(options, rendering="staged"))
    for key in ("trainer.default_local_dir", "trainer.rollout_data_dir", "trainer.validation_data_dir"):
        assert len({stage_settings(given, stage)[key] for stage in given.stages}) == 2


@pytest.mark.parametrize(("precision", "name"), [("float32", "fp32"), ("bfloat16", "bf16")])
def test_precision_is_said_where_fsdp_reads_it(world: Any, options: Any, precision: str, name: str) -> None:
    given = _given(world, options, precision=precision)
    settings = stage_settings(given, given.stages[0])
    assert settings["+actor_rollout_ref.actor.fsdp_config.mixed_precision.param_dtype"] == name
    assert settings[f"{SECTION}.rollout.dtype"] == precision
    assert settings[f"{SECTION}.actor.fsdp_config.model_dtype"] == "fp32"


def test_the_rules_of_the_update_are_those_of_the_manifest(world: Any, options: Any) -> None:
    policy = {"kl_coefficient": 0.01, "clip_ratio_high": 0.28, "normalise_by_deviation": False, "weight_decay": 0.0}
    given = _given(world, options, policy=policy)
    settings = stage_settings(given, given.stages[0])
    assert settings[f"{SECTION}.actor.use_kl_loss"] is True and settings[f"{SECTION}.actor.kl_loss_coef"] == 0.01
    assert (settings[f"{SECTION}.actor.clip_ratio_low"], settings[f"{SECTION}.actor.clip_ratio_high"]) == (0.2, 0.28)
    assert settings["algorithm.norm_adv_by_std_in_grpo"] is False
    assert settings[f"{SECTION}.actor.ppo_mini_batch_size"] == 2  # prompts, not responses
    assert settings[f"{SECTION}.actor.optim.lr_scheduler_type"] == "constant"


def test_a_fixed_length_loss_divides_by_the_cap_of_each_stage(world: Any, options: Any) -> None:
    given = _given(world, replace(options, rendering="staged"), policy={"loss_aggregation": "fixed_length"})
    scales = [stage_settings(given, stage)[f"{SECTION}.actor.loss_scale_factor"] for stage in given.stages]
    assert scales == [4, 8]


def test_without_validation_none_is_made(world: Any, options: Any) -> None:
    given = _given(world, options, validation=None)
    settings = stage_settings(given, given.stages[0])
    assert settings["trainer.test_freq"] == -1 and settings["data.val_files"] == str(given.prompts)
    assert start_settings(given, given.stages[0])["trainer.val_before_train"] is False


def test_sglang_gets_one_position_more(world: Any, options: Any) -> None:
    """verl takes one off before it asks SGLang, which would cut the longest responses."""
    given = _given(world, replace(options, engine="sglang"))
    assert stage_settings(given, given.stages[0])[f"{SECTION}.rollout.max_model_len"] == 17


def test_settings_of_the_user_come_last(world: Any, options: Any) -> None:
    given = _given(world, replace(options, extra={"reward.num_workers": 2, "ray_kwargs.ray_init.num_cpus": 4}))
    settings = stage_settings(given, given.stages[0])
    assert settings["reward.num_workers"] == 2 and settings["ray_kwargs.ray_init.num_cpus"] == 4


def test_a_pass_holds_the_longest_prompt_and_response(world: Any, options: Any) -> None:
    long = _given(world, options, rollout={"length_schedule": [[0, 30_000]]})
    assert long.tokens_per_gpu(long.stages[0]) == 30_008
    short = _given(world, options)
    assert short.tokens_per_gpu(short.stages[0]) == 16_384
    asked = _given(world, replace(options, max_tokens_per_gpu=20_000))
    assert asked.tokens_per_gpu(asked.stages[0]) == 20_000


def test_ends_of_text_are_those_of_the_checkpoint(world: Any, options: Any, tmp_path: Path) -> None:
    given = _given(world, options)
    assert given.end_ids == [0]
