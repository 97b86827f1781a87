"""An engine as a Slurm job: handed over by sbatch, known by its number, asked for by squeue and sacct."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import TrainingError
from training.jobs.job import Patience

SLURM_LAG_S = 60.0  # chosen here: how long Slurm may know nothing of a job it has just accepted
SLURM_TIMEOUT_S = 60.0
SLURM_LIVE = frozenset({"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED", "RESIZING", "SUSPENDED",
                        "SIGNALING", "STAGE_OUT", "STOPPED", "REQUEUE_HOLD", "REQUEUE_FED"})  # fmt: skip


@dataclass(frozen=True)
class Slurm:
    """What run.sbatch asks Slurm for; None leaves a line out."""

    partition: str | None = None
    account: str | None = None
    time: str | None = None


class SlurmJob:
    """A job that Slurm knows by its number."""

    def __init__(self, number: str, patience: Patience) -> None:
        self.number, self._poll_s = number, patience.slurm_poll_s
        self._state = ""
        self._asked_at = 0.0
        self._submitted_at = time.monotonic()

    def is_running(self) -> bool:
        """Whether Slurm says so; asked at most every few seconds."""
        now = time.monotonic()
        if not self._state or now - self._asked_at >= self._poll_s:
            self._asked_at, self._state = now, slurm_state(self.number) or self._unknown()
        return self._state in SLURM_LIVE

    def stop(self, number: signal.Signals) -> str:
        """Leaves the job alone: whoever closes a laptop does not mean to end a cluster's work."""
        return f"Slurm job {self.number} goes on; `scancel {self.number}` ends it"

    def kill(self) -> None:
        """Cancels the job."""
        _ask(["scancel", self.number])

    def abandon(self) -> None:
        """It goes on; a new launch follows it again."""

    def ending(self) -> str | None:
        """Slurm's word for it, None for COMPLETED."""
        return None if self._state == "COMPLETED" else f"Slurm job {self.number} ended as {self._state}"

    def _unknown(self) -> str:
        return "PENDING" if time.monotonic() - self._submitted_at < SLURM_LAG_S else "UNKNOWN"


def submit(command: Sequence[str], env: Mapping[str, str], folder: Path, log: Path, patience: Patience) -> SlurmJob:
    """Hands a batch script to Slurm, its output into `log`. Raises TrainingError if Slurm does not take it."""
    rest = [part for part in command[1:] if part not in ("--wait", "-W", "--parsable")]
    asked = [command[0], "--parsable", f"--output={log}", f"--error={log}", "--open-mode=append", *rest]
    if shutil.which(command[0]) is None:
        raise TrainingError(f"{command[0]}: is not on the PATH; expected a Slurm login node.")
    answered = subprocess.run(
        asked, env={**os.environ, **env}, cwd=folder, capture_output=True, text=True, check=False,
        timeout=SLURM_TIMEOUT_S,
    )  # fmt: skip
    number = answered.stdout.strip().split(";")[0]  # `--parsable` prints JOB or JOB;CLUSTER
    if answered.returncode or not number.isdigit():
        said = (answered.stderr or answered.stdout).strip()[:500]
        raise TrainingError(f"{command[0]}: Slurm did not take the job: {said!r}. Mend the options and launch again.")
    return SlurmJob(number, patience)


def slurm_state(number: str) -> str:
    """The state of a job in Slurm's words, empty if Slurm does not know it (yet).

    `squeue` knows what lives, `sacct` what has ended; either may be missing on a machine.
    """
    for command in (
        ["squeue", "-h", "-j", number, "-o", "%T"],
        ["sacct", "-j", number, "-X", "-n", "-P", "-o", "State"],
    ):
        if words := _ask(command).split():
            return words[0]
    return ""


def _ask(command: list[str]) -> str:
    """What a Slurm command prints; empty if it is missing, fails or hangs, since it will be asked again."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SLURM_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def batch_header(name: str, nodes: int, gpus_per_node: int, slurm: Slurm) -> str:
    """The head of a batch script that asks for whole nodes, one task on each."""
    asked = {
        "job-name": name,
        "nodes": nodes,
        "ntasks-per-node": 1,
        "gpus-per-node": gpus_per_node,
        "partition": slurm.partition,
        "account": slurm.account,
        "time": slurm.time,
    }
    lines = [f"#SBATCH --{key}={value}\n" for key, value in asked.items() if value is not None]
    return "#!/bin/sh\n" + "".join(lines) + "#SBATCH --exclusive\n"
