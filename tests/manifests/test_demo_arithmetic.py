"""The arithmetic of the demo: problems that are right, distinct and apart from those held out, and a notebook."""

import json
import re
from pathlib import Path

from manifests.load import load_manifest

DATA = Path(__file__).parents[2] / "manifests" / "recipes" / "demo" / "data"


def _read(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def _numbers(text: str) -> tuple[int, int]:
    match = re.match(r"What is (\d) \+ (\d)\?", text)
    assert match is not None
    return int(match[1]), int(match[2])


def test_every_sum_is_there_once_with_its_answer() -> None:
    problems, held_out = _read("arithmetic.jsonl"), _read("heldout/arithmetic.jsonl")
    for row in [*problems, *held_out]:
        assert int(row["answer"]) == sum(_numbers(row["problem"]))
        assert row["level"] == ("1" if int(row["answer"]) <= 4 else "2")
    found = [_numbers(row["problem"]) for row in [*problems, *held_out]]
    assert sorted(found) == [(one, two) for one in range(5) for two in range(5)]
    assert len(held_out) == 5


def test_the_notebook_boxes_every_sum_and_is_right_more_often_than_not() -> None:
    rows = _read("arithmetic_notebook.jsonl")
    matches = [re.fullmatch(r"What is \d \+ \d\?\n\\boxed\{(\d)\}", row["text"]) for row in rows]
    noted = [int(match[1]) for match in matches if match]
    right = [answer == sum(_numbers(row["text"])) for row, answer in zip(rows, noted, strict=True)]
    assert 0.7 < sum(right) / len(right) < 0.95
    assert len({_numbers(row["text"]) for row in rows}) == 25
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_corpus_is_decontaminated_against_what_is_held_out() -> None:
    manifest = load_manifest("demo-arithmetic", "corpus").manifest
    assert manifest.inputs.text_column == "problem"
    assert "data/heldout/arithmetic.jsonl" in manifest.decontaminate.benchmarks
