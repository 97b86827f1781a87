"""How far a run is: one row a phase, from its record and the last line of its metrics."""

from typing import Any

from manifests.layout import DataFolder
from training.checkpoint import checkpoints_in, step_of
from training.metrics import read_metrics
from training.run_record import RUNNING, STOPPED, is_held, read_run

COLUMNS = [
    "phase", "mixture", "state", "step", "steps", "tokens", "learning_rate", "loss", "tokens_per_s", "eta_s",
    "saved_step", "error",
]  # fmt: skip


def status_rows(data: DataFolder, reference: str) -> list[list[Any]]:
    """One row a phase that was started, in the order of COLUMNS. Raises NotFound for an unknown run."""
    return [_row(data, reference, name, facts) for name, facts in read_run(data, reference)["phases"].items()]


def _row(data: DataFolder, reference: str, name: str, facts: dict[str, Any]) -> list[Any]:
    folder = data.run(reference) / name
    lines = read_metrics(folder / "metrics.jsonl")
    last: dict[str, Any] = lines[-1] if lines else {}
    step, rate = last.get("step", 0), last.get("tokens_per_s")
    left = facts["trained_tokens"] - last.get("tokens", 0)
    saved = checkpoints_in(folder / "checkpoints")
    state = _state(data, reference, name, facts)
    eta_s = left / rate if rate and state == RUNNING else None
    return [
        name, facts["mixture"], state, step, facts["steps"], last.get("tokens", 0), last.get("learning_rate"),
        last.get("loss"), rate, eta_s, step_of(saved[-1]) if saved else 0, facts.get("error"),
    ]  # fmt: skip


def _state(data: DataFolder, reference: str, name: str, facts: dict[str, Any]) -> str:
    """The recorded state; a phase that says it runs while no process holds it was killed."""
    state: str = facts["state"]
    return STOPPED if state == RUNNING and not is_held(data.run(reference), name) else state
