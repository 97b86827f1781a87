"""A run on disk: opened from a complete plan, refused where it does not belong, proved at its end."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import IdentityError, NotFound, TrainingError
from manifests.records import read_record, write_record
from training.checks import failures
from training.rl.launch import launch_locally
from training.rl.outcome import check_rl
from training.rl.plan import plan_record, plan_rl, plan_rows, summary, write_plan
from training.rl.run import open_run
from training.rl.status import COLUMNS, status_rows
from training.run_record import DONE, hold_phase

World = Any


def _open(world: World, **changes: Any) -> Any:
    return world.run("tiny", **changes)


def test_a_plan_says_what_is_asked_and_how_often_and_writes_nothing(world: World) -> None:
    plan = plan_rl(world.manifest(rollout={"length_schedule": [[0, 6], [2, 8]]}), world.data)
    assert [row[:4] for row in plan_rows(plan)] == [[1, 2, 6, 4], [3, 4, 8, 4]]
    assert "20 prompts of sums@1, each seen 0.8 times; removed: none" in summary(plan)
    assert "validation: held 5" in summary(plan)
    assert not world.data.run("tiny@1").exists()
    write_plan(plan, world.folder / "out")
    assert read_record(world.folder / "out" / "plan.json") == json.loads(json.dumps(plan_record(plan)))


def test_a_plan_shows_what_it_can_before_anything_is_here(world: World) -> None:
    plan = plan_rl(world.manifest(checkpoint="base@1/long", prompts={"corpus": "other@1"}), world.data)
    told = "\n".join(summary(plan))
    assert "the corpus other@1 is not built" in told and "the checkpoint base@1/long is not in" in told
    with pytest.raises(NotFound, match="no finished checkpoint.*octo train launch"):
        plan.require_complete()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rollout": {"prompts_per_step": 30}, "policy": {"minibatch_prompts": 10}}, "20 prompts of sums@1 are left"),
        ({"rollout": {"length_schedule": [[0, 60]]}}, "need 68 positions, policy has 64"),
    ],
)
def test_what_would_stop_a_launch_is_found_by_the_plan(world: World, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(TrainingError, match=expected):
        plan_rl(world.manifest(**changes), world.data)


def test_a_folder_without_a_model_is_explained(world: World) -> None:
    with pytest.raises(NotFound, match="has no config.json; expected a local Hugging Face folder"):
        open_run(plan_rl(world.manifest(checkpoint="nowhere"), world.data), "local", "cpu", {}, False)


def test_an_opened_run_holds_what_a_backend_needs(world: World) -> None:
    run = _open(world)
    assert all(path.exists() for path in (run.prompts_file, run.validation_file, run.tokenizer_folder))
    assert read_record(run.folder / "run.json")["kind"] == "rl"
    again = _open(world)
    assert again.folder == run.folder


def test_another_recipe_under_the_same_name_is_refused_with_the_key(world: World) -> None:
    _open(world)
    with pytest.raises(IdentityError, match=r"policy.learning_rate: 0.001 → 0.1"):
        _open(world, policy={"learning_rate": 0.1})
    plan = plan_rl(world.manifest(policy={"learning_rate": 0.1}), world.data)
    assert open_run(plan, "local", "cpu", {}, replace=True).facts == {}


def test_how_often_to_save_is_no_part_of_the_recipe(world: World) -> None:
    _open(world)
    _open(world, checkpoints={"every_rollout_steps": 1, "keep": 1})


def test_a_training_run_of_the_same_name_is_never_touched(world: World) -> None:
    write_record(world.data.run("tiny@1") / "run.json", {"identity": "tiny@1", "phases": {}})
    with pytest.raises(IdentityError, match="holds a training run of this name and version"):
        _open(world)


def test_a_run_stays_with_the_backend_that_began_it(world: World) -> None:
    run = _open(world)
    run.publish(state="stopped", steps=4)
    with pytest.raises(IdentityError, match="was begun with the local backend"):
        open_run(run.plan, "verl", "verl", {}, replace=False)


def test_two_processes_never_train_one_run(world: World) -> None:
    run = _open(world)
    with hold_phase(run.folder, "grpo"), pytest.raises(TrainingError, match="being trained by another process"):
        launch_locally(run.plan.loaded, world.data, "cpu", None, replace=False)


@pytest.fixture
def finished(world: World) -> Any:
    """A run that was trained to its end."""
    loaded = world.manifest(rollout={"length_schedule": [[0, 5], [2, 6]]})
    return launch_locally(loaded, world.data, "cpu", None, replace=False)


def test_a_finished_run_holds_every_check_and_is_left_alone(
    world: World, finished: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failures(check_rl(world.data, "tiny@1")) == []
    row = dict(zip(COLUMNS, status_rows(world.data, "tiny@1")[0], strict=True))
    assert (row["state"], row["rollout_step"], row["rollout_steps"], row["cap"]) == (DONE, 4, 4, 6)
    weights = (finished.export / "model.safetensors").read_bytes()
    launch_locally(finished.plan.loaded, world.data, "cpu", None, replace=False)
    assert "finished already, 4 rollout steps; nothing to do" in capsys.readouterr().err
    assert (finished.export / "model.safetensors").read_bytes() == weights


def _edit_line(path: Path, number: int, **changes: Any) -> None:
    lines = path.read_text().splitlines()
    lines[number] = json.dumps(json.loads(lines[number]) | changes)
    path.write_text("".join(line + "\n" for line in lines))


@pytest.mark.parametrize(
    ("check", "spoil", "expected"),
    [
        ("length schedule", {"cap": 6}, "rollout step 1: cap 6; the schedule says 5"),
        ("length schedule", {"response_tokens_max": 7}, "one has 7 tokens; the cap is 5"),
        ("responses", {"responses": 15}, "rollout step 1: 15 responses; expected 16"),
        ("learning rate", {"learning_rate": 0.5}, "learning rate 0.5; expected 0.001"),
        ("reward", {"error": 0.25}, "25.00% of the rewards failed"),
        ("rollout steps", {"rollout_step": 2}, "line 1 is of rollout step 2"),
    ],
)
def test_every_check_can_fail(world: World, finished: Any, check: str, spoil: dict[str, Any], expected: str) -> None:
    _edit_line(finished.grpo_folder / "metrics.jsonl", 0, **spoil)
    wrong = {item.name: item.detail for item in failures(check_rl(world.data, "tiny@1"))}
    assert expected in wrong[check]


def test_prompts_and_export_are_checked_too(world: World, finished: Any) -> None:
    shutil.copy(finished.validation_file, finished.prompts_file)
    (finished.export / "model.safetensors").unlink()
    wrong = {item.name: item.detail for item in failures(check_rl(world.data, "tiny@1"))}
    assert "the run was recorded with" in wrong["prompts"]
    assert "expected safetensors weights" in wrong["export"]


def test_an_unfinished_run_cannot_be_proved(world: World) -> None:
    _open(world)
    results = {item.name: item.result for item in check_rl(world.data, "tiny@1")}
    assert (results["rollout steps"], results["export"]) == ("wrong", "not possible")


def test_training_commands_send_an_rl_run_to_its_own(world: World) -> None:
    from training.outcome import check_run
    from training.status import status_rows as training_status

    _open(world)
    for look in (lambda: training_status(world.data, "tiny@1"), lambda: check_run("tiny@1", world.data)):
        with pytest.raises(NotFound, match="is a run of reinforcement learning"):
            look()
    write_record(world.data.run("base@1") / "run.json", {"identity": "base@1", "phases": {}})
    with pytest.raises(NotFound, match="is a training run"):
        check_rl(world.data, "base@1")
