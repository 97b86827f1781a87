"""Launching: stages in order, the journal of what verl did, resumes, and every way in which verl ends badly."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import IdentityError, MissingExtra, TrainingError
from training.local.loop import Stopped
from training.local.stopping import Stop
from training.rl.verl.outcome import check_verl

Train = Callable[..., dict[str, Any]]


@pytest.fixture
def go_wrong(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`go_wrong(exit_at=2)`: what the stand-in will do; without arguments, nothing."""

    def _set(**what: Any) -> None:
        monkeypatch.setenv("STAND_IN", json.dumps(what))

    return _set


def _lines(run: Any, name: str = "metrics") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.grpo_folder / f"{name}.jsonl").read_text().splitlines()]


def _notes(run: Any) -> list[dict[str, Any]]:
    """What the reward manager noted, in all stages."""
    files = run.verl_folder.glob("*/rewards/*.jsonl")
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def _responses(run: Any) -> list[str]:
    return sorted(path.name for path in (run.grpo_folder / "responses").iterdir())


@pytest.mark.parametrize("rendering", ["one_run", "staged"])
def test_a_run_is_trained_followed_and_proved(world: Any, stand_in: Any, train: Train, rendering: str) -> None:
    run = world.run()
    facts = train(run, replace(stand_in, rendering=rendering))
    assert [check.result for check in check_verl(run.folder)] == ["holds"] * 8
    lines = _lines(run)
    assert [(line["rollout_step"], line["step"], line["cap"]) for line in lines] == [
        (1, 2, 4), (2, 4, 4), (3, 6, 8), (4, 8, 8),
    ]  # fmt: skip
    assert all(line["response_tokens_max"] <= line["cap"] for line in lines)
    assert [line["responses"] for line in lines] == [8] * 4 and lines[0]["lost_responses"] == 0
    assert lines[0]["learning_rate"] == 1e-3 and lines[0]["grad_norm"] == 0.5 and lines[0]["probability_gap"] == 1e-4
    validations = _lines(run, "validation")
    assert [(line["rollout_step"], line["set"], line["problems"], line["cap"]) for line in validations] == [
        (0, "held", 5, 4), (2, "held", 5, 4), (4, "held", 5, 8),
    ]  # fmt: skip
    assert _responses(run) == [f"{step:08d}.jsonl.gz" for step in (1, 2, 3, 4)]
    assert facts == {
        "rollout_step": 4, "reward": lines[-1]["reward"], "accuracy": lines[-1]["accuracy"],
        "tokens": lines[-1]["tokens"], "validation": {"held": validations[-1]["accuracy"]},
        "export": "runs/tiny@1/grpo/export",
    }  # fmt: skip
    assert facts["tokens"] == sum(note["response_tokens"] for note in _notes(run) if note["split"] == "train")


def test_verl_without_an_interpreter(world: Any, options: Any, train: Train) -> None:
    with pytest.raises(MissingExtra, match=r"needs OCTO_VERL_PYTHON; expected the interpreter of an environment with"):
        train(world.run(), options)


def test_an_interpreter_that_cannot_train(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    go_wrong(no_torch=True)
    with pytest.raises(TrainingError, match=r"has no torch; expected an interpreter that can train with verl"):
        train(world.run(), stand_in)


@pytest.mark.parametrize(
    ("wrong", "how"),
    [
        ({"exit_at": 3}, "ended with exit code 1"),
        ({"die_at": 3}, "was killed by SIGKILL, most likely for want of memory"),
        ({"stop_at": 2}, "ended"),
    ],
)
def test_verl_that_ends_early_is_told_with_its_log(
    world: Any, stand_in: Any, train: Train, go_wrong: Any, wrong: dict[str, Any], how: str
) -> None:
    """Exit code 0 proves nothing: with `stop_at` it is 0."""
    run = world.run()
    go_wrong(**wrong)
    with pytest.raises(TrainingError) as failed:
        train(run, stand_in)
    message = str(failed.value)
    assert f"verl {how} after rollout step 2; expected it to end with rollout step 4 saved" in message
    assert "the newest saved is 2" in message
    if "exit_at" in wrong:
        assert "| RuntimeError: something in verl" in message


def test_a_run_goes_on_from_its_newest_checkpoint(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    run, options = world.run(), replace(stand_in, rendering="staged")
    go_wrong(exit_at=4)
    with pytest.raises(TrainingError):
        train(run, options)
    assert [line["rollout_step"] for line in _lines(run)] == [1, 2, 3]
    go_wrong()
    train(run, options)
    assert [line["rollout_step"] for line in _lines(run)] == [1, 2, 3, 4]
    assert [line["rollout_step"] for line in _lines(run, "validation")] == [0, 2, 4]
    assert [check.result for check in check_verl(run.folder)] == ["holds"] * 8


def test_steps_after_the_checkpoint_are_sampled_and_told_again(
    world: Any, stand_in: Any, train: Train, go_wrong: Any
) -> None:
    run = world.run(checkpoints={"every_rollout_steps": 2})
    go_wrong(exit_at=4)
    with pytest.raises(TrainingError, match=r"the newest saved is 2"):
        train(run, stand_in)
    go_wrong()
    train(run, stand_in)
    assert [line["rollout_step"] for line in _lines(run)] == [1, 2, 3, 4]
    assert len(_responses(run)) == 4


def test_a_run_that_saved_nothing_starts_anew(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    run = world.run(checkpoints={"every_rollout_steps": 4})
    go_wrong(exit_at=3)
    with pytest.raises(TrainingError, match=r"the newest saved is 0"):
        train(run, stand_in)
    go_wrong()
    train(run, stand_in)
    assert [line["rollout_step"] for line in _lines(run)] == [1, 2, 3, 4]
    assert [line["rollout_step"] for line in _lines(run, "validation")] == [0, 2, 4]


def test_a_checkpoint_that_was_never_logged_is_made_again(
    world: Any, stand_in: Any, train: Train, go_wrong: Any
) -> None:
    """verl saves, validates, and then logs: killed in between, a trained step would never be told."""
    run = world.run()
    go_wrong(unlogged_at=1)
    with pytest.raises(TrainingError, match=r"after rollout step 0; .* the newest saved is 1"):
        train(run, stand_in)
    go_wrong(unlogged_at=3)
    with pytest.raises(TrainingError, match=r"after rollout step 2; .* the newest saved is 3"):
        train(run, stand_in)
    go_wrong()
    train(run, stand_in)
    assert [line["rollout_step"] for line in _lines(run)] == [1, 2, 3, 4]
    checkpoints = {path.name for path in (run.verl_folder / "run" / "checkpoints").iterdir()}
    assert {"unlogged-global_step_1-1", "unlogged-global_step_3-1", "global_step_3", "global_step_4"} <= checkpoints


def test_what_nobody_followed_is_told_later(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    """The launch was killed, verl went on to its end."""
    run = world.run()
    train(run, stand_in)
    whole = _lines(run), _lines(run, "validation"), _responses(run)
    for name in ("metrics", "validation"):
        path = run.grpo_folder / f"{name}.jsonl"
        path.write_text(path.read_text().splitlines(keepends=True)[0])
    go_wrong(exit_at=1)  # it must not be started again
    train(run, stand_in)
    assert (_lines(run), _lines(run, "validation"), _responses(run)) == whole
    assert len(list((run.verl_folder / "run").glob("verl-*.log"))) == 1


def _wish_for_an_end(run: Any, stop: Stop) -> None:
    while not (run.grpo_folder / "metrics.jsonl").exists() or len(_lines(run)) < 2:
        time.sleep(0.02)
    stop.signal = signal.SIGINT


def test_a_wish_for_an_end_ends_verl(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    run, stop = world.run(), Stop()
    go_wrong(hang_at=3)
    wishing = threading.Thread(target=_wish_for_an_end, args=(run, stop))
    wishing.start()
    with pytest.raises(Stopped) as stopped:
        train(run, stand_in, stop=stop)
    wishing.join()
    assert "stopped by SIGINT; verl ended on the signal, rollout step 2 is saved" in str(stopped.value)
    go_wrong()
    train(run, stand_in)  # nothing of verl is left that would hold the run
    assert [line["rollout_step"] for line in _lines(run)] == [1, 2, 3, 4]


def test_an_alarm_ends_verl(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    run = world.run()
    go_wrong(lose_group_at=2, hang_at=4)
    with pytest.raises(Stopped, match=r"stopped by the alarm .* at rollout step 2: .*; verl ended on the signal"):
        train(run, stand_in, stop_on="warning")
    assert _lines(run, "health")


def test_a_verl_that_still_runs_is_not_joined_by_another(world: Any, stand_in: Any, train: Train) -> None:
    import fcntl

    run = world.run()
    with (run.folder / ".verl.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match=r"verl of an earlier launch still runs here"):
            train(run, stand_in)
    assert not run.verl_folder.exists()


def test_loss_that_is_no_number_ends_the_run(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    run = world.run()
    go_wrong(nan_at=2)
    with pytest.raises(TrainingError, match=r"at rollout step 2 loss or gradient norm is not finite"):
        train(run, stand_in)


def test_a_run_that_was_not_as_planned_is_not_exported(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    """Whatever is wrong is told at once, though verl ended with exit code 0."""
    run = world.run()
    go_wrong(lose_group_at=2, overshoot_at=3, rate_at=4, unwhole=True)
    with pytest.raises(TrainingError) as failed:
        train(run, stand_in)
    for problem in (
        "verl ended, but not as planned",
        "rollout step 2: 6 responses were rewarded, 2 were empty padding; expected 8 and none",
        "rollout step 3: a response has 9 tokens; the cap is 8",
        "rollout step 4: learning rate 0.002; expected 0.001",
        "is not whole, extra_state of rank 0 is missing",
    ):
        assert problem in str(failed.value)
    assert not run.export.exists()


def test_checkpoints_of_others_are_not_gone_on_from(world: Any, stand_in: Any, train: Train) -> None:
    run = world.run()
    (run.verl_folder / "run" / "checkpoints" / "global_step_3").mkdir(parents=True)
    with pytest.raises(TrainingError, match=r"holds global_step_3, and this run has not started the stage"):
        train(run, stand_in)


def test_a_run_goes_on_as_it_began_or_not_at_all(world: Any, stand_in: Any, train: Train, go_wrong: Any) -> None:
    run = world.run()
    go_wrong(exit_at=2)
    with pytest.raises(TrainingError, match=r"the newest saved is 1"):
        train(run, stand_in)
    with pytest.raises(TrainingError, match=r"which 1 GPUs saved; 2 are asked for, .* that make 1"):
        train(run, replace(stand_in, gpus_per_node=2))
    with pytest.raises(IdentityError, match=r"was begun with --rendering one_run, this launch has staged"):
        train(run, replace(stand_in, rendering="staged"))
    tracker = run.verl_folder / "run" / "checkpoints" / "latest_checkpointed_iteration.txt"
    tracker.write_text("9")  # with which verl would train nothing, and say that all is well
    with pytest.raises(TrainingError, match=r"is at rollout step 9, the stage ends with 4"):
        train(run, stand_in)


def test_a_damaged_tracker_is_told(world: Any, stand_in: Any, train: Train) -> None:
    run = world.run()
    tracker = run.verl_folder / "run" / "checkpoints" / "latest_checkpointed_iteration.txt"
    tracker.parent.mkdir(parents=True)
    tracker.write_text("three")
    with pytest.raises(Exception, match=r"is no rollout step"):
        train(run, stand_in)


def test_several_nodes_need_a_cluster(world: Any, stand_in: Any, train: Train) -> None:
    with pytest.raises(TrainingError, match=r"--nodes is 2; expected a Ray cluster on them. Give --ray-address, or"):
        train(world.run(), replace(stand_in, nodes=2))


SBATCH = """#!/bin/sh
case "$*" in *--parsable*) ;; *) exit 9 ;; esac
for word in "$@"; do case "$word" in --output=*) log=${word#--output=} ;; esac; done
script=; for word in "$@"; do case "$word" in -*) ;; *) script="$script $word" ;; esac; done
folder=$(dirname "$0")
echo "$@" > "$folder/asked"
( sh "${folder%/*}/root.sh" > "$log" 2>&1; echo COMPLETED > "$folder/state" ) &
echo RUNNING > "$folder/state"
echo 4242
"""


def test_slurm_runs_the_stage(
    world: Any, stand_in: Any, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for Slurm: sbatch starts run.sh at once, squeue knows nothing, sacct says how it ended."""
    tools, run = tmp_path / "tools", world.run()
    tools.mkdir()
    for name, text in {
        "sbatch": SBATCH, "squeue": "#!/bin/sh\nexit 1\n", "sacct": '#!/bin/sh\ncat "$(dirname "$0")/state"\n',
    }.items():  # fmt: skip
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    import shlex

    (tmp_path / "root.sh").write_text(f"exec sh {shlex.quote(str(run.verl_folder / 'run.sh'))} run\n")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    train(run, replace(stand_in, slurm_job=True))
    assert (tools / "asked").read_text().strip().endswith(f"{run.verl_folder / 'run.sbatch'} run")
    assert run.facts["slurm_job"] is None
    assert [line["rollout_step"] for line in _lines(run)] == [1, 2, 3, 4]
