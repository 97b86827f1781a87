"""What a run of verl left, read once for the checks of its outcome."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from manifests.kinds.rl import LengthStage
from manifests.records import read_record
from training.rl.verl.follow import logged_steps
from training.rl.verl.launch_plan import FILE_NAME
from training.rl.verl.samples import Samples, read_samples
from training.rl.verl.stages import Stage
from training.run_record import record_path


@dataclass(frozen=True)
class Evidence:
    """What a run of verl left."""

    folder: Path  # of the run
    recipe: dict[str, Any]
    stages: list[Stage]
    logged: dict[int, dict[str, Any]]  # rollout step → verl's numbers, of the last attempt

    @cached_property
    def schedule(self) -> list[LengthStage]:
        """The stages of the manifest."""
        return [LengthStage(**stage) for stage in self.recipe["rollout"]["length_schedule"]]

    @property
    def batch(self) -> int:
        """Planned responses of a rollout step."""
        rollout = self.recipe["rollout"]
        return int(rollout["prompts_per_step"] * rollout["responses_per_prompt"])

    def stage_of(self, rollout_step: int) -> Stage:
        """The start of verl that made a rollout step."""
        return next(stage for stage in self.stages if rollout_step <= stage.last)

    def samples(self, rollout_step: int) -> Samples:
        """The responses of a rollout step."""
        stage = self.stage_of(rollout_step)
        return read_samples(stage.rollouts, stage.rewards, rollout_step)


def gather_evidence(run_folder: Path) -> Evidence:
    """The evidence in a run's folder. Raises InputError for a record, plan or log that is missing or damaged."""
    record, plan = read_record(record_path(run_folder)), read_record(run_folder / "verl" / FILE_NAME)
    stages = [
        Stage(launch["stage"], launch["first_rollout_step"], launch["last_rollout_step"], launch["width"],
              run_folder / "verl" / launch["stage"])
        for launch in plan["launches"]
    ]  # fmt: skip
    return Evidence(run_folder, record["recipe"], stages, _logged(stages))


def _logged(stages: Iterable[Stage]) -> dict[int, dict[str, Any]]:
    return {step: dict(line.data) for stage in stages for step, line in logged_steps(stage).items()}
