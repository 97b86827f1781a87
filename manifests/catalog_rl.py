"""The views over RL runs: their JSONL files as if they were tables. See training/rl/journal.py for who writes them."""

from pathlib import Path

from manifests.catalog_tables import COUNT, NUMBER, TEXT, no_rows
from manifests.layout import DataFolder
from manifests.sql import literal

PHASE = "grpo"  # where an RL run trains, in its folder

_SHARES = dict.fromkeys(
    ("boxed", "early_box", "many_boxes", "repetition", "mixed_language", "truncated", "timeout", "error"), NUMBER
)
ROLLOUT_COLUMNS = {
    "rollout_step": COUNT, "step": COUNT, "cap": COUNT, "reward": NUMBER, "reward_std": NUMBER, "accuracy": NUMBER,
    "correct": COUNT, "responses": COUNT, **_SHARES, "response_tokens_mean": NUMBER, "response_tokens_max": COUNT,
    "correct_tokens_mean": NUMBER, "groups": COUNT, "groups_all_right": COUNT, "groups_all_wrong": COUNT,
    "tokens": COUNT, "tokens_per_s": NUMBER, "loss": NUMBER, "learning_rate": NUMBER, "grad_norm": NUMBER,
    "entropy": NUMBER, "kl": NUMBER, "clip_fraction": NUMBER, "probability_gap": NUMBER, "wall_s": NUMBER,
}  # fmt: skip
VALIDATION_COLUMNS = {
    "rollout_step": COUNT, "step": COUNT, "set": TEXT, "problems": COUNT, "accuracy": NUMBER, "correct": COUNT,
    "boxed": NUMBER, "truncated": NUMBER, "repetition": NUMBER, "response_tokens_mean": NUMBER,
    "correct_tokens_mean": NUMBER, "cap": COUNT,
}  # fmt: skip
ALARM_COLUMNS = {
    "rollout_step": COUNT, "level": TEXT, "rule": TEXT, "evidence": TEXT, "remedy": TEXT, "examples": "VARCHAR[]",
}  # fmt: skip
RESPONSE_COLUMNS = {
    "rollout_step": COUNT, "prompt": TEXT, "text": TEXT, "truth": TEXT, "answer": TEXT, "reason": TEXT,
    "tokens": COUNT, "score": NUMBER, "correct": NUMBER, **_SHARES,
}  # fmt: skip


def rollouts(data: DataFolder, run: str) -> str:
    """One row a rollout step."""
    return _lines(run, _folder(data, run) / "metrics.jsonl", ROLLOUT_COLUMNS)


def validations(data: DataFolder, run: str) -> str:
    """One row a validation set and time."""
    return _lines(run, _folder(data, run) / "validation.jsonl", VALIDATION_COLUMNS)


def alarms(data: DataFolder, run: str) -> str:
    """One row an alarm."""
    return _lines(run, _folder(data, run) / "health.jsonl", ALARM_COLUMNS)


def responses(data: DataFolder, run: str) -> str:
    """One row a response."""
    return _lines(run, _folder(data, run) / "responses" / "*.jsonl.gz", RESPONSE_COLUMNS)


def _folder(data: DataFolder, run: str) -> Path:
    return data.run(run) / PHASE


def _lines(run: str, path: Path, columns: dict[str, str]) -> str:
    """The lines of JSONL files that may come later than the run."""
    struct = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    lines = f"read_json({literal(path)}, format = 'newline_delimited', allow_empty = true, columns = {{{struct}}})"
    return f"SELECT {literal(run)} AS run, * FROM ({no_rows(columns)} UNION ALL BY NAME SELECT * FROM {lines})"


# What a run was made of: its prompts, and all that the checkpoint before it was made of, of which run/phase.
LINEAGE = """
    SELECT rl.run, 'grpo' AS phase, rl.checkpoint_run || '/' || trained.trained_in AS trained_in, trained.mixture,
        trained.order_digest, NULL AS prompts, NULL AS prompts_digest
    FROM rl_runs rl JOIN trained ON trained.run = rl.checkpoint_run AND trained.phase = rl.checkpoint_phase
    UNION ALL
    SELECT run, 'grpo', 'grpo', NULL, NULL, prompts, prompts_digest FROM rl_runs
"""
