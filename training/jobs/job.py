"""What a launch may ask of a started engine, and how long it waits."""

import signal
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Patience:
    """How long we wait, in seconds; chosen here."""

    poll_s: float = 0.5  # between two looks at the log
    grace_s: float = 30.0  # from the signal to the kill
    slurm_poll_s: float = 5.0  # as for curation's Slurm jobs: a scheduler must not be asked more often


class Job(Protocol):
    """A started engine."""

    def is_running(self) -> bool:
        """Whether it may still write to its log."""

    def stop(self, number: signal.Signals) -> str:
        """Reacts to the signal that we got; returns what became of the job, in words."""

    def kill(self) -> None:
        """Ends it at once."""

    def abandon(self) -> None:
        """What becomes of it when we end unexpectedly."""

    def ending(self) -> str | None:
        """How it failed, None if it ended well."""
