"""Following verl while it runs: its file log and dumps become the lines of our journal, a rollout step at a time."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import InputError, TrainingError
from manifests.kinds.rl import RlManifest
from training.metrics import read_metrics
from training.rl.journal import Journal
from training.rl.responses import Response, summarise
from training.rl.run import RlRun
from training.rl.schedule import cap_at
from training.rl.verl.log import DIFFERENCE_IS_VALID, NAMES, is_rollout
from training.rl.verl.samples import Samples, dump_lines, dump_path, read_samples
from training.rl.verl.stages import Stage

CHUNK_BYTES = 1 << 20
LONGEST_LINE_BYTES = 16 << 20  # verl's lines have some 5 kB; chosen here
TOLD = ("accuracy", "correct", "boxed", "truncated", "repetition", "response_tokens_mean", "correct_tokens_mean")
VERLS = ("loss", "learning_rate", "grad_norm", "entropy", "kl", "clip_fraction", "probability_gap")
"""Keys of a line that only verl knows."""


@dataclass(frozen=True)
class Logged:
    """A line of verl's file log."""

    rollout_step: int
    data: Mapping[str, Any]

    @property
    def has_validation(self) -> bool:
        """Whether a validation was made after the step."""
        return any(name.startswith("val-") for name in self.data)


class Tail:
    """A log that grows: every whole line once."""

    def __init__(self, path: Path) -> None:
        self._path, self._read_bytes, self._rest = path, 0, b""

    def new_lines(self) -> list[Logged]:
        """What was written since the last time. Raises InputError for what is no line of verl's file log."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read_bytes)
                data = b"".join(iter(lambda: file.read(CHUNK_BYTES), b""))
        except FileNotFoundError:
            return []
        self._read_bytes += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            raise InputError(
                f"{self._path}: has a line of more than {LONGEST_LINE_BYTES:,} bytes; expected verl's log."
            )
        return [self._logged(line) for line in lines if line.strip()]

    def _logged(self, line: bytes) -> Logged:
        try:
            record = json.loads(line)
            step, data = record["step"], record["data"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{self._path}: {line[:80]!r} is no line of verl's file log ({error}).") from error
        if not isinstance(step, int) or not isinstance(data, dict):
            raise InputError(f"{self._path}: {line[:80]!r} is no line of verl's file log; expected step and data.")
        return Logged(step, data)


class Watch:
    """What verl has told so far; each rollout step and each validation goes into the journal once."""

    def __init__(self, run: RlRun, journal: Journal, problems: Mapping[str, int]) -> None:
        self._run, self._manifest, self._journal, self._problems = run, run.plan.manifest, journal, problems
        told = read_metrics(run.grpo_folder / "metrics.jsonl")
        self.last: dict[str, Any] = told[-1] if told else {}
        self._validated = {line["rollout_step"] for line in read_metrics(run.grpo_folder / "validation.jsonl")}
        self._waiting: list[Logged] = []
        self._sizes: dict[Path, int] = {}  # of the dumps that are waited for

    @property
    def rollout_step(self) -> int:
        """The last rollout step in the journal."""
        return int(self.last.get("rollout_step", 0))

    def hear(self, stage: Stage, lines: list[Logged], ended: bool) -> bool:
        """Takes in new lines of a stage's log; returns whether anything came of it.

        A line is told once its dumps are whole: verl writes them beside the log, a little later.
        """
        self._waiting += [line for line in lines if self._is_news(line)]
        told = 0
        while self._waiting and (ended or self._is_whole(stage, self._waiting[0])):
            self._tell(stage, self._waiting.pop(0))
            told += 1
        return bool(lines or told)

    def _is_news(self, line: Logged) -> bool:
        return line.rollout_step > self.rollout_step or self._has_untold_validation(line)

    def _has_untold_validation(self, line: Logged) -> bool:
        return line.has_validation and line.rollout_step not in self._validated

    def _is_whole(self, stage: Stage, line: Logged) -> bool:
        """Whether its dumps are, or are smaller than planned and a later line shows that they are finished."""
        if is_told_whole(self._manifest, self._problems, stage, line):
            return True
        sizes = {path: dump_lines(path) for path in dumps_of(stage, line)}
        settled = len(self._waiting) > 1 and all(sizes.values()) and sizes == self._sizes
        self._sizes = sizes
        return settled

    def _tell(self, stage: Stage, line: Logged) -> None:
        if is_rollout(line.data) and line.rollout_step > self.rollout_step:
            samples = read_samples(stage.rollouts, stage.rewards, line.rollout_step)
            groups = samples.groups
            told = self._rollout_line(line, samples, groups)
            self._journal.rollout(told, groups)
            self.last = told
            self._refuse_broken(told)
        if self._has_untold_validation(line):
            self._tell_validation(line, read_samples(stage.validations, stage.rewards, line.rollout_step))
            self._validated.add(line.rollout_step)

    def _rollout_line(self, line: Logged, samples: Samples, groups: list[list[Response]]) -> dict[str, Any]:
        if not samples.sampled:
            raise TrainingError(
                f"{self._run.identity}: rollout step {line.rollout_step:,} has no response that was rewarded; expected "
                "whole groups. verl's log says why."
            )
        rollout, new = self._manifest.rollout, sum(sampled.tokens for sampled in samples.sampled)
        wall_s = finite(line.data.get("timing_s/step"))
        return {
            "rollout_step": line.rollout_step,
            "step": line.rollout_step * self._manifest.optimizer_steps_per_rollout,
            "cap": cap_at(rollout.length_schedule, line.rollout_step),
            **summarise(groups),
            "lost_responses": rollout.prompts_per_step * rollout.responses_per_prompt - len(samples.sampled),
            "tokens": int(self.last.get("tokens", 0)) + new,
            "tokens_per_s": new / wall_s if wall_s else None,
            **verls_numbers(line.data),
            "wall_s": wall_s,
        }

    def _tell_validation(self, line: Logged, samples: Samples) -> None:
        for name in dict.fromkeys(sampled.set for sampled in samples.sampled):
            responses = [sampled.response for sampled in samples.sampled if sampled.set == name]
            facts = summarise([[response] for response in responses])
            self._journal.validation({
                "rollout_step": line.rollout_step,
                "step": line.rollout_step * self._manifest.optimizer_steps_per_rollout,
                "set": name,
                "problems": len(responses),
                **{key: facts[key] for key in TOLD},
                "cap": cap_at(self._manifest.rollout.length_schedule, line.rollout_step),
            })  # fmt: skip

    def _refuse_broken(self, line: Mapping[str, Any]) -> None:
        """verl trains on with weights that are no numbers."""
        if line["loss"] is None or line["grad_norm"] is None:
            raise TrainingError(
                f"{self._run.identity}: at rollout step {line['rollout_step']:,} loss or gradient norm is not finite; "
                "expected numbers. What was saved before it is good. Lower policy.learning_rate under a new version, "
                "or look at the responses of this step."
            )


def dumps_of(stage: Stage, line: Logged) -> list[Path]:
    """The dumps that verl writes beside a line of its log."""
    rollouts = [dump_path(stage.rollouts, line.rollout_step)] if is_rollout(line.data) else []
    return rollouts + ([dump_path(stage.validations, line.rollout_step)] if line.has_validation else [])


def is_told_whole(manifest: RlManifest, problems: Mapping[str, int], stage: Stage, line: Logged) -> bool:
    """Whether the dumps of a line have as many responses as planned."""
    batch = manifest.rollout.prompts_per_step * manifest.rollout.responses_per_prompt
    rollouts = dump_path(stage.rollouts, line.rollout_step)
    wanted = {path: batch if path == rollouts else sum(problems.values()) for path in dumps_of(stage, line)}
    return all(dump_lines(path) >= count for path, count in wanted.items())


def logged_steps(stage: Stage) -> dict[int, Logged]:
    """Rollout step → its line in verl's logs, of the last attempt that made it."""
    logs = sorted(stage.folder.glob("metrics*.jsonl"), key=lambda path: path.stat().st_mtime)
    return {line.rollout_step: line for path in logs for line in Tail(path).new_lines()}


def verls_numbers(data: Mapping[str, Any]) -> dict[str, float | None]:
    """Our key → what verl logged, None where it is not there or not finite."""
    found: dict[str, float | None] = dict.fromkeys(VERLS)
    for name, key in NAMES.items():
        if key in found and found[key] is None:
            found[key] = finite(data.get(name))
    if data.get(DIFFERENCE_IS_VALID) == 0:
        found["probability_gap"] = None
    return found


def finite(value: Any) -> float | None:
    """A number that is one."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
