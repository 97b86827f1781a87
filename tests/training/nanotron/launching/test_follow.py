"""Following a log while it grows: what reaches metrics.jsonl, and when."""

import json
from pathlib import Path

import pytest

from manifests.errors import TrainingError
from training.jobs.job import Patience
from training.jobs.process import ProcessGroup
from training.local.stopping import Stop
from training.nanotron.follow import Attempt, Watch, follow, metrics_line
from training.nanotron.launch_plan import read_launch_plan
from training.nanotron.log import Iteration
from training.run_record import update_run

PATIENCE = Patience(poll_s=0.01, grace_s=0.5)


@pytest.fixture
def attempt(planned) -> Attempt:
    """The first attempt at the stable phase, of which nothing is logged."""
    launch = read_launch_plan(planned.folder).launches[0]
    log = planned.run / "stable" / "nanotron-001.log"
    log.parent.mkdir(parents=True)
    update_run(planned.run, identity="tiny@1")
    return Attempt(launch, planned.run, log, 0)


def add(attempt: Attempt, *steps: int, ending: str = "\n") -> None:
    with attempt.log.open("a") as file:
        for step in steps:
            file.write(
                f"[INFO]: iteration: {step} / 12 | consumed_tokens: {step * 128} | tokens_per_sec: 1K | "
                f"lm_loss: {5 - step / 10:.3g} | lr: 2e-05{ending}"
            )


def steps(attempt: Attempt) -> list[int]:
    path = attempt.run_folder / "stable" / "metrics.jsonl"
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def test_every_look_reads_what_is_new(attempt):
    watch = Watch(attempt)
    assert not watch.advance()  # no log yet
    add(attempt, 1, 2)
    assert watch.advance() and steps(attempt) == [1, 2]
    add(attempt, 3, ending="")
    watch.advance()
    assert steps(attempt) == [1, 2]
    add(attempt, ending="")
    watch.finish()
    assert (steps(attempt), watch.step) == ([1, 2, 3], 3)
    watch.close()


def test_a_restart_replaces_what_it_does_again(attempt):
    watch = Watch(attempt)
    add(attempt, 1, 2, 3, 4, 3, 4, 5)
    watch.advance()
    watch.close()
    assert steps(attempt) == [1, 2, 3, 4, 5]


def test_a_resumed_attempt_keeps_the_steps_before_it(attempt):
    watch = Watch(attempt)
    add(attempt, 1, 2, 3, 4)
    watch.advance()
    watch.close()
    attempt.log.unlink()
    resumed = Attempt(attempt.launch, attempt.run_folder, attempt.log, 2)
    watch = Watch(resumed)
    assert watch.step == 2
    add(resumed, 3, 4, 5)
    watch.advance()
    watch.close()
    assert steps(resumed) == [1, 2, 3, 4, 5]


def test_a_new_checkpoint_is_recorded_and_a_torn_latest_is_not(attempt):
    watch, latest = Watch(attempt), Path(attempt.launch.checkpoints_path) / "latest.txt"
    latest.parent.mkdir(parents=True)
    for text, expected in (("", None), ("5", 5), ("", 5), ("10", 10)):
        latest.write_text(text)
        watch.advance()
        facts = json.loads((attempt.run_folder / "run.json").read_text())["phases"].get("stable", {})
        assert facts.get("saved_step") == expected
    watch.close()


def test_a_line_of_metrics_says_only_what_the_log_says():
    first = Iteration(6, 12, 4.4, 1.5e-05, 768.0, 1000.0, 8.0, None)
    second = Iteration(7, 12, 4.3, 1.2e-05, 999.0, float("inf"), 8.0, 0.5)
    assert metrics_line(first, None, 128) == {
        "step": 6, "loss": 4.4, "learning_rate": None, "next_learning_rate": 1.5e-05, "grad_norm": None,
        "tokens": 768, "tokens_per_s": 1000.0,
    }  # fmt: skip
    line = metrics_line(second, first, 128)
    assert (line["learning_rate"], line["tokens"], line["tokens_per_s"]) == (1.5e-05, 999, None)
    assert metrics_line(Iteration(9, 12, 4.0, 1e-5, 1152.0, 1.0, 8.0, 1.0), second, 128)["learning_rate"] is None


def test_what_is_written_just_before_the_end_is_read(attempt):
    add(attempt, 1)
    text = attempt.log.read_text()
    attempt.log.unlink()
    job = ProcessGroup(
        "nanotron",
        ["/bin/echo", text.strip()],
        {},
        attempt.run_folder,
        attempt.log,
        attempt.run_folder / ".lock",
        PATIENCE,
    )
    watch = Watch(attempt)
    follow(job, watch, Stop(), 0.01)
    assert steps(attempt) == [1] and job.ending() is None


def test_a_full_disk_or_another_surprise_ends_the_trainer(attempt):
    job = ProcessGroup(
        "nanotron", ["/bin/sleep", "600"], {}, attempt.run_folder, attempt.log, attempt.run_folder / ".lock", PATIENCE
    )
    watch = Watch(attempt)
    watch.close()  # the next line cannot be written any more
    add(attempt, 1)
    with pytest.raises(ValueError, match="closed file"):
        follow(job, watch, Stop(), 0.01)
    assert not job.is_running()
    assert job.ending() == "was killed by SIGKILL, most likely for want of memory"


def test_a_second_trainer_is_not_started_beside_the_first(attempt):
    lock = attempt.run_folder / ".lock"
    first = ProcessGroup("nanotron", ["/bin/sleep", "600"], {}, attempt.run_folder, attempt.log, lock, PATIENCE)
    with pytest.raises(TrainingError, match="still runs here"):
        ProcessGroup("nanotron", ["/bin/true"], {}, attempt.run_folder, attempt.log, lock, PATIENCE)
    first.kill()
    second = ProcessGroup("nanotron", ["/bin/false"], {}, attempt.run_folder, attempt.log, lock, PATIENCE)
    assert second.ending() == "ended with exit code 1"
