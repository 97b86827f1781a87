"""How far a run is, whichever backend trains it: one row a phase, from its record and the end of its metrics."""

import statistics
from pathlib import Path
from typing import Any

from manifests.layout import DataFolder
from training.local.checkpoint import checkpoints_in, step_of
from training.metrics import read_metrics
from training.run_record import RUNNING, STOPPED, is_held, read_training_run

COLUMNS = [
    "phase", "mixture", "backend", "state", "step", "steps", "tokens", "learning_rate", "loss", "loss_by_source",
    "tokens_per_s", "eta_s", "saved_step", "checkpoint", "error",
]  # fmt: skip
RECENT_STEPS = 20  # whose speed is shown; chosen here: one step alone is noise


def status_rows(data: DataFolder, reference: str) -> list[list[Any]]:
    """One row a phase that was started, in the order of COLUMNS. Raises NotFound for an unknown run."""
    record = read_training_run(data, reference)
    return [_row(data, record, reference, name) for name in record["phases"]]


def _row(data: DataFolder, record: dict[str, Any], reference: str, name: str) -> list[Any]:
    facts, folder = record["phases"][name], data.run(reference) / name
    lines = read_metrics(folder / "metrics.jsonl")
    last: dict[str, Any] = lines[-1] if lines else {}
    rate, state = _recent_rate(lines), _state(data, reference, name, facts)
    left = facts["trained_tokens"] - (last.get("tokens") or 0)
    saved_step, checkpoint = _saved(data, folder, facts)
    return [
        name, facts["mixture"], record.get("backend"), state, last.get("step", 0), facts["steps"],
        last.get("tokens", 0), last.get("learning_rate"), last.get("loss"), _by_source(last), rate,
        left / rate if rate and state == RUNNING else None, saved_step, checkpoint, facts.get("error"),
    ]  # fmt: skip


def _recent_rate(lines: list[dict[str, Any]]) -> float | None:
    """Tokens per second over the last steps, which all have as many tokens; None where nothing says it."""
    rates = [line.get("tokens_per_s") or 0.0 for line in lines[-RECENT_STEPS:]]
    known = [rate for rate in rates if rate > 0]
    return statistics.harmonic_mean(known) if known else None


def _by_source(line: dict[str, Any]) -> str | None:
    """Such as `web@1 2.31, qa@1 1.20`: the losses of the last step, in nats; nanotron does not say them."""
    losses = line.get("loss_by_source") or {}
    return ", ".join(f"{source} {loss:.4g}" for source, loss in losses.items()) or None


def _saved(data: DataFolder, folder: Path, facts: dict[str, Any]) -> tuple[int, str | None]:
    """Step and place of the newest whole checkpoint, relative to the data folder where it lies in there."""
    if "checkpoints" in facts:  # nanotron's, where its own file says which one is whole
        step = int(facts.get("saved_step") or 0)
        path = Path(facts["checkpoints"], str(step)) if step else None
    else:
        saved = checkpoints_in(folder / "checkpoints")
        step, path = (step_of(saved[-1]), saved[-1]) if saved else (0, None)
    root = data.root.absolute()
    if path is not None and path.absolute().is_relative_to(root):
        path = path.absolute().relative_to(root)
    return step, path.as_posix() if path else None


def _state(data: DataFolder, reference: str, name: str, facts: dict[str, Any]) -> str:
    """The recorded state; a phase that says it runs while no process holds it was killed."""
    state: str = facts["state"]
    return STOPPED if state == RUNNING and not is_held(data.run(reference), name) else state
