"""verl itself is asked, in its interpreter, and what it says is believed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import TrainingError
from training.rl.verl.validate import Validation, validate_words
from training.rl.verl.write import write_launch


def _asked(stand_in: Any, tmp_path: Path) -> Validation:
    words = tmp_path / "words.txt"
    words.write_text("data.seed=1\n")
    return validate_words([words], str(stand_in.python), tmp_path)


def test_without_an_interpreter_it_says_so() -> None:
    told = str(validate_words([], None, Path("/")))
    assert told.endswith("sizes for verl 0.9.1; not further, because OCTO_VERL_PYTHON is not set")


def test_all_levels_are_named(stand_in: Any, tmp_path: Path) -> None:
    asked = _asked(stand_in, tmp_path)
    assert asked.level == 4 and "its cross-checks, every name it looks up" in str(asked)


def test_without_torch_the_keys_alone_are_checked(stand_in: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("STAND_IN", json.dumps({"no_torch": True}))
    asked = _asked(stand_in, tmp_path)
    assert asked.level == 1 and "has no torch" in str(asked)


def test_another_verl_is_refused(stand_in: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("STAND_IN", json.dumps({"version": "0.8.0"}))
    with pytest.raises(TrainingError, match=r"has verl 0.8.0; expected 0.9.1"):
        _asked(stand_in, tmp_path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [("exit 3", "cannot tell: exit 3"), ("echo no >&2; exit 1", "cannot tell: no"), ("echo '[1]'", "cannot tell")],
)
def test_an_interpreter_that_cannot_tell_is_no_validation(
    stand_in: Any, tmp_path: Path, script: str, reason: str
) -> None:
    stand_in.python.write_text(f"#!/bin/sh\n{script}\n")
    asked = _asked(stand_in, tmp_path)
    assert asked.level == 0 and reason in str(asked)


def test_no_interpreter_at_all(stand_in: Any, tmp_path: Path) -> None:
    asked = _asked(replace(stand_in, python=tmp_path / "none"), tmp_path)
    assert asked.level == 0 and "cannot be asked" in str(asked)


@pytest.mark.engine
@pytest.mark.parametrize("rendering", ["one_run", "staged"])
def test_verl_takes_every_word_at_every_level(world: Any, on_cpu: Any, rendering: str) -> None:
    plan = world.plan(policy={"kl_coefficient": 0.01}, precision="bfloat16")
    asked = write_launch(plan, replace(on_cpu, rendering=rendering), world.folder / "root", str(on_cpu.python))
    assert asked.asked == 4


@pytest.mark.engine
@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("data.bogus=1", "bogus"),
        ("actor_rollout_ref.actor.optim.lr=abc", "abc"),
        ("actor_rollout_ref.rollout.n=sixteen", "sixteen"),
        ("actor_rollout_ref.actor.loss_agg_mode=foo", "foo"),
        ("algorithm.adv_estimator=grpoo", "grpoo"),
        ("trainer.logger=[consol]", "consol"),
        ("trainer.resume_mode=never", "never"),
        ("actor_rollout_ref.rollout.name=hf", "hf"),
        ("actor_rollout_ref.rollout.agent.default_agent_loop=other", "other"),
        ("reward.custom_reward_function.path=pkg://nothing_here", "nothing_here"),
        ("reward.reward_manager.name=Other", "Other"),
        ("reward.custom_reward_function.path=null", "verl would use its own"),
        ("actor_rollout_ref.model.path=/nowhere", "nowhere"),
    ],
)
def test_verl_itself_refuses(world: Any, on_cpu: Any, word: str, problem: str) -> None:
    options = replace(on_cpu, engine_words=(*on_cpu.engine_words, word))
    with pytest.raises(TrainingError, match=r"verl refuses it: .*" + problem):
        write_launch(world.plan(), options, world.folder / "root", str(on_cpu.python))
