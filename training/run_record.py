"""run.json: what a run is and how far its phases are; and the locks that keep two processes off one phase.

`run.json` is rewritten whole, under a brief lock, so that branches may be trained by several processes at once; a
phase is held by one process for as long as it trains.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from manifests.errors import NotFound, TrainingError
from manifests.layout import DataFolder
from manifests.records import read_record, write_record

RUNNING, STOPPED, DONE, FAILED = "running", "stopped", "done", "failed"


def record_path(folder: Path) -> Path:
    """Where a run's record lies."""
    return folder / "run.json"


def read_run(data: DataFolder, reference: str) -> dict[str, Any]:
    """The record of a run. Raises NotFound if there is none."""
    path = record_path(data.run(reference))
    if not path.exists():
        known = ", ".join(data.versions("runs")) or "none"
        raise NotFound(f"{reference}: no such run in {data.root}; runs: {known}. `octo train launch` makes one.")
    return read_record(path)


def read_training_run(data: DataFolder, reference: str) -> dict[str, Any]:
    """The record of a mid-training run. Raises NotFound for one of reinforcement learning."""
    record = read_run(data, reference)
    if record.get("kind") == "rl":
        raise NotFound(f"{reference}: is a run of reinforcement learning; expected a training run. See `octo rl`.")
    return record


def update_run(folder: Path, **facts: Any) -> None:
    """Sets facts of the run, keeping the rest."""
    with _record_lock(folder):
        path = record_path(folder)
        record = read_record(path) if path.exists() else {}
        record.update(facts)
        record.setdefault("phases", {})
        write_record(path, record)


def update_phase(folder: Path, phase: str, **facts: Any) -> None:
    """Sets facts of one phase of the run, keeping the rest."""
    with _record_lock(folder):
        record = read_record(record_path(folder))
        record["phases"].setdefault(phase, {}).update(facts)
        write_record(record_path(folder), record)


def forget_phase(folder: Path, phase: str) -> None:
    """Removes one phase from the record."""
    with _record_lock(folder):
        record = read_record(record_path(folder))
        record["phases"].pop(phase, None)
        write_record(record_path(folder), record)


@contextlib.contextmanager
def hold_phase(folder: Path, phase: str) -> Iterator[None]:
    """Keeps a phase to this process. Raises TrainingError if another process trains it; ends with the process."""
    with _open_lock(_phase_lock(folder, phase)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainingError(
                f"{folder.name}: phase {phase} is being trained by another process. Wait for it, or stop it first."
            ) from error
        yield


def is_held(folder: Path, phase: str) -> bool:
    """Whether some process trains this phase now."""
    path = _phase_lock(folder, phase)
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def _record_lock(folder: Path) -> Iterator[None]:
    with _open_lock(folder / ".run.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _phase_lock(folder: Path, phase: str) -> Path:
    return folder / f".{phase}.lock"  # outside the phase's folder, which a branch started anew loses


def _open_lock(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")
