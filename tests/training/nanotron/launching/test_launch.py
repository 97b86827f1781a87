"""Launching a plan over a stand-in for nanotron: real processes, real signals, real files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from manifests.errors import IdentityError, NotFound, TrainingError
from training.metrics import read_metrics
from training.nanotron.launch_plan import read_launch_plan
from training.nanotron.restart import can_resume
from training.run_record import is_held
from training.status import COLUMNS, status_rows


def test_a_plan_is_trained_phase_by_phase(planned):
    assert planned.launch() == "tiny@1"
    record = json.loads((planned.run / "run.json").read_text())
    assert (record["backend"], record["dialect"]) == ("nanotron", "nanoset")
    assert {name: facts["state"] for name, facts in record["phases"].items()} == {"stable": "done", "short": "done"}
    assert record["phases"]["short"]["parent"] == "tiny@1/stable step 12"
    assert planned.steps("stable") == list(range(1, 13))
    assert planned.steps("short") == list(range(1, 7))


def test_metrics_say_the_rate_a_step_used_and_exact_tokens(finished):
    lines = read_metrics(finished.run / "short" / "metrics.jsonl")
    assert [line["learning_rate"] for line in lines] == [None, 1.64e-05, 1.28e-05, 9.2e-06, 5.6e-06, 2e-06]
    assert [line["tokens"] for line in lines] == [128, 256, 384, 512, 640, 768]
    assert lines[0]["loss"] == 4.9


def test_status_and_the_metrics_view_show_the_run(planned):
    from manifests.catalog import reader

    planned.launch()
    rows = status_rows(planned.data, "tiny@1")
    shown = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    assert [(row["phase"], row["state"], row["step"], row["tokens"]) for row in shown] == [
        ("stable", "done", 12, 1536),
        ("short", "done", 6, 768),
    ]
    with reader(planned.data) as connection:
        found = connection.execute(
            "SELECT phase, count(*), max(tokens) FROM metrics GROUP BY ALL ORDER BY 1"
        ).fetchall()
    assert found == [("short", 6, 768), ("stable", 12, 1536)]


def test_finished_phases_are_not_trained_again(finished):
    finished.misbehave(stable={"crash_at": 1}, short={"crash_at": 1})
    finished.launch()


def test_an_unknown_phase_is_named(planned):
    with pytest.raises(NotFound, match="no phase 'long'; phases of its plan: stable, short"):
        planned.launch("long")


def test_a_crash_is_explained_and_the_branch_is_not_started(planned):
    planned.misbehave(stable={"crash_at": 8})
    with pytest.raises(TrainingError) as caught:
        planned.launch()
    text = str(caught.value)
    assert "tiny@1 phase stable: nanotron ended with exit code 1 at step 7; expected it to end after step 12" in text
    assert "Step 5 is saved. Mend the cause and launch again: it goes on from there." in text
    assert "  | RuntimeError: CUDA out of memory at step 8" in text
    assert planned.phases()["stable"]["state"] == "failed"
    assert "short" not in planned.phases()


def test_the_stable_phase_goes_on_from_its_own_checkpoint(planned):
    planned.misbehave(stable={"crash_at": 8})
    with pytest.raises(TrainingError):
        planned.launch()
    planned.misbehave()
    planned.launch()
    assert planned.steps("stable") == list(range(1, 13))
    resumed = (planned.folder / "stable-resume-5.yaml").read_text()
    assert f"resume_checkpoint_path: {planned.checkpoints('stable')}" in resumed
    assert "load_lr_scheduler: true" in resumed
    assert "iteration: 6 / 12" in (planned.run / "stable/nanotron-002.log").read_text()
    assert "iteration: 5 / 12" not in (planned.run / "stable/nanotron-002.log").read_text()


def test_a_branch_is_never_resumed_but_started_again(planned):
    planned.misbehave(short={"crash_at": 6})
    with pytest.raises(TrainingError, match="the branch starts again from the end of stable"):
        planned.launch()
    planned.misbehave()
    planned.launch()
    assert "iteration: 1 / 6" in (planned.run / "short/nanotron-002.log").read_text()
    assert planned.steps("short") == [1, 2, 3, 4, 5, 6]
    assert (planned.run / "short/nanotron.aside-1/5/checkpoint_metadata.json").is_file()


@pytest.mark.parametrize(("saved", "expected"), [(0, False), (1, True), (5, True), (12, False)])
def test_a_constant_stable_phase_may_be_resumed_anywhere(planned, saved, expected):
    stable, short = read_launch_plan(planned.folder).launches
    assert can_resume(stable, [2e-5] * 12, saved) is expected
    assert not can_resume(short, [2e-5] * 6, min(saved, 5))


def test_a_warm_up_or_decay_is_not_resumed(planned):
    stable = read_launch_plan(planned.folder).launches[0]
    rates = [0.0, 1.0, 2.0, *[2.0] * 6, 1.5, 1.0, 0.5]
    assert not any(can_resume(stable, rates, saved) for saved in range(13))
    warmed = [0.0, 1.0, 2.0, *[2.0] * 9]
    assert [saved for saved in range(13) if can_resume(stable, warmed, saved)] == list(range(3, 12))


def test_exit_code_zero_before_the_last_step_is_a_failure(planned):
    planned.misbehave(stable={"stop_at": 9})
    with pytest.raises(TrainingError, match="nanotron ended at step 9; expected it to end after step 12"):
        planned.launch()


def test_a_missing_last_checkpoint_is_a_failure(planned):
    planned.misbehave(stable={"no_final": True})
    with pytest.raises(TrainingError, match="with a checkpoint. Step 10 is saved"):
        planned.launch()


def test_a_killed_trainer_is_named(planned):
    planned.misbehave(stable={"hang_at": 3, "child": str(planned.folder / "child")})
    started = _launch_elsewhere(planned)
    _wait_for(lambda: _has_step(planned, 3))
    group = os.getpgid(int((planned.folder / "child").read_text()))
    os.kill(group, signal.SIGKILL)
    _, told = started.communicate(timeout=30)
    assert "was killed by SIGKILL, most likely for want of memory" in told
    assert not _lives(int((planned.folder / "child").read_text()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_whole_group(planned, number):
    planned.misbehave(stable={"hang_at": 7, "child": str(planned.folder / "child")})
    started = _launch_elsewhere(planned)
    _wait_for(lambda: _has_step(planned, 7))
    assert is_held(planned.run, "stable")
    started.send_signal(number)
    _, told = started.communicate(timeout=30)
    assert f"stopped by {number.name} at step 7; nanotron ended on the signal" in told
    assert planned.phases()["stable"]["state"] == "stopped"
    assert not _lives(int((planned.folder / "child").read_text()))


def test_a_trainer_that_ignores_signals_is_killed(planned):
    planned.misbehave(stable={"hang_at": 2, "ignore_signals": True})
    started = _launch_elsewhere(planned)
    _wait_for(lambda: _has_step(planned, 2))
    started.send_signal(signal.SIGTERM)
    _, told = started.communicate(timeout=30)
    assert "did not end within 0.5 s and was killed" in told


def test_a_trainer_that_outlived_its_launch_is_not_doubled(planned):
    planned.misbehave(stable={"hang_at": 2, "child": str(planned.folder / "child")})
    started = _launch_elsewhere(planned)
    _wait_for(lambda: _has_step(planned, 2))
    started.kill()
    started.communicate(timeout=30)
    group = os.getpgid(int((planned.folder / "child").read_text()))
    try:
        with pytest.raises(TrainingError, match="nanotron of an earlier launch still runs here"):
            planned.launch()
    finally:
        os.killpg(group, signal.SIGKILL)


def test_a_loss_that_is_not_finite_ends_the_trainer(planned):
    planned.misbehave(stable={"nan_at": 4, "hang_at": 6})
    with pytest.raises(TrainingError, match="at step 4 the loss is nan"):
        planned.launch()
    assert read_metrics(planned.run / "stable/metrics.jsonl")[-1]["loss"] is None


def test_a_wrong_rate_fails_the_phase(planned):
    planned.misbehave(stable={"rate_factor": 0.5})
    with pytest.raises(TrainingError, match="learning rate: wrong: step 2 uses 1e-05, planned is 2e-05"):
        planned.launch()
    assert "short" not in planned.phases()


def test_garbage_and_other_ranks_do_not_disturb(planned):
    planned.misbehave(stable={"garbage": True, "ranks": 3}, short={"garbage": True})
    planned.launch()
    assert planned.steps("stable") == list(range(1, 13))


def test_a_command_that_cannot_start_is_explained(planned):
    launches = read_launch_plan(planned.folder).launches
    launches[0].command[0] = str(planned.folder / "python-that-is-not-there")
    planned.change(launches=launches)
    with pytest.raises(TrainingError, match="python-that-is-not-there: cannot be started"):
        planned.launch()


def test_another_recipe_under_the_same_name_is_refused(finished):
    launches = read_launch_plan(finished.folder).launches
    finished.change(launches=[_with(launches[0], order_digest="sha256:" + "1" * 64), launches[1]])
    with pytest.raises(IdentityError, match="phase stable was started from another recipe"):
        finished.launch()
    finished.change(dialect="head")
    with pytest.raises(IdentityError, match="launched before with dialect nanoset, this plan has head"):
        finished.launch()


def test_a_changed_configuration_is_refused(planned):
    path = planned.folder / "stable.yaml"
    path.write_text(path.read_text().replace("learning_rate: 2.0e-05", "learning_rate: 3.0e-05"))
    with pytest.raises(TrainingError, match="other learning rates .* than the plan"):
        planned.launch()


def test_foreign_checkpoints_are_refused(planned):
    (planned.checkpoints("stable") / "5").mkdir(parents=True)
    with pytest.raises(TrainingError, match="holds checkpoints, and this run has not started the phase"):
        planned.launch()


def test_a_branch_waits_for_the_end_of_the_stable_phase(planned):
    planned.launch("stable")
    (planned.checkpoints("stable") / "12/model_config.json").unlink()
    with pytest.raises(TrainingError, match="which is not a finished checkpoint; expected the end of phase stable"):
        planned.launch()


def test_a_slurm_job_is_submitted_and_followed(planned, slurm):
    planned.launch(slurm=True)
    asked = (slurm / "asked").read_text().splitlines()
    assert len(asked) == 2 and asked[0].startswith("--parsable --output=") and asked[0].endswith("run.sbatch stable")
    assert planned.steps("short") == [1, 2, 3, 4, 5, 6]
    assert planned.phases()["short"]["state"] == "done"


def test_a_slurm_job_that_ends_early_is_a_failure_and_is_resumed(planned, slurm):
    planned.misbehave(stable={"crash_at": 8})
    with pytest.raises(TrainingError, match="nanotron Slurm job 41 ended as FAILED at step 7"):
        planned.launch(slurm=True)
    planned.misbehave()
    planned.launch(slurm=True)
    assert (slurm / "asked").read_text().splitlines()[1].endswith("run.sbatch stable-resume-5")
    assert planned.steps("stable") == list(range(1, 13))


def test_a_slurm_job_that_says_it_completed_must_have_reached_its_last_step(planned, slurm):
    planned.misbehave(stable={"stop_at": 9})
    with pytest.raises(TrainingError, match="nanotron ended at step 9"):
        planned.launch(slurm=True)


@pytest.mark.usefixtures("slurm")
def test_a_refused_job_is_explained(planned, monkeypatch):
    monkeypatch.setenv("SLURM_REFUSES", "1")
    with pytest.raises(TrainingError, match="Slurm did not take the job: 'sbatch: error: invalid partition'"):
        planned.launch(slurm=True)


def test_a_slurm_job_goes_on_without_us_and_is_followed_again(planned, slurm):
    planned.misbehave(stable={"hang_at": 7})
    started = _launch_elsewhere(planned, slurm=True)
    _wait_for(lambda: _has_step(planned, 7))
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=30)
    assert "Slurm job 41 goes on; `scancel 41` ends it" in told
    assert planned.phases()["stable"]["state"] == "stopped"
    os.kill(int((slurm / "pid").read_text()), signal.SIGKILL)
    _wait_for(lambda: (slurm / "state").read_text() == "FAILED\n")
    (slurm / "state").write_text("NODE_FAIL\n")
    with pytest.raises(TrainingError, match="Slurm job 41 ended as NODE_FAIL at step 7"):
        planned.launch(slurm=True)
    assert len((slurm / "asked").read_text().splitlines()) == 1


LAUNCH = """
import sys
from pathlib import Path
from manifests.errors import OctoError
from manifests.layout import DataFolder
from training.jobs.job import Patience
from training.nanotron.launch import launch_with_nanotron
try:
    data, slurm = DataFolder(Path(sys.argv[2])), sys.argv[3] == "True"
    launch_with_nanotron(Path(sys.argv[1]), data, [], slurm, Patience(0.02, 0.5, 0.05))
except OctoError as error:
    sys.exit(str(error))
"""


def _launch_elsewhere(planned, slurm: bool = False) -> subprocess.Popen[str]:
    """A launch in a process of its own, which signals can be sent to."""
    command = [sys.executable, "-c", LAUNCH, str(planned.folder), str(planned.data.root), str(slurm)]
    root = Path(__file__).parents[4]
    return subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def _wait_for(happened) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def _has_step(planned, step: int) -> bool:
    path = planned.run / "stable" / "metrics.jsonl"
    return path.exists() and any(line["step"] == step for line in read_metrics(path))


def _lives(pid: int) -> bool:
    """Whether the process runs; a zombie that waits for its parent does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def _with(launch, **changes):
    from dataclasses import replace

    return replace(launch, **changes)
