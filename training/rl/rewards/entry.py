"""What verl calls, inside the package that `package.py` writes: `compute_score`, whose terms are in reward.json.

Lengths come through `extra_info`: `response_tokens`, `max_response_tokens` (the cap of the rollout step) and
`truncated` (left out: whether the response is as long as the cap).
"""

import functools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classifiers.answers.check import require_checker
from training.rl.rewards.compose import Judgement, Length, Reward

TERMS = Path(__file__).parents[1] / "reward.json"
MOST_TOLD = 20  # errors a process tells; chosen here, so that hostile answers cannot fill a log

_told: set[str] = set()


@functools.cache
def reward() -> Reward:
    """The reward of the package. Raises OSError, ValueError or KeyError where reward.json is damaged."""
    return Reward(json.loads(TERMS.read_text("utf-8"))["terms"])


def require() -> None:
    """Raises where nothing could be judged: reward.json is damaged, or math-verify is missing beside verl."""
    reward()
    require_checker()


def compute_score(
    data_source: Any = None, solution_str: Any = "", ground_truth: Any = "", extra_info: Any = None, **_: Any
) -> dict[str, float]:
    """The metrics of a response, `score` among them, always under the same names. Never raises.

    `acc` is `correct` under the name by which verl reports the accuracy of a validation set.
    """
    judgement = _judge(solution_str, ground_truth, extra_info)
    if judgement.error is not None:
        _tell_once(judgement.error)
    return {**judgement.metrics, "acc": float(judgement.verdict.correct)}


def _judge(response: Any, truth: Any, extra_info: Any) -> Judgement:
    try:
        length = length_of(extra_info)
    except (TypeError, ValueError, OverflowError) as error:
        return reward().unjudged(f"extra_info: a length cannot be read ({error}); expected whole numbers of tokens")
    return reward().judge(response, truth, length)


def length_of(extra_info: Any) -> Length | None:
    """The length that a row's `extra_info` tells, None if it tells none. Raises where it is not a number."""
    known = extra_info if isinstance(extra_info, Mapping) else {}
    tokens, cap, truncated = (known.get(key) for key in ("response_tokens", "max_response_tokens", "truncated"))
    if tokens is None or cap is None:
        return None
    tokens, cap = int(tokens), int(cap)
    return Length(tokens, cap, tokens >= cap if truncated is None else bool(truncated))


def _tell_once(error: str) -> None:
    """Says on stderr what could not be judged, once in a process; the metric `error` counts every time."""
    if error not in _told and len(_told) < MOST_TOLD:
        _told.add(error)
        print(f"octo_reward: {error}", file=sys.stderr, flush=True)
