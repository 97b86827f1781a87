"""What an RL run tells while it trains: metrics, validation, responses and alarms, whichever backend trains it.

Every line carries `step`, the optimizer step after it, so that all files are cut to the same place when a run goes on.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from manifests.records import atomic_path
from manifests.terminal import Progress, say
from training.metrics import MetricsLog, read_metrics
from training.rl.health.watch import Alarm, HealthWatch
from training.rl.responses import Response, response_line
from training.rl.run import RlRun

STOP_ON = {"collapse": ("stop",), "warning": ("warn", "stop")}
"""`--stop-on`: the levels of alarms that end a run."""


class Journal:
    """The journal of one run, positioned after `after_rollout_step` rollout steps; to be used as a context."""

    def __init__(self, run: RlRun, after_rollout_step: int, stop_on: str | None) -> None:
        manifest, folder = run.plan.manifest, run.grpo_folder
        self.stop: str | None = None
        self._steps_each = manifest.optimizer_steps_per_rollout
        self._responses, self._levels = folder / "responses", STOP_ON.get(stop_on or "", ())
        self._watch = HealthWatch(manifest.rollout.length_schedule)
        self._progress = Progress(run.identity, manifest.rollout_steps, "rollout steps")
        step = after_rollout_step * self._steps_each
        folder.mkdir(parents=True, exist_ok=True)
        self._logs = {name: MetricsLog(folder / f"{name}.jsonl", step) for name in ("metrics", "validation", "health")}
        _drop_responses_after(self._responses, after_rollout_step)
        for line in earlier_lines(folder):
            self._watch.observe(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for log in self._logs.values():
            log.close()

    def rollout(self, line: dict[str, Any], groups: Sequence[Sequence[Response]] | None = None) -> None:
        """Writes one rollout step and its responses, where they are known, and looks after the run's health."""
        read = None
        if groups is not None:
            write_responses(self._responses, groups, line["rollout_step"])
            read = partial(response_lines, groups, line["rollout_step"])
        self._logs["metrics"].write(line)
        self._tell(self._watch.observe(line, read))
        self._progress.show(line["rollout_step"], note_of(line))

    def validation(self, line: dict[str, Any]) -> None:
        """Writes the accuracy on one validation set, and looks after the run's health."""
        self._logs["validation"].write(line)
        say(
            f"validation after rollout step {line['rollout_step']:,}: {line['set']} {line['accuracy']:.1%} "
            f"of {line['problems']:,} right, {line['boxed']:.1%} boxed, {line['response_tokens_mean']:,.0f} tokens"
        )
        self._tell(self._watch.observe(line))

    def sync(self) -> None:
        """Makes the lines so far outlive a power failure, before a checkpoint says that they are there."""
        for log in self._logs.values():
            log.sync()

    def finish(self, line: dict[str, Any]) -> None:
        """The last state of the progress line, and the alarms of what was still being gathered."""
        self._progress.finish(line["rollout_step"], note_of(line))
        self._tell(self._watch.finish())

    def _tell(self, alarms: Iterable[Alarm]) -> None:
        for alarm in alarms:
            self._logs["health"].write({"step": alarm.rollout_step * self._steps_each} | vars(alarm))
            what = f"{alarm.rule} at rollout step {alarm.rollout_step:,}: {alarm.evidence}"
            say("\n  ".join([f"{alarm.level}: {what} {alarm.remedy}", *alarm.examples]))
            if alarm.level in self._levels and self.stop is None:
                self.stop = what


def earlier_lines(folder: Path) -> list[dict[str, Any]]:
    """The rollout and validation lines of a run so far, in the order they were written."""
    lines = [line for name in ("metrics", "validation") for line in read_metrics(folder / f"{name}.jsonl")]
    return sorted(lines, key=lambda line: line["rollout_step"])  # stable: a step's rollout comes before its validation


def note_of(line: dict[str, Any]) -> str:
    """Such as `reward 0.250, 512 of 2,048 tokens, 64% right, 3% cut`, for the progress line; what is known."""
    shares = {"right": line.get("accuracy"), "cut": line.get("truncated")}
    known = [f"{share:.0%} {name}" for name, share in shares.items() if share is not None]
    lengths = f"{line['response_tokens_mean']:,.0f} of {line['cap']:,} tokens"
    return ", ".join([f"reward {line['reward']:.3f}", lengths, *known])


def write_responses(folder: Path, groups: Sequence[Sequence[Response]], rollout_step: int) -> None:
    """Every response of a rollout step, one a line, as a gzip file that appears whole or not at all."""
    with atomic_path(responses_path(folder, rollout_step)) as temporary, gzip.open(temporary, "wt", 6, "utf-8") as file:
        for line in response_lines(groups, rollout_step):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def response_lines(groups: Sequence[Sequence[Response]], rollout_step: int) -> Iterator[dict[str, Any]]:
    """The line of every response of a rollout step."""
    return (response_line(response, rollout_step) for group in groups for response in group)


def responses_path(folder: Path, rollout_step: int) -> Path:
    """Where the responses of a rollout step lie."""
    return folder / f"{rollout_step:08d}.jsonl.gz"


def _drop_responses_after(folder: Path, rollout_step: int) -> None:
    """Removes what a run that goes on will sample again."""
    for path in folder.glob("*.jsonl.gz"):
        if path.name > responses_path(folder, rollout_step).name:
            path.unlink()
