"""Real responses: solutions that are right, and must not be called degenerate."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest


def _rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="session")
def healthy(shared_data: Path) -> dict[str, list[str]]:
    """Set → right solutions: of people and of models, short and long."""
    sampled = _rows(shared_data / "grading/math.cot_samples_100.jsonl.gz")
    long = _rows(shared_data / "grading/math_answer_cases.jsonl.gz")
    return {
        "sampled": [text for row in sampled for text, right in zip(row["code"], row["score"], strict=True) if right],
        "math": [row["solution"] for row in _rows(shared_data / "benchmarks/math.train.jsonl.gz")],
        "long": [row["response"] for row in _rows(shared_data / "mixture-sources/long_cot.marco_o1.jsonl.gz")],
        "thinking": [
            text for row in long for text, score in zip(row["generateds"], row["rewards"], strict=True) if score > 0
        ],
    }
