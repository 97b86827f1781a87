"""Which datatrove executor runs a block: local processes, Ray, or Slurm. Machine facts, never part of a fingerprint."""

import contextlib
import copy
import functools
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Literal, TextIO

from datatrove.executor.base import PipelineExecutor
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep

from manifests.errors import BuildError, MissingExtra, OctoError
from manifests.records import explain_os_error

POLL_S = 5.0
SLURM_FAILURES = frozenset({"BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"})


@dataclass(frozen=True)
class Machine:
    """Where and how widely to run."""

    executor: Literal["local", "ray", "slurm"] = "local"
    tasks: int = 1
    workers: int = 1
    slurm_partition: str = ""
    slurm_time: str = "12:00:00"


class OneMachineExecutor(LocalPipelineExecutor):
    """datatrove's local executor with another pool: when a worker dies, the build ends instead of waiting for ever.

    datatrove's own pool loses the task of a worker that the system killed (out of memory) and never returns. The
    console log is dropped, since stderr carries our progress; the log files keep everything.
    """

    def run(self) -> None:
        """Runs the tasks that are not complete, in this process if there is but one worker."""
        ranks = self.get_incomplete_ranks(range(self.tasks))
        if self.workers == 1:
            pristine = self.pipeline  # type: ignore[has-type]  # datatrove sets it in an untyped base
            for rank in ranks:
                self.pipeline = copy.deepcopy(pristine)
                self._run_for_rank(rank)
        else:
            self._run_in_workers(ranks)

    def _run_in_workers(self, ranks: list[int]) -> None:
        with _stderr_into(Path(self.logging_dir.path) / "workers.log"):
            forkserver.ensure_running()
        context = multiprocessing.get_context("forkserver")
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_leave_ctrl_c_to_parent)
        try:
            for task in as_completed([pool.submit(self._run_for_rank, rank) for rank in ranks]):
                task.result()
        except BaseException:
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
        finally:
            with contextlib.suppress(RuntimeError):  # interrupted before the pool's own thread began: none to wait for
                pool.shutdown(wait=True, cancel_futures=True)

    def _run_for_rank(self, rank: int, local_rank: int = 0, node_rank: int = -1) -> Any:
        with contextlib.redirect_stderr(_nowhere()):
            try:
                return super()._run_for_rank(rank, local_rank, node_rank)
            except OSError as error:
                raise explain_os_error(Path(error.filename or self.logging_dir.path), error) from error


def executor_for(machine: Machine, steps: list[PipelineStep], tasks: int, logs: Path) -> PipelineExecutor:
    """The executor that will run `steps` in `tasks` tasks. Raises MissingExtra or BuildError if this machine cannot."""
    if machine.executor == "ray":
        return _ray_executor(machine, steps, tasks, logs)
    if machine.executor == "slurm":
        return _slurm_executor(machine, steps, tasks, logs)
    workers = min(machine.workers, tasks)
    return OneMachineExecutor(pipeline=steps, tasks=tasks, workers=workers, logging_dir=str(logs))


def run_to_end(executor: PipelineExecutor) -> None:
    """Runs an executor and waits until every task is complete. Slurm jobs are followed until they end."""
    _silence_parent_log()
    try:
        executor.run()
    except OctoError:
        raise
    except BrokenProcessPool as error:
        raise BuildError(
            f"{executor.logging_dir.path}: a worker process was killed, most likely for want of memory. Finished tasks "
            "are kept: run the build again, with fewer --workers."
        ) from error
    except Exception as error:
        where = executor.logging_dir.path
        raise BuildError(f"{where}: a task stopped with {type(error).__name__}: {error}. Its log is there.") from error
    if job := getattr(executor, "job_id", None):
        _follow_slurm(executor, str(job))


def _ray_executor(machine: Machine, steps: list[PipelineStep], tasks: int, logs: Path) -> PipelineExecutor:
    try:
        import ray  # noqa: F401
    except ImportError as error:
        raise MissingExtra("--executor ray: Ray is not installed. Run `pip install 'octocorpus[ray]'`.") from error
    from datatrove.executor.ray import RayPipelineExecutor

    return RayPipelineExecutor(pipeline=steps, tasks=tasks, workers=machine.workers, logging_dir=str(logs))


def _slurm_executor(machine: Machine, steps: list[PipelineStep], tasks: int, logs: Path) -> PipelineExecutor:
    from datatrove.executor.slurm import SlurmPipelineExecutor

    if not machine.slurm_partition:
        raise BuildError("--executor slurm: no partition given; expected --slurm-partition NAME.")
    if shutil.which("sbatch") is None:
        raise BuildError("--executor slurm: `sbatch` is not on the PATH; expected a Slurm login node.")
    return SlurmPipelineExecutor(
        pipeline=steps,
        tasks=tasks,
        workers=machine.workers,
        time=machine.slurm_time,
        partition=machine.slurm_partition,
        job_name=f"octo-{logs.parent.name}",
        logging_dir=str(logs),
        slurm_logs_folder=str(logs / "slurm"),
        venv_path=str(Path(sys.prefix) / "bin" / "activate"),
        mail_type="NONE",
    )


def _follow_slurm(executor: PipelineExecutor, job: str) -> None:
    """Waits for the completion marks of all tasks; a job that ended without them is a failure."""
    while executor.get_incomplete_ranks(skip_completed=True):
        states = _slurm_states(job)
        if states and not states - SLURM_FAILURES - {"COMPLETED"}:
            left = len(executor.get_incomplete_ranks(skip_completed=True))
            ended = ", ".join(sorted(states))
            raise BuildError(f"slurm job {job}: ended ({ended}) with {left} tasks open. Run the build again to go on.")
        time.sleep(POLL_S)


def _slurm_states(job: str) -> set[str]:
    import subprocess

    command = ["sacct", "-j", job, "-X", "-n", "-P", "-o", "State"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return {line.split()[0] for line in listed.stdout.splitlines() if line.strip()}


@functools.cache
def _nowhere() -> TextIO:
    """Where datatrove's console log goes; open for good, since its logger keeps writing there between tasks."""
    return Path(os.devnull).open("w")


@contextlib.contextmanager
def _stderr_into(path: Path) -> Iterator[None]:
    """What processes started in the block write to stderr goes to a file: a worker that is ended while it starts would
    print a traceback over the one line that explains the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)


def _leave_ctrl_c_to_parent() -> None:
    """A worker process must not die of Ctrl-C with a traceback: the parent ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _silence_parent_log() -> None:
    """datatrove logs to stderr, which belongs to our progress line; the tasks' log files keep everything."""
    from loguru import logger

    logger.remove()
