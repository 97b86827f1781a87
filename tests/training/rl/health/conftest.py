"""Synthetic runs: rollout and validation lines with a shape that a test gives."""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from training.rl.health.alarm import Alarm
from training.rl.health.watch import HealthWatch

Line = dict[str, Any]
SETS = {"gsm8k": (1_319, 0.8), "math500": (500, 0.5), "olympiadbench": (675, 0.2), "amc23": (40, 0.3)}


def _rollout(step: int, **facts: Any) -> Line:
    return {
        "rollout_step": step, "step": 2 * step, "cap": 4096, "reward": 0.0, "reward_std": 0.5, "accuracy": 0.5,
        "correct": 1024, "responses": 2048, "boxed": 0.9, "early_box": 0.01, "many_boxes": 0.05, "repetition": 0.01,
        "mixed_language": 0.0, "truncated": 0.05, "timeout": 0.001, "error": 0.0, "response_tokens_mean": 900.0,
        "response_tokens_max": 4096, "correct_tokens_mean": 700.0, "groups": 128, "groups_all_right": 20,
        "groups_all_wrong": 20, "entropy": 0.4, "kl": None, "probability_gap": 0.005,
    } | facts  # fmt: skip


def _validations(
    level: Callable[[int], float],
    steps: range,
    seed: int = 0,
    sets: dict[str, tuple[int, float]] | None = None,
    **facts: Any,
) -> list[Line]:
    """Validation lines whose accuracies are drawn around `level(step)` (1 = the set's best)."""
    drawn, lines = random.Random(seed), []
    for step in steps:
        for name, (problems, best) in (sets or SETS).items():
            share = min(max(best * level(step), 0.0), 1.0)
            correct = sum(drawn.random() < share for _ in range(problems))
            line = {
                "rollout_step": step,
                "set": name,
                "accuracy": correct / problems,
                "problems": problems,
                "cap": 8192,
            }
            lines.append(line | {"correct_tokens_mean": 900.0 if correct else None} | facts)
    return lines


def _alarms(lines: list[Line], stages: Any = None) -> list[Alarm]:
    watch = HealthWatch(stages)
    return [alarm for line in lines for alarm in watch.observe(line)] + watch.finish()


def _rising(step: int) -> float:
    """As a healthy run learns: fast at first, then ever more slowly."""
    return 0.2 + 0.8 * (1 - math.exp(-step / 30))


@pytest.fixture
def rollout() -> Callable[..., Line]:
    """`rollout(step, **facts)`: a healthy rollout line, but for the facts."""
    return _rollout


@pytest.fixture
def validations() -> Callable[..., list[Line]]:
    """`validations(level, steps, seed, sets, **facts)`: validation lines around a course of accuracy."""
    return _validations


@pytest.fixture
def alarms_of() -> Callable[..., list[Alarm]]:
    """`alarms_of(lines, stages)`: every alarm of a watch that hears the lines."""
    return _alarms


@pytest.fixture
def rising() -> Callable[[int], float]:
    """The course of a healthy run."""
    return _rising
