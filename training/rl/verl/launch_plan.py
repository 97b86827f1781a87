"""launch_plan.json: what to start, in which order, and what must come out of it.

    {
      "identity": "run@1", "verl": "0.9.1", "rendering": "staged", "options": {…}, "notes": […],
      "validated": "…", "asked": 4,
      "launches": [{"stage": "stage-1", "first_rollout_step": 1, "last_rollout_step": 100, "width": 2048, …}, …]
    }

Paths are absolute. `command` starts the launch, without a shell of its own making.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from manifests.records import write_record

FILE_NAME = "launch_plan.json"


@dataclass(frozen=True)
class Launch:
    """One start of verl."""

    stage: str
    first_rollout_step: int
    last_rollout_step: int
    width: int  # longest response that its tensors hold; tokens
    checkpoints: str
    starts_from: str  # a folder: the model, or the end of the stage before
    words: list[str]  # files of override words, in order
    command: list[str]
    env: dict[str, str]


@dataclass(frozen=True)
class LaunchPlan:
    """All launches of a run, in order."""

    identity: str
    verl: str
    rendering: str
    options: dict[str, Any]
    notes: list[str]
    validated: str
    asked: int  # how far verl itself was asked, of 4 levels
    launches: list[Launch]

    def __str__(self) -> str:
        ends = [f"{launch.stage} to rollout step {launch.last_rollout_step:,}" for launch in self.launches]
        told = "".join(f"\nnote: {note}" for note in self.notes)
        return f"wrote verl's files: {', then '.join(ends)}\n{self.validated}{told}"


def write_launch_plan(plan: LaunchPlan, folder: Path) -> None:
    """Writes launch_plan.json into `folder`."""
    write_record(folder / FILE_NAME, asdict(plan))
