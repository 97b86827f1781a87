"""The line of one rollout step: what its responses say, and what TRL says of the updates made with them."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from training.rl.responses import Response, summarise

OF_TRL = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "entropy": "entropy",
    "kl": "kl",
    "clip_fraction": "clip_ratio/region_mean",
}
"""Our name → TRL's, for what is averaged over a rollout step's optimizer steps."""


def rollout_line(
    rollout_step: int,
    step: int,
    cap: int,
    groups: Sequence[Sequence[Response]],
    logs: Sequence[Mapping[str, Any]],
    tokens_before: int,
    wall_s: float,
) -> dict[str, Any]:
    """A line of metrics.jsonl; `logs` is TRL's, one an optimizer step. Seconds are those of sampling and updates."""
    new = sum(response.tokens for group in groups for response in group)
    return {
        "rollout_step": rollout_step,
        "step": step,
        "cap": cap,
        **summarise(groups),
        "tokens": tokens_before + new,
        "tokens_per_s": new / wall_s,
        "learning_rate": logs[-1]["learning_rate"],
        **{name: _mean([log.get(key) for log in logs]) for name, key in OF_TRL.items()},
        "probability_gap": None,  # one implementation samples and learns
        "wall_s": wall_s,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return statistics.fmean(known) if known else None
