"""Runs that are interrupted: what is saved, what a new launch makes of it, and what it refuses."""

import contextlib
import gzip
import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, TrainingError
from training.local.loop import Stopped
from training.local.stopping import Stop
from training.metrics import read_metrics
from training.rl.grpo.checkpoint import checkpoints_in
from training.rl.launch import bring_to_end

Train = Callable[..., dict[str, Any]]
CLOCK = ("wall_s", "tokens_per_s")  # all that may differ between two runs


def told(run: Any) -> dict[str, Any]:
    """Everything that a run left behind, without what a clock measured."""
    folder = run.grpo_folder
    logs = {name: read_metrics(folder / f"{name}.jsonl") for name in ("metrics", "validation", "health")}
    timeless = {name: [{k: v for k, v in line.items() if k not in CLOCK} for line in logs[name]] for name in logs}
    weights = (folder / "export" / "model.safetensors").read_bytes()
    responses = {path.name: gzip.decompress(path.read_bytes()) for path in sorted((folder / "responses").iterdir())}
    return timeless | {"weights": weights, "responses": responses}


class StopAfter(Stop):
    """A wish to stop that comes once the run has told of that many rollout steps."""

    def __init__(self, run: Any, lines: int) -> None:
        super().__init__()
        self._path, self._lines = run.grpo_folder / "metrics.jsonl", lines

    def __bool__(self) -> bool:
        if self._path.exists() and self._path.read_bytes().count(b"\n") >= self._lines:
            self.signal = signal.SIGINT
        return super().__bool__()


def test_a_stopped_run_goes_on_to_the_same_end(world: Any, train: Train) -> None:
    changes = {"rollout_steps": 7, "policy": {"kl_coefficient": 0.05}}  # so that the reference must be found again
    undisturbed, stopped = world.run("undisturbed", **changes), world.run("stopped", **changes)
    train(undisturbed)
    with pytest.raises(Stopped, match=r"stopped@1: stopped by SIGINT; rollout step 3 is saved\. Launch it again"):
        train(stopped, stop=StopAfter(stopped, 3))
    assert len(read_metrics(stopped.grpo_folder / "metrics.jsonl")) == 3
    assert checkpoints_in(stopped.checkpoints)[-1].name == "step-0000006"
    train(stopped)
    assert told(stopped) == told(undisturbed)


def test_a_run_that_is_stopped_before_it_begins_measures_its_checkpoint_once(world: Any, train: Train) -> None:
    undisturbed, stopped = world.run("undisturbed"), world.run("stopped")
    stop = Stop()
    stop.signal = signal.SIGTERM
    with pytest.raises(
        Stopped, match=r"stopped by SIGTERM; that was before the first rollout step, nothing is trained"
    ):
        train(stopped, stop=stop)
    assert [line["rollout_step"] for line in read_metrics(stopped.grpo_folder / "validation.jsonl")] == [0]
    train(stopped)
    train(undisturbed)
    assert told(stopped) == told(undisturbed)


def test_an_alarm_ends_a_run_that_asked_for_it_and_the_record_says_why(world: Any, train: Train) -> None:
    run = world.run(rollout_steps=40, validation=None)
    with pytest.raises(Stopped, match=r"stopped by an alarm: \w+ at rollout step"):
        bring_to_end(run, lambda stop: train(run, stop_on="warning", stop=stop))
    assert run.facts["state"] == "stopped"
    assert run.facts["rollout_step"] == len(read_metrics(run.grpo_folder / "metrics.jsonl"))
    alarm = read_metrics(run.grpo_folder / "health.jsonl")[-1]
    assert alarm["rule"] in run.facts["error"]
    assert checkpoints_in(run.checkpoints)[-1].name == f"step-{alarm['step']:07d}"


def test_checkpoints_are_whole_models_and_the_newest_are_kept(world: Any, train: Train) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = world.run(rollout_steps=6)
    with pytest.raises(Stopped):
        train(run, stop=StopAfter(run, 5))
    kept = checkpoints_in(run.checkpoints)
    assert len(kept) == 2
    assert sorted(path.name for path in kept[-1].iterdir()) == [
        "config.json", "generation_config.json", "model.safetensors", "optimizer.safetensors", "state.json",
        "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    assert AutoModelForCausalLM.from_pretrained(kept[-1], local_files_only=True).num_parameters() > 60_000
    assert AutoTokenizer.from_pretrained(kept[-1], local_files_only=True)("1+1=")["input_ids"]
    assert not [path for path in run.grpo_folder.rglob("*") if path.suffix in (".pt", ".pth", ".bin", ".pkl")]


def test_half_a_checkpoint_is_never_gone_on_from(world: Any, train: Train) -> None:
    undisturbed, run = world.run("undisturbed", rollout_steps=6), world.run(rollout_steps=6)
    train(undisturbed)
    with pytest.raises(Stopped):
        train(run, stop=StopAfter(run, 2))
    unfinished = run.checkpoints / ".step-0000014.building"
    unfinished.mkdir()
    (unfinished / "state.json").write_text("{}")
    train(run)
    assert told(run)["weights"] == told(undisturbed)["weights"]
    assert not unfinished.exists()


def test_a_run_whose_steps_are_trained_says_so_and_exports(
    world: Any, train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    run = world.run()
    facts = train(run)
    before = told(run)
    (run.export / "model.safetensors").unlink()
    assert train(run) == facts
    assert "tiny@1: all 4 rollout steps are trained already; only the export is left" in capsys.readouterr().err
    assert told(run) == before


def test_a_finished_run_is_left_alone_with_a_word(world: Any, train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    run = world.run()
    bring_to_end(run, lambda stop: train(run, stop=stop))
    assert run.facts["state"] == "done"
    assert run.facts["rollout_step"] == 4
    bring_to_end(run, lambda stop: pytest.fail("trained again"))
    assert "tiny@1: finished already, 4 rollout steps; nothing to do" in capsys.readouterr().err


def test_a_run_that_another_process_trains_is_refused(world: Any) -> None:
    run = world.run()
    with run.held(), pytest.raises(TrainingError, match="is being trained by another process"):
        bring_to_end(run, lambda stop: pytest.fail("trained twice"))


def test_a_checkpoint_of_another_recipe_is_refused(world: Any, train: Train) -> None:
    run = world.run()
    train(run)
    _edit_state(run, fingerprint="sha256:other")
    with pytest.raises(TrainingError, match=r"was saved by another recipe \(tiny@1\); expected tiny@1\. Remove"):
        train(run)


def test_a_state_that_is_none_is_refused(world: Any, train: Train) -> None:
    run = world.run()
    train(run)
    _edit_state(run, surprise=1)
    with pytest.raises(InputError, match=r"state\.json: is not the state of a checkpoint"):
        train(run)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors"])
def test_a_broken_checkpoint_is_refused_by_name(world: Any, train: Train, name: str) -> None:
    run = world.run()
    train(run)
    newest = checkpoints_in(run.checkpoints)[-1]
    (newest / name).write_bytes(b"broken")
    with pytest.raises(InputError, match=newest.name):
        train(run)


def _edit_state(run: Any, **facts: Any) -> None:
    path = checkpoints_in(run.checkpoints)[-1] / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.slow  # each of its processes imports torch and TRL
def test_a_killed_run_goes_on_to_the_same_end(world: Any, train: Train) -> None:
    undisturbed, killed = world.run("undisturbed", rollout_steps=30), world.run("killed", rollout_steps=30)
    train(undisturbed)
    moments = random.Random(os.getpid())
    for lines in (2, 9, 17):
        assert _end_once(world.folder, killed, lines, moments.uniform(0, 0.3), signal.SIGKILL) == -signal.SIGKILL
    assert killed.facts["state"] == "running"  # it could not say more
    assert _end_once(world.folder, killed, 23, 0, signal.SIGTERM) == 0
    assert killed.facts["state"] == "stopped"
    assert "stopped by SIGTERM; rollout step" in killed.facts["error"]
    train(killed)
    assert told(killed) == told(undisturbed)


def _end_once(folder: Path, run: Any, lines: int, later_s: float, how: signal.Signals) -> int | None:
    """Launches the run in a process, which gets a signal `later_s` after it told of that many rollout steps."""
    process = multiprocessing.get_context("spawn").Process(target=_launch, args=(str(folder),))
    process.start()
    path = run.grpo_folder / "metrics.jsonl"
    while process.is_alive() and (not path.exists() or path.read_bytes().count(b"\n") < lines):
        time.sleep(0.005)
    time.sleep(later_s)
    if process.pid is not None:
        os.kill(process.pid, how)
    process.join()
    return process.exitcode


def _launch(folder: str) -> None:
    import torch

    from manifests.layout import DataFolder
    from manifests.load import load_manifest
    from training.rl.launch import launch_locally

    torch.set_num_threads(1)
    with contextlib.suppress(Stopped):
        launch_locally(
            load_manifest(Path(folder) / "killed.yaml", "rl"), DataFolder(Path(folder) / "data"), "cpu", None, False
        )
