"""The arithmetic prompts of the demo: right, distinct, and apart from those that are held out."""

import json
import re
from pathlib import Path

from manifests.load import load_manifest

DATA = Path(__file__).parents[2] / "manifests" / "recipes" / "demo" / "data"


def read_rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def test_every_answer_is_right_and_every_problem_of_one_digit_is_there_once() -> None:
    prompts, held_out = read_rows("arithmetic.jsonl"), read_rows("heldout/arithmetic.jsonl")
    assert (len(prompts), len(held_out)) == (124, 31)
    found = set()
    for row in [*prompts, *held_out]:
        match = re.fullmatch(r"What is (\d) ([+-]) (\d)\?", row["problem"])
        assert match is not None and set(row) == {"id", "problem", "answer", "level"}
        one, sign, two = int(match[1]), match[2], int(match[3])
        assert int(row["answer"]) == (one + two if sign == "+" else one - two) >= 0
        assert row["level"] == ("2" if sign == "-" else "1" if one + two <= 9 else "3")
        found.add((one, sign, two))
    assert len(found) == len(prompts) + len(held_out) == 100 + 55
    assert len({row["id"] for row in [*prompts, *held_out]}) == 155


def test_nothing_held_out_is_a_prompt_even_if_signs_are_not_read() -> None:
    pairs = [
        {tuple(re.findall(r"\d", row["problem"])) for row in read_rows(name)}
        for name in ("arithmetic.jsonl", "heldout/arithmetic.jsonl")
    ]
    assert not pairs[0] & pairs[1]


def test_the_corpus_is_decontaminated_against_what_is_held_out() -> None:
    manifest = load_manifest("demo-arithmetic", "corpus").manifest
    assert manifest.inputs.text_column == "problem"
    assert "data/heldout/arithmetic.jsonl" in manifest.decontaminate.benchmarks
