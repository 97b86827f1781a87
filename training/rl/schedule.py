"""The progressive length schedule: how long a response may be in each rollout step. Rollout steps count from 1."""

from collections.abc import Sequence
from dataclasses import dataclass

from manifests.kinds.rl import LengthStage


@dataclass(frozen=True)
class Span:
    """Rollout steps `first` to `last`, both included, that have one cap; `last` is None for the rest of an open run."""

    first: int
    last: int | None
    cap: int  # tokens


def cap_at(stages: Sequence[LengthStage], rollout_step: int) -> int:
    """The longest response of a rollout step, in tokens. A stage `[100, 4096]` begins with rollout step 101."""
    return [stage.max_response_tokens for stage in stages if stage.from_rollout_step < max(rollout_step, 1)][-1]


def spans(stages: Sequence[LengthStage], rollout_steps: int | None = None) -> list[Span]:
    """The stages as spans of rollout steps, in order; the last one ends with the run, where its length is given."""
    ends = [stage.from_rollout_step for stage in stages[1:]]
    return [
        Span(stage.from_rollout_step + 1, end, stage.max_response_tokens)
        for stage, end in zip(stages, [*ends, rollout_steps], strict=True)
    ]
