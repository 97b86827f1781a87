"""RL runs in SQL: their logs as tables, and where their weights come from."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from manifests.catalog import reader, rebuild, register_run
from manifests.layout import DataFolder
from manifests.records import write_record

RECORD = {
    "identity": "zero@1", "kind": "rl", "backend": "local", "device": "cpu", "checkpoint": "base@1/long",
    "checkpoint_run": "base@1", "checkpoint_phase": "long", "prompts": "math@1", "prompts_digest": "sha256:p",
    "template": "complex", "rollout_steps": 4,
    "phases": {"grpo": {"state": "running", "steps": 8, "rollout_step": 2, "reward": -0.5, "started": "2026"}},
}  # fmt: skip


def _query(data: DataFolder, sql: str) -> list[tuple[Any, ...]]:
    with reader(data) as connection:
        return connection.execute(sql).fetchall()


def _append(path: Path, line: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "at") if path.suffix == ".gz" else path.open("a") as file:
        file.write(json.dumps(line) + "\n")


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """A training run of two phases, and an RL run from its branch that has only begun."""
    data = DataFolder(tmp_path / "data")
    phases = {name: {"mixture": f"{name}@1", "steps": 4, "state": "done"} for name in ("stable", "long", "short")}
    write_record(data.run("base@1") / "run.json", {"identity": "base@1", "phases": phases})
    write_record(data.run("zero@1") / "run.json", RECORD)
    for run in ("base@1", "zero@1"):
        register_run(data, run)
    return data


def test_a_run_is_one_row(data: DataFolder) -> None:
    asked = "SELECT run, checkpoint_phase, prompts, rollout_step, reward, state FROM rl_runs"
    assert _query(data, asked) == [("zero@1", "long", "math@1", 2, -0.5, "running")]
    assert _query(data, "SELECT phase, steps FROM runs WHERE run = 'zero@1'") == [("grpo", 8)]


def test_logs_that_come_after_the_run_was_registered_are_seen(data: DataFolder) -> None:
    assert _query(data, "FROM rollouts") == _query(data, "FROM responses") == []
    folder = data.run("zero@1") / "grpo"
    _append(folder / "metrics.jsonl", {"rollout_step": 1, "step": 2, "reward": 0.25, "correct_tokens_mean": None})
    _append(folder / "validation.jsonl", {"rollout_step": 0, "step": 0, "set": "gsm8k", "accuracy": 0.5})
    _append(folder / "health.jsonl", {"rollout_step": 1, "step": 2, "rule": "r", "level": "warn", "examples": ["x"]})
    _append(folder / "responses" / "00000001.jsonl.gz", {"rollout_step": 1, "prompt": "p", "score": -1.0})
    _append(folder / "responses" / "00000002.jsonl.gz", {"rollout_step": 2, "prompt": "q", "score": 1.0})
    assert _query(data, "SELECT run, rollout_step, reward FROM rollouts") == [("zero@1", 1, 0.25)]
    assert _query(data, "SELECT set, accuracy FROM validations") == [("gsm8k", 0.5)]
    assert _query(data, "SELECT rule, examples FROM alarms") == [("r", ["x"])]
    assert _query(data, "SELECT rollout_step, score FROM responses ORDER BY ALL") == [(1, -1.0), (2, 1.0)]


def test_lineage_goes_through_the_checkpoint_to_its_mixtures_and_to_the_prompts(data: DataFolder) -> None:
    asked = "SELECT trained_in, mixture, corpus, corpus_digest FROM lineage WHERE run = 'zero@1' ORDER BY ALL"
    assert _query(data, asked) == [
        ("base@1/long", "long@1", None, None),
        ("base@1/stable", "stable@1", None, None),
        ("grpo", None, "math@1", "sha256:p"),
    ]


def test_rebuilding_gives_the_same_rows(data: DataFolder) -> None:
    tables = ("rl_runs", "runs", "lineage")
    before = [_query(data, f"FROM {table} ORDER BY ALL") for table in tables]
    rebuild(data)
    assert [_query(data, f"FROM {table} ORDER BY ALL") for table in tables] == before
