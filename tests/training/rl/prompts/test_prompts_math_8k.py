"""The usual prompts of R1-Zero runs on MATH, built and prepared: no problem of a benchmark is left among them."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

from curation.build import build_corpus
from curation.executors import Machine
from curation.plan import plan_build
from manifests.layout import DataFolder
from manifests.load import load_manifest
from training.rl.prompts.prepare import prepare_prompts

SETS: dict[str, dict[str, Any]] = {
    "math500": {"file": "downloads/benchmarks/math500.test.jsonl"},
    "gsm8k": {"file": "downloads/benchmarks/gsm8k.test.jsonl.gz", "problem_column": "question"},
    "amc23": {"file": "downloads/benchmarks/amc23.test.jsonl"},
    "olympiad": {
        "file": "downloads/benchmarks/olympiad_bench.test.jsonl.gz",
        "problem_column": "question",
        "answers": {"column": "final_answer"},
    },
}


def bare(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def read(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    return [json.loads(line) for line in (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()]


def test_no_benchmark_problem_is_left_among_the_prompts(shared_data: Path, tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    recipe = load_manifest("math-8k")
    place = data.root / "downloads" / "LIMR" / "data" / "prompts"
    place.mkdir(parents=True)
    shutil.copyfile(shared_data / "benchmarks" / "math_rl_8k.train.jsonl.gz", place / "math.8k.jsonl.gz")
    for name in recipe.manifest.decontaminate.benchmarks:
        (data.root / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(shared_data / Path(name).relative_to("downloads"), data.root / name)
    build_corpus(plan_build(recipe, data), data, Machine())
    content = {
        "kind": "rl",
        "name": "tiny",
        "version": 1,
        "checkpoint": "model",
        "prompts": {"corpus": "math-8k@1"},
        "validation": {"sets": SETS},
        "rollout": {"length_schedule": [[0, 64]]},
        "rollout_steps": 4,
    }
    (tmp_path / "tiny.yaml").write_text(json.dumps(content))
    prompts = prepare_prompts(load_manifest(tmp_path / "tiny.yaml"), data, None)

    benchmarks = [read(data.root / name) for name in recipe.manifest.decontaminate.benchmarks]
    problems = {bare(row.get("problem") or row["question"]) for rows in benchmarks for row in rows}
    trained = [prompt.problem for prompt in prompts.train]
    raw = read(shared_data / "benchmarks" / "math_rl_8k.train.jsonl.gz")
    assert sum(bare(row["prompt"]) in problems for row in raw) > 2_900
    assert not [problem.id for problem in trained if bare(problem.text) in problems]
    assert len({bare(problem.text) for problem in trained}) > 5_000

    train = prompts.facts["train"]
    assert train["kept"] + sum(train["removed"].values()) == train["problems"] == recipe.manifest.expected.documents
    assert train["removed"] == {"duplicate": 2, "no_answer": 2}
    answers = {row["id"]: row["answer"] for row in raw}
    assert all(problem.truth == answers[problem.id].strip() for problem in trained)
    assert prompts.facts["validation"]["math500"]["kept"] == 500
    assert not any("decontaminat" in note for note in prompts.notes)
