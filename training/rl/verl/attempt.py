"""One stage of a launch, from where it stands to its last rollout step, with the journal kept true on the way."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import OctoError, TrainingError
from manifests.terminal import say
from training.jobs.job import Patience
from training.local.loop import Stopped
from training.local.stopping import Stop
from training.rl.journal import Journal
from training.rl.run import RlRun
from training.rl.verl.follow import Tail, Watch
from training.rl.verl.given import Given
from training.rl.verl.jobs import Started, forget_ended, running_job, start_job
from training.rl.verl.resume import refuse_other_start, saved_step
from training.rl.verl.scripts import METRICS
from training.rl.verl.stages import Stage

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TAIL_BYTES, TAIL_LINES = 20_000, 20  # of verl's log, shown where it fails; chosen here


@dataclass(frozen=True)
class Following:
    """All that following a stage needs besides the stage."""

    run: RlRun
    given: Given
    watch: Watch
    journal: Journal
    stop: Stop
    patience: Patience

    @property
    def wants_end(self) -> bool:
        """Whether somebody or an alarm wants the run to end."""
        return bool(self.stop or self.journal.stop)

    def stopped(self, became: str) -> Stopped:
        """The error that says who ended the run, what became of verl, and what is saved."""
        by = f"the alarm {self.journal.stop}" if self.journal.stop else self.stop.name
        saved = self.run.facts.get("saved_rollout_step", 0)
        kept = f"rollout step {saved:,} is saved" if saved else "nothing is saved yet"
        return Stopped(f"{self.run.identity}: stopped by {by}; {became}, {kept}. Launch it again to go on.")


def bring_to_end(following: Following, stage: Stage) -> None:
    """Starts the stage, or goes on, and returns when its last rollout step is saved and told.

    Raises Stopped where somebody or an alarm wanted an end, TrainingError where verl failed or cannot be started.
    """
    run = following.run
    refuse_other_start(following.given, stage, stage.name in run.facts.get("stages_started", []))
    if saved_step(stage) == stage.last:
        say(f"{run.identity}, {stage.name}: rollout step {stage.last:,} is reached already")
        return
    if following.wants_end:
        raise following.stopped("nothing was started")
    started = running_job(run, stage, following.patience) or _start(following, stage)
    try:
        _follow(following, stage, started)
    except Stopped:
        raise
    except BaseException:
        started.job.abandon()
        raise
    finally:
        forget_ended(run, started)
    _require_end(following, stage, started)


def _start(following: Following, stage: Stage) -> Started:
    run = following.run
    run.publish(stages_started=list(dict.fromkeys([*run.facts.get("stages_started", []), stage.name])))
    _set_log_aside(stage)
    say(f"{run.identity}, {stage.name}: rollout steps {following.watch.rollout_step + 1:,} to {stage.last:,}")
    return start_job(run, following.given, stage, following.patience)


def _set_log_aside(stage: Stage) -> None:
    """verl empties its log where it starts; run.sh would do the same, but we would read the old one until then."""
    path = stage.folder / METRICS
    if path.exists():
        numbers = (stage.folder / f"metrics-{number}.jsonl" for number in range(1, 10_000))
        path.rename(next(target for target in numbers if not target.exists()))


def _follow(following: Following, stage: Stage, started: Started) -> None:
    """Returns when the job has ended. Raises Stopped after ending it where that was wanted."""
    tail, watch = Tail(stage.folder / METRICS), following.watch
    while True:
        running = started.job.is_running()  # asked before the log is read: nothing that was written last is missed
        try:
            heard = watch.hear(stage, tail.new_lines(), ended=not running)
        except OctoError:
            started.job.kill()  # also a Slurm job: what it trains on is broken
            raise
        _publish_saved(following.run, stage)
        if following.wants_end:
            became = started.end(following.stop.signal) if running else "verl had ended"
            _tell_rest(watch, stage, tail)
            _publish_saved(following.run, stage)
            raise following.stopped(became)
        if not running and not heard:
            return
        if not heard:
            time.sleep(following.patience.poll_s)


def _tell_rest(watch: Watch, stage: Stage, tail: Tail) -> None:
    """What verl logged before it ended; a dump that it did not finish is told by the next attempt."""
    try:
        watch.hear(stage, tail.new_lines(), ended=False)
    except OctoError as error:
        say(f"the last lines of verl's log are left for the next launch: {error}")


def _publish_saved(run: RlRun, stage: Stage) -> None:
    saved = saved_step(stage)
    if saved and saved != run.facts.get("saved_rollout_step"):
        run.publish(saved_rollout_step=saved)


def _require_end(following: Following, stage: Stage, started: Started) -> None:
    """Raises TrainingError if verl failed or did not save its last rollout step, with the end of its log."""
    failed, saved = started.job.ending(), saved_step(stage)
    if not failed and saved == stage.last:
        return
    told = "\n".join(f"  | {line}" for line in _tail(started.log)) or "  | (nothing)"
    raise TrainingError(
        f"{following.run.identity}, {stage.name}: verl {failed or 'ended'} after rollout step "
        f"{following.watch.rollout_step:,}; expected it to end with rollout step {stage.last:,} saved, the newest "
        f"saved is {saved:,}. Mend the cause and launch again: it goes on from there.\n"
        f"The end of {started.log}:\n{told}"
    )


def _tail(log: Path) -> Iterable[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    plain = COLOURS.sub("", text)
    printable = ("".join(char if char.isprintable() else " " for char in line) for line in plain.splitlines())
    return [line.rstrip()[:500] for line in printable if line.strip()][-TAIL_LINES:]
