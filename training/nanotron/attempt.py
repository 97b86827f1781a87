"""One attempt at a phase: from where it may go on, with which command, and whether it ended well."""

from pathlib import Path
from typing import Any

from manifests.errors import TrainingError
from manifests.terminal import say
from training.jobs.job import Job
from training.jobs.process import ProcessGroup
from training.jobs.slurm import SlurmJob, submit
from training.local.stopping import Stop
from training.nanotron.checkpoints import checkpoint_folders, newest_complete
from training.nanotron.follow import Attempt, Watch, follow
from training.nanotron.launch_plan import Launch
from training.nanotron.restart import advice, can_resume, resumed_command, set_aside, write_resumed_config
from training.nanotron.run import Run
from training.run_record import update_phase

SLURM = "sbatch"


def attempt_launch(run: Run, launch: Launch, rates: list[float], facts: dict[str, Any], stop: Stop) -> None:
    """Starts nanotron, or follows again the Slurm job that we left, until it has ended well."""
    if job := facts.get("slurm_job"):
        attempt = Attempt(launch, run.folder, Path(facts["log"]), facts["after_step"])
        say(f"{launch.phase}: follows Slurm job {job} again")
        started: Job = SlurmJob(job, run.patience)
    else:
        saved = _saved_step(run, launch, facts)
        if saved == launch.expected_last_step:
            return  # it had ended well, while nobody looked
        attempt, command = _prepare(run, launch, rates, saved)
        started = _start(run, attempt, command)
    watch = Watch(attempt)
    try:
        follow(started, watch, stop, run.patience.poll_s)
    finally:
        if not isinstance(started, SlurmJob) or not started.is_running():
            update_phase(run.folder, launch.phase, slurm_job=None)
    _require_good_end(run, launch, rates, started, watch)


def _saved_step(run: Run, launch: Launch, facts: dict[str, Any]) -> int:
    """The newest whole checkpoint of an earlier attempt, 0 if there is none; what another run left is refused."""
    folder = Path(launch.checkpoints_path)
    if not facts.get("log") and checkpoint_folders(folder):
        raise TrainingError(
            f"{run.plan.identity} phase {launch.phase}: {folder} holds checkpoints, and this run has not started the "
            "phase. Move them away, or plan with another folder."
        )
    newest = newest_complete(folder)
    return newest.step if newest else 0


def _prepare(run: Run, launch: Launch, rates: list[float], saved: int) -> tuple[Attempt, list[str]]:
    """The next attempt and its command: goes on after `saved` where that is allowed, else from the beginning."""
    folder = run.folder / launch.phase
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + len(list(folder.glob("nanotron-*.log")))
    log = folder / f"nanotron-{number:03d}.log"
    command = [SLURM, str(run.plan_folder / "run.sbatch"), launch.phase] if run.slurm else launch.command
    if can_resume(launch, rates, saved):
        config = run.plan_folder / f"{launch.phase}-resume-{saved}.yaml"
        command = resumed_command(launch, command, config)
        write_resumed_config(launch, run.plan_folder / launch.config, config)
        say(f"{launch.phase}: goes on after step {saved:,} of {launch.steps:,}")
        return Attempt(launch, run.folder, log, saved), command
    if aside := set_aside(Path(launch.checkpoints_path)):
        say(f"{launch.phase}: starts from its beginning; its earlier checkpoints are now in {aside}")
    return Attempt(launch, run.folder, log, 0), command


def _start(run: Run, attempt: Attempt, command: list[str]) -> Job:
    launch = attempt.launch
    attempt.log.touch()
    begun: dict[str, Any] = {"log": str(attempt.log), "after_step": attempt.after_step}
    if Path(command[0]).name == SLURM:
        job = submit(command, launch.env, run.plan_folder, attempt.log, run.patience)
        update_phase(
            run.folder, launch.phase, log=str(attempt.log), after_step=attempt.after_step, slurm_job=job.number
        )
        say(f"{launch.phase}: Slurm job {job.number}, log {attempt.log}")
        return job
    update_phase(run.folder, launch.phase, **begun)
    lock = run.folder / f".{launch.phase}.nanotron.lock"
    say(f"{launch.phase}: log {attempt.log}")
    return ProcessGroup("nanotron", command, launch.env, run.plan_folder, attempt.log, lock, run.patience)


def _require_good_end(run: Run, launch: Launch, rates: list[float], job: Job, watch: Watch) -> None:
    """Raises TrainingError if the job failed or did not reach its last step, with the end of the log."""
    newest = newest_complete(Path(launch.checkpoints_path))
    saved = newest.step if newest else 0
    failed = job.ending()
    if not failed and saved == launch.expected_last_step:
        return
    told = "\n".join(f"  | {line}" for line in watch.reader.tail) or "  | (nothing)"
    raise TrainingError(
        f"{watch.attempt.where}: nanotron {failed or 'ended'} at step {watch.step:,}; expected it to end after step "
        f"{launch.expected_last_step:,}, with a checkpoint. {advice(launch, rates, saved)}\n"
        f"The end of {watch.attempt.log}:\n{told}"
    )
