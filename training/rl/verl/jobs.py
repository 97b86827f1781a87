"""How a stage is started, and what the launch may ask of it: processes here, or a Slurm job."""

import signal
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import TrainingError
from manifests.terminal import say
from training.jobs.job import Job, Patience
from training.jobs.process import ProcessGroup
from training.jobs.slurm import SlurmJob, submit
from training.rl.run import RlRun
from training.rl.verl.given import Given
from training.rl.verl.scripts import command
from training.rl.verl.stages import Stage


@dataclass(frozen=True)
class Started:
    """A stage that was started, with the file that holds what it prints."""

    job: Job
    log: Path

    def end(self, number: signal.Signals | None) -> str:
        """Ends verl for the signal that we got, or, without one, for an alarm; returns what became of it, in words.

        A signal leaves a Slurm job alone: whoever closes a laptop does not mean to end a cluster's work.
        """
        if number is None and isinstance(self.job, SlurmJob):
            self.job.kill()
            return f"Slurm job {self.job.number} was cancelled"
        return self.job.stop(number or signal.SIGTERM)


def start_job(run: RlRun, given: Given, stage: Stage, patience: Patience) -> Started:
    """Starts a stage. Raises TrainingError where verl still runs from before, or cannot be started from here."""
    if given.options.nodes > 1 and not (given.options.ray_address or given.options.slurm_job):
        script = given.folder / "run.sbatch"
        raise TrainingError(
            f"{run.identity}: --nodes is {given.options.nodes}; expected a Ray cluster on them. Give --ray-address, or "
            f"--slurm, which submits {script}."
        )
    log = _new_log(stage)
    say(f"{run.identity}, {stage.name}: verl's log is {log}")
    if given.options.slurm_job:
        return _submit(run, given, stage, log, patience)
    return Started(ProcessGroup("verl", command(given, stage), {}, given.folder, log, lock_of(run), patience), log)


def running_job(run: RlRun, stage: Stage, patience: Patience) -> Started | None:
    """The Slurm job of the stage that an earlier launch left."""
    left = run.facts.get("slurm_job")
    if not left or left["stage"] != stage.name:
        return None
    say(f"{run.identity}, {stage.name}: follows Slurm job {left['number']} again")
    return Started(SlurmJob(left["number"], patience), Path(left["log"]))


def forget_ended(run: RlRun, started: Started) -> None:
    """Takes a Slurm job that has ended out of the record."""
    if isinstance(started.job, SlurmJob) and not started.job.is_running():
        run.publish(slurm_job=None)


def lock_of(run: RlRun) -> Path:
    """What a running verl holds."""
    return run.folder / ".verl.lock"


def _submit(run: RlRun, given: Given, stage: Stage, log: Path, patience: Patience) -> Started:
    log.touch()
    job = submit(["sbatch", str(given.folder / "run.sbatch"), stage.name], {}, given.folder, log, patience)
    run.publish(slurm_job={"number": job.number, "stage": stage.name, "log": str(log)})
    say(f"{run.identity}, {stage.name}: Slurm job {job.number}")
    return Started(job, log)


def _new_log(stage: Stage) -> Path:
    return next(path for number in range(1, 10_000) if not (path := stage.log(number)).exists())
