"""How far an RL run is, whichever backend trains it: from its record and the ends of its logs."""

import statistics
from typing import Any

from manifests.errors import NotFound
from manifests.layout import DataFolder
from training.metrics import read_metrics
from training.rl.run import KIND, PHASE
from training.run_record import RUNNING, STOPPED, is_held, read_run

COLUMNS = [
    "run", "backend", "state", "rollout_step", "rollout_steps", "cap", "reward", "accuracy", "boxed", "truncated",
    "response_tokens_mean", "validation", "alarms", "tokens_per_s", "eta_s", "error",
]  # fmt: skip
RECENT_STEPS = 20  # whose speed is shown; chosen here


def status_rows(data: DataFolder, reference: str) -> list[list[Any]]:
    """One row, in the order of COLUMNS. Raises NotFound for what is no RL run."""
    record, folder = read_rl_run(data, reference), data.run(reference) / PHASE
    facts = record["phases"].get(PHASE, {})
    lines = read_metrics(folder / "metrics.jsonl")
    last: dict[str, Any] = lines[-1] if lines else {}
    state = _state(data, reference, facts)
    done = last.get("rollout_step", 0)
    rest = (record["rollout_steps"] - done) * _seconds_each(lines) if state == RUNNING and lines else None
    return [[
        reference, record["backend"], state, done, record["rollout_steps"],
        *[last.get(name) for name in ("cap", "reward", "accuracy", "boxed", "truncated", "response_tokens_mean")],
        _validation(read_metrics(folder / "validation.jsonl")), _alarms(read_metrics(folder / "health.jsonl")),
        last.get("tokens_per_s"), rest, facts.get("error"),
    ]]  # fmt: skip


def read_rl_run(data: DataFolder, reference: str) -> dict[str, Any]:
    """The record of an RL run. Raises NotFound for what is none."""
    record = read_run(data, reference)
    if record.get("kind") != KIND:
        raise NotFound(f"{reference}: is a training run; expected one of `octo rl launch`. See `octo train status`.")
    return record


def _state(data: DataFolder, reference: str, facts: dict[str, Any]) -> str:
    """The recorded state; a run that says it runs while no process holds it was killed."""
    state: str = facts.get("state", "not started")
    return STOPPED if state == RUNNING and not is_held(data.run(reference), PHASE) else state


def _seconds_each(lines: list[dict[str, Any]]) -> float:
    return statistics.fmean(line.get("wall_s") or 0.0 for line in lines[-RECENT_STEPS:])


def _validation(lines: list[dict[str, Any]]) -> str | None:
    """Such as `gsm8k 64.2%, math500 31.0%`: the newest of each set."""
    newest = {line["set"]: line["accuracy"] for line in lines}
    return ", ".join(f"{name} {accuracy:.1%}" for name, accuracy in newest.items()) or None


def _alarms(lines: list[dict[str, Any]]) -> str | None:
    """Such as `collapse (stop, 92)`: each rule's newest alarm."""
    newest = {line["rule"]: line for line in lines}
    return ", ".join(f"{rule} ({line['level']}, {line['rollout_step']})" for rule, line in newest.items()) or None
