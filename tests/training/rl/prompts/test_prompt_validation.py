"""Validation sets: read with their lines, drawn the same every time, and never trained on."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, TrainingError
from training.rl.prompts.files import write_prompts
from training.rl.prompts.prepare import prepare_prompts
from training.rl.prompts.tokenizer import read_tokenizer

Jsonl = Callable[[Path, list[Any]], Path]
TRAINED = [
    {"id": "1", "problem": "Find the sum of $3$ and $4$.", "answer": "7"},
    {"id": "2", "problem": "Find the product of 3 and 4.", "answer": "12"},
    {"id": "3", "problem": "What is 3 - 4?", "answer": "-1"},
]


def held(name: str = "held.jsonl", **changes: Any) -> dict[str, Any]:
    return {"sets": {"held": {"file": name} | changes}}


def test_what_is_measured_is_not_trained_on(problems: Any, tmp_path: Path, jsonl: Jsonl) -> None:
    problems.build(TRAINED)
    jsonl(
        tmp_path / "held.jsonl",
        [{"problem": "FIND the sum of 3 and 4", "answer": 7}, {"problem": "What is $3+4$?", "answer": 7}],
    )
    prompts = prepare_prompts(problems.manifest(validation=held()), problems.data, None)
    assert [prompt.problem.id for prompt in prompts.train] == ["2"]
    assert [(item.data_source, item.id, item.reason, item.detail) for item in prompts.removed] == [
        ("problems@1", "1", "in_validation", "held:1: the same letters and digits"),
        ("problems@1", "3", "in_validation", "held:2: the same letters and digits"),
    ]


def test_problems_that_are_not_asked_are_not_trained_on_either(problems: Any, tmp_path: Path, jsonl: Jsonl) -> None:
    problems.build(TRAINED)
    rows = [
        {"problem": "Find the sum of 3 and 4.", "answer": None},
        {"problem": "Find the product of 3 and 4.", "answer": ""},
        {"problem": "", "answer": "3"},
        {"problem": "One?", "answer": 1},
        {"problem": "Two?", "answer": [2.0]},
    ]
    jsonl(tmp_path / "held.jsonl", rows)
    prompts = prepare_prompts(problems.manifest(validation=held()), problems.data, None)
    assert [prompt.problem.id for prompt in prompts.train] == ["3"]
    assert [(prompt.problem.id, prompt.problem.truth, prompt.index) for prompt in prompts.validation] == [
        ("held:4", "1", 0), ("held:5", "2", 1),
    ]  # fmt: skip
    facts = prompts.facts["validation"]["held"]
    assert (facts["problems"], facts["kept"], facts["removed"]) == (5, 2, {"no_answer": 2, "no_problem": 1})
    lost = "validation.sets.held: 3 of 5 problems cannot be asked (2 no_answer, 1 no_problem); accuracy is measured"
    assert any(note.startswith(lost) for note in prompts.notes)


def test_rows_of_several_sets_lie_in_one_file(problems: Any, tmp_path: Path, jsonl: Jsonl) -> None:
    import pyarrow.parquet as pq

    problems.build(TRAINED)
    jsonl(tmp_path / "one.jsonl", [{"problem": "One?", "answer": 1.0}])
    rows = [{"question": "Four?", "final_answer": ["$2$,$2$"]}, {"question": "Q", "final_answer": ["x"]}]
    (tmp_path / "two.jsonl.gz").write_bytes(gzip.compress("\n\n".join(map(json.dumps, rows)).encode()))
    sets = {
        "one": {"file": "one.jsonl"},
        "two": {"file": "two.jsonl.gz", "problem_column": "question", "answers": {"column": "final_answer"}},
    }
    asked = {"corpus": "problems@1", "template": "mine"}
    loaded = problems.manifest(validation={"sets": sets}, templates={"mine": "Q: {question}"}, prompts=asked)
    write_prompts(prepare_prompts(loaded, problems.data, None), tmp_path / "prompts")
    rows = pq.read_table(tmp_path / "prompts" / "validation.parquet").to_pylist()
    shown = [(row["data_source"], row["extra_info"]["id"], row["extra_info"]["index"]) for row in rows]
    assert shown == [("one", "one:1", 0), ("two", "two:1", 1), ("two", "two:3", 2)]
    assert {row["extra_info"]["split"] for row in rows} == {"validation"}
    assert [row["prompt"][0]["content"] for row in rows] == ["Q: One?", "Q: Four?", "Q: Q"]
    assert [row["reward_model"]["ground_truth"] for row in rows] == ["1", "$2$,$2$", "x"]


def test_the_same_problems_are_drawn_every_time(problems: Any, tmp_path: Path, jsonl: Jsonl) -> None:
    problems.build(TRAINED)
    rows = [{"problem": f"What is {n} squared?", "answer": n * n} for n in range(50)]
    drawn = []
    for order in (rows, rows[::-1]):
        jsonl(tmp_path / "held.jsonl", order)
        loaded = problems.manifest(validation=held() | {"max_problems": 12})
        prompts = prepare_prompts(loaded, problems.data, None)
        drawn.append({prompt.problem.text for prompt in prompts.validation})
        facts = prompts.facts["validation"]["held"]
        assert (facts["problems"], facts["kept"], facts["removed"]) == (50, 12, {"beyond_max_problems": 38})
        lines = [int(prompt.problem.id.split(":")[1]) for prompt in prompts.validation]
        assert lines == sorted(lines)
        assert {item.detail for item in prompts.removed} == {"max_problems is 12"}
        assert not any("cannot be asked" in note for note in prompts.notes)
    assert drawn[0] == drawn[1] and len(drawn[0]) == 12
    more = prepare_prompts(problems.manifest(validation=held() | {"max_problems": 20}), problems.data, None)
    assert drawn[0] < {prompt.problem.text for prompt in more.validation}


def test_prompts_too_long_to_measure_are_told(
    problems: Any, tmp_path: Path, jsonl: Jsonl, families: dict[str, Path]
) -> None:
    problems.build(TRAINED)
    jsonl(tmp_path / "held.jsonl", [{"problem": "1 + " * 99 + "1?", "answer": 100}, {"problem": "One?", "answer": 1}])
    loaded = problems.manifest(
        validation=held(), prompts={"corpus": "problems@1", "template": "plain", "max_prompt_tokens": 60}
    )
    prompts = prepare_prompts(loaded, problems.data, read_tokenizer(families["llama_3"]))
    assert [(item.data_source, item.id, item.reason) for item in prompts.removed] == [("held", "held:1", "too_long")]
    assert any("1 of 2 problems cannot be asked (1 too_long)" in note for note in prompts.notes)
    jsonl(tmp_path / "held.jsonl", [{"problem": "1 + " * 99 + "1?", "answer": 100}])
    with pytest.raises(TrainingError, match=r"validation\.sets\.held: no problem is left; .* Removed: 1 too_long\."):
        prepare_prompts(loaded, problems.data, read_tokenizer(families["llama_3"]))


def test_the_plan_is_told_what_was_decontaminated(
    problems: Any, tmp_path: Path, jsonl: Jsonl, families: dict[str, Path]
) -> None:

    jsonl(tmp_path / "held.jsonl", [{"problem": "Find the sum of 3 and 4.", "answer": 7}])
    jsonl(tmp_path / "other.jsonl", [{"problem": "Another?", "answer": 7}])
    tokenizer = read_tokenizer(families["llama_3"])
    problems.build(TRAINED)
    prompts = prepare_prompts(problems.manifest(validation=held()), problems.data, tokenizer)
    (note,) = prompts.notes
    assert note.startswith("problems@1 was built without `decontaminate`: of the validation sets' problems only those")
    assert prompts.facts["corpus"]["decontaminated"] is False and prompts.facts["notes"] == [note]
    shutil.rmtree(problems.data.root)
    problems.build(TRAINED, "decontaminate: {benchmarks: [held.jsonl]}")
    prompts = prepare_prompts(problems.manifest(validation=held()), problems.data, tokenizer)
    assert prompts.notes == () and prompts.facts["train"]["problems"] == 2
    prompts = prepare_prompts(problems.manifest(validation=held("other.jsonl")), problems.data, tokenizer)
    assert prompts.notes[0].startswith("problems@1 was not decontaminated against other.jsonl (validation.sets.held)")
    (untold,) = prepare_prompts(problems.manifest(), problems.data, None).notes
    assert untold.startswith("no tokenizer: the lengths of the prompts are not known")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b'{"problem": "One?", "answer": 1}\n{"problem": ', r"held\.jsonl:2: is not JSON"),
        (b'{"problem": "\xff", "answer": 1}', r"held\.jsonl:1: is not JSON"),
        (b"\n\n[1]\n", r"held\.jsonl:3: holds list; expected one JSON object a line"),
        (b"[" * 100_000, r"held\.jsonl:1: is not JSON"),
        (b'{"question": "One?", "answer": 1}', r"held\.jsonl:1: has no 'problem'; its columns are question, answer\."),
        (b'{"problem": "One?", "solution": 1}', r"held\.jsonl:1: has no 'answer'; .* validation\.sets\.held\.answers"),
        (b'{"problem": ["One?"], "answer": 1}', r"held\.jsonl:1: 'problem' holds list; expected the problem's text"),
        (b"\n \n", r"held\.jsonl: holds no problem; expected a JSON object a line"),
        (b"", r"held\.jsonl: holds no problem"),
        (b"\x1f\x8bnot gzip", r"held\.jsonl: cannot be read"),
        (gzip.compress(b'{"problem": "One?", "answer": 1}\n' * 9)[:-12], r"held\.jsonl: cannot be read"),
        (b"x" * (16 * 2**20 + 5), r"held\.jsonl:1: passes 16,777,216 bytes a line"),
    ],
    ids=range(12),
)  # fmt: skip
def test_files_that_are_no_problems_are_explained(problems: Any, tmp_path: Path, lines: bytes, message: str) -> None:
    (tmp_path / "held.jsonl").write_bytes(lines)
    with pytest.raises(InputError, match=message):
        prepare_prompts(problems.manifest(validation=held()), problems.data, None)


def test_a_file_that_is_not_there_is_an_error(problems: Any) -> None:
    with pytest.raises(InputError, match=r"nowhere\.jsonl: cannot be read \(No such file"):
        prepare_prompts(problems.manifest(validation=held("nowhere.jsonl")), problems.data, None)


def test_a_file_below_downloads_counts_from_the_data_folder(problems: Any, jsonl: Jsonl) -> None:
    problems.build(TRAINED)
    (problems.data.root / "downloads").mkdir()
    jsonl(problems.data.root / "downloads" / "set.jsonl", [{"problem": "One?", "answer": 1}])
    prompts = prepare_prompts(problems.manifest(validation=held("downloads/set.jsonl")), problems.data, None)
    assert len(prompts.validation) == 1


def test_a_bomb_is_not_unpacked(problems: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.rl.prompts.validation.FILE_LIMIT_BYTES", 1000)
    row = b'{"problem": "One?", "answer": 1}\n'
    (tmp_path / "held.jsonl").write_bytes(gzip.compress(row * 100))
    with pytest.raises(InputError, match=r"held\.jsonl:31: passes .* or 1,000 in all"):
        prepare_prompts(problems.manifest(validation=held()), problems.data, None)
