"""The vendored facts about verl's settings: what it would not take, and what it takes and never reads."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from training.rl.verl import schema
from training.rl.verl.options import ALLOWED_EXTRA
from training.rl.verl.schema import schema_mistakes

DESCRIBE = Path(__file__).parent / "describe_verl.py"
VENDORED = Path(schema.__file__).with_name("schema.json")


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        ({"data.train_batchsize": 4}, "is no key of verl 0.9.1; did you mean data.train_batch_size"),
        ({"nothing.like.it": 4}, "nothing.like.it: is no key of verl 0.9.1; expected one of its own"),
        ({"+data.new": 1}, "+data.new: would be forced in"),
        ({"custom_reward_function.path": "x"}, "expected reward.custom_reward_function.path"),
        ({"+reward_manager.name": "x"}, "expected reward.reward_manager.name"),
        ({"reward_model.reward_manager": "naive"}, "never reads; expected reward.reward_manager.name"),
        ({"reward_model.enable": False}, "expected reward.reward_model.enable"),
        ({"sandbox_fusion.url": "x"}, "expected reward.sandbox_fusion.url"),
        ({"actor_rollout_ref.actor.grad_clip": 1.0}, "expected actor_rollout_ref.actor.optim.clip_grad"),
        ({"actor_rollout_ref.rollout.n": "sixteen"}, "actor_rollout_ref.rollout.n: is 'sixteen'; expected int"),
        ({"actor_rollout_ref.rollout.n": True}, "is True; expected int"),
        ({"actor_rollout_ref.actor.optim.lr": "abc"}, "is 'abc'; expected float"),
        ({"actor_rollout_ref.actor.use_kl_loss": 1}, "is 1; expected bool"),
        ({"actor_rollout_ref.rollout.max_model_len": 1.5}, "is 1.5; expected int or null"),
        ({"algorithm.adv_estimator": "grpoo"}, "is 'grpoo'; expected one of gae"),
        ({"trainer.logger": ["console", "consol"]}, "is 'consol'; expected one of"),
        ({"actor_rollout_ref.rollout.name": "hf"}, "is 'hf'; expected one of sglang, trtllm, vllm"),
        ({"actor_rollout_ref.actor.loss_agg_mode": "foo"}, "is 'foo'; expected one of"),
        ({"trainer.resume_mode": "x"}, "is 'x'; expected one of auto, disable, resume_path"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_was_expected(settings: dict[str, Any], mistake: str) -> None:
    (told,) = schema_mistakes(settings)
    assert mistake in told


def test_every_mistake_is_told_at_once() -> None:
    assert len(schema_mistakes({"a.b": 1, "algorithm.adv_estimator": 3, "+x": 1})) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"actor_rollout_ref.actor.optim.lr": 1},  # a whole number is a float too
        {"actor_rollout_ref.rollout.max_model_len": None},
        {"reward.reward_manager.name": "LengthAwareRewardManager"},
        {"hydra.run.dir": "/x"},
        {"+ray_kwargs.ray_init.address": "local"},
        {"trainer.logger": ["console", "file"]},
    ],
)
def test_what_is_right_is_taken(settings: dict[str, Any]) -> None:
    assert schema_mistakes(settings) == []


def test_what_a_user_may_set_is_known_to_verl() -> None:
    known = json.loads(VENDORED.read_text())["keys"]
    assert [key for key in ALLOWED_EXTRA if not key.startswith("+") and key not in known] == []


@pytest.mark.engine
def test_the_vendored_facts_are_those_of_the_installed_verl(verl_python: str) -> None:
    done = subprocess.run([verl_python, str(DESCRIBE)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(VENDORED.read_text())
