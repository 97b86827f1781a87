"""The starts of verl that a length schedule needs: one for the whole run, or a chain in which each resumes the last.

verl counts rollout steps from 1 as `global_steps`, as we do; a stage `[100, 4096]` begins with rollout step 101, so the
start before it ends with verl's checkpoint `global_step_100`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.rl.schedule import Span
from training.rl.verl.options import Rendering

ONE_RUN: Rendering = "one_run"
TRACKER = "latest_checkpointed_iteration.txt"


@dataclass(frozen=True)
class Stage:
    """One start of verl: rollout steps `first` to `last`, both included."""

    name: str
    first: int
    last: int
    width: int  # longest response that its tensors hold; tokens
    folder: Path

    @property
    def checkpoints(self) -> Path:
        """verl's `default_local_dir`: global_step_N folders and the file that names the newest."""
        return self.folder / "checkpoints"

    @property
    def end(self) -> Path:
        """The checkpoint of its last rollout step; no slash at the end, which verl could not read."""
        return checkpoint(self.checkpoints, self.last)

    @property
    def rollouts(self) -> Path:
        """verl's dumps of responses, a file a rollout step."""
        return self.folder / "rollouts"

    @property
    def validations(self) -> Path:
        """verl's dumps of validation responses, a file a validation."""
        return self.folder / "validations"

    @property
    def rewards(self) -> Path:
        """What octo_verl's reward manager notes of every response."""
        return self.folder / "rewards"

    def log(self, attempt: int) -> Path:
        """What verl printed in one attempt."""
        return self.folder / f"verl-{attempt:03d}.log"


def checkpoint(checkpoints: Path, rollout_step: int) -> Path:
    """Where verl saves a rollout step."""
    return checkpoints / f"global_step_{rollout_step}"


def stages_of(spans: Sequence[Span], rollout_steps: int, rendering: Rendering, folder: Path) -> list[Stage]:
    """The starts of verl, in order; `folder` is the run's `verl/`."""
    if rendering == ONE_RUN:
        return [Stage("run", 1, rollout_steps, max(span.cap for span in spans), folder / "run")]
    return [
        Stage(f"stage-{number}", span.first, span.last or rollout_steps, span.cap, folder / f"stage-{number}")
        for number, span in enumerate(spans, start=1)
    ]
