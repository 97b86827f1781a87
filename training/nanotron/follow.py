"""Following a launch that runs: its log becomes metrics.jsonl, a progress line, and the record of the run."""

import contextlib
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import InputError, TrainingError
from manifests.terminal import Progress
from training.jobs.job import Job
from training.local.stopping import Stop
from training.metrics import MetricsLog
from training.nanotron.checkpoints import latest_step
from training.nanotron.launch_plan import Launch
from training.nanotron.log import CHUNK_BYTES, Iteration, LogReader, agrees
from training.run_record import update_phase

METRICS = "metrics.jsonl"


class NotFollowed(TrainingError):
    """We were asked to stop following."""


@dataclass(frozen=True)
class Attempt:
    """One start of a launch: where it writes, and the step after which it begins."""

    launch: Launch
    run_folder: Path
    log: Path
    after_step: int

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.run_folder.name} phase {self.launch.phase}"


class Watch:
    """What the log of an attempt has said so far; every step goes into metrics.jsonl once."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt, self.reader = attempt, LogReader()
        self.last: Iteration | None = None
        self._metrics_path = attempt.run_folder / attempt.launch.phase / METRICS
        self._metrics = MetricsLog(self._metrics_path, attempt.after_step)
        self._progress = Progress(attempt.launch.phase, attempt.launch.expected_last_step, "steps")
        self._read_bytes, self._saved_step = 0, 0

    @property
    def step(self) -> int:
        """The last step that was logged."""
        return self.last.step if self.last else self.attempt.after_step

    def advance(self) -> bool:
        """Reads what the log has got since the last time; returns whether that was anything.

        Raises TrainingError at a loss that is not finite.
        """
        pieces = self._new_bytes()
        for data in pieces:
            for iteration in self.reader.feed(data):
                self._write(iteration)
        self._note_checkpoint()
        return bool(pieces)

    def finish(self) -> None:
        """The last, unfinished line; the progress line stays."""
        for iteration in self.reader.finish():
            self._write(iteration)
        self._progress.finish(self.step, _note(self.last))

    def close(self) -> None:
        """Closes the metrics."""
        self._metrics.close()

    def _new_bytes(self) -> list[bytes]:
        """At most 64 MB at a time, so that a log that grows without end cannot hold up a stop."""
        try:
            with self.attempt.log.open("rb") as file:
                file.seek(self._read_bytes)
                pieces = [data for _ in range(64) if (data := file.read(CHUNK_BYTES))]
        except FileNotFoundError:  # a Slurm job that has not begun
            return []
        except OSError as error:
            raise InputError(f"{self.attempt.log}: cannot be read ({error.strerror}).") from error
        self._read_bytes += sum(map(len, pieces))
        return pieces

    def _write(self, iteration: Iteration) -> None:
        if self.last and iteration.step <= self.last.step:  # it was restarted: what it does again counts
            self._metrics.close()
            self._metrics = MetricsLog(self._metrics_path, iteration.step - 1)
            self.last = None
        self._metrics.write(metrics_line(iteration, self.last, self.attempt.launch.batch_tokens))
        self.last = iteration
        self._progress.show(iteration.step, _note(iteration))
        if not math.isfinite(iteration.loss):
            raise TrainingError(
                f"{self.attempt.where}: at step {iteration.step:,} the loss is {iteration.loss}; expected a finite "
                "number. What was saved before it is good. Lower optimizer.learning_rate under a new version, or look "
                "at the windows of this step."
            )

    def _note_checkpoint(self) -> None:
        with contextlib.suppress(InputError):  # latest.txt is being written; the next look finds it whole
            saved = latest_step(Path(self.attempt.launch.checkpoints_path))
            if saved is not None and saved != self._saved_step:
                self._saved_step = saved
                update_phase(self.attempt.run_folder, self.attempt.launch.phase, saved_step=saved)


def metrics_line(iteration: Iteration, before: Iteration | None, batch_tokens: int) -> dict[str, Any]:
    """One line of metrics.jsonl; None for what the log does not say.

    A step's own learning rate stands in the line of the step before. Tokens are exact where the rounded number in the
    log allows the planned one.
    """
    exact = iteration.step * batch_tokens
    follows = before is not None and before.step == iteration.step - 1
    return {
        "step": iteration.step,
        "loss": _finite(iteration.loss),
        "learning_rate": before.next_learning_rate if before and follows else None,
        "next_learning_rate": iteration.next_learning_rate,
        "grad_norm": _finite(iteration.grad_norm),
        "tokens": exact if agrees(iteration.tokens, exact) else int(iteration.tokens),
        "tokens_per_s": _finite(iteration.tokens_per_s),
    }


def follow(job: Job, watch: Watch, stop: Stop, poll_s: float) -> None:
    """Returns when the job has ended, well or not.

    Raises NotFollowed when asked to stop, TrainingError at a loss that is not finite, after ending the job.
    """
    try:
        while True:
            running = job.is_running()  # asked before the log is read: nothing that was written last is missed
            read = watch.advance()
            if stop:
                raise NotFollowed(_stopped(job, watch, stop))
            if not running and not read:
                break
            if not read:
                time.sleep(poll_s)
        watch.finish()
    except NotFollowed:
        raise
    except TrainingError:
        job.kill()
        raise
    except BaseException:
        job.abandon()
        raise
    finally:
        watch.close()


def _stopped(job: Job, watch: Watch, stop: Stop) -> str:
    became = job.stop(stop.signal or signal.SIGTERM)
    watch.advance()
    watch.finish()
    return f"{watch.attempt.where}: stopped by {stop.name} at step {watch.step:,}; {became}. Launch it again to go on."


def _note(iteration: Iteration | None) -> str:
    return f"loss {iteration.loss:.4g}  lr {iteration.next_learning_rate:.3g}" if iteration else ""


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
