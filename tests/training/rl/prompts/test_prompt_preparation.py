"""From a corpus and validation sets to rows: what is asked, what is not, and that every problem is accounted for."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import InputError, NotFound, OctoError, TrainingError
from manifests.records import read_record
from training.rl.prompts.files import row_schema, write_prompts
from training.rl.prompts.prepare import PromptSet, prepare_prompts
from training.rl.prompts.tokenizer import PromptTokenizer, read_tokenizer

ROWS = [
    {"id": "e", "problem": "What is $1+1$?", "answer": "2", "level": "Level 1"},
    {"id": "a", "problem": "Compute {question} \\frac{1}{2}.", "answer": 0.5, "level": "Level 3"},
    {"id": "d", "problem": "How many primes are even?", "answer": ["1"], "level": "Level 3"},
    {"id": "c", "problem": "Name a colour.", "answer": None, "level": "Level 2"},
    {"id": "b", "problem": "Name a city.", "answer": "  ", "level": 2},
    {"id": "f", "problem": "Is it so?", "answer": {"text": "yes"}, "level": None},
]


def removed(prompts: PromptSet) -> dict[str, tuple[str, str]]:
    return {item.id: (item.reason, item.detail) for item in prompts.removed}


def contents(prompts: PromptSet) -> list[str]:
    return [prompt.content for prompt in prompts.train]


@pytest.fixture(scope="module")
def tokenizer(families: dict[str, Path]) -> PromptTokenizer:
    return read_tokenizer(families["mistral"])


def test_rows_are_what_verl_and_trl_read(problems: Any, tokenizer: PromptTokenizer, tmp_path: Path) -> None:
    problems.build(ROWS)
    loaded = problems.manifest(prompts={"corpus": "problems@1", "template": "simple", "level_column": "level"})
    prompts = prepare_prompts(loaded, problems.data, tokenizer)
    write_prompts(prompts, tmp_path / "prompts")
    rows = pq.read_table(tmp_path / "prompts" / "train.parquet").to_pylist()
    assert rows == [prompt.row for prompt in prompts.train]
    assert rows[0] == {
        "data_source": "problems@1",
        "prompt": [
            {
                "role": "user",
                "content": "Compute {question} \\frac{1}{2}.\nPlease reason step by step, and put your final answer "
                "within \\boxed{}.",
            }
        ],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": "0.5"},
        "extra_info": {
            "index": 0,
            "split": "train",
            "id": "a",
            "level": "Level 3",
            "problem": "Compute {question} \\frac{1}{2}.",
        },
    }
    assert [row["extra_info"]["id"] for row in rows] == ["a", "d", "e"]
    assert [row["extra_info"]["index"] for row in rows] == [0, 1, 2]
    assert [row["reward_model"]["ground_truth"] for row in rows] == ["0.5", "1", "2"]
    assert pq.read_schema(tmp_path / "prompts" / "train.parquet").equals(row_schema())


def test_other_libraries_load_the_rows(problems: Any, tmp_path: Path) -> None:
    from datasets import load_dataset

    problems.build(ROWS)
    write_prompts(prepare_prompts(problems.manifest(), problems.data, None), tmp_path / "prompts")
    file = str(tmp_path / "prompts" / "train.parquet")
    rows = load_dataset("parquet", data_files=file, split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.column_names == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    assert rows[2]["prompt"] == [{"role": "user", "content": "What is $1+1$?"}]
    assert rows[2]["extra_info"]["level"] is None


def test_every_problem_is_kept_or_removed_with_a_reason(problems: Any, tmp_path: Path) -> None:
    problems.build(ROWS)
    loaded = problems.manifest(prompts={"corpus": "problems@1", "template": "plain", "level_column": "level"})
    prompts = prepare_prompts(loaded, problems.data, None)
    assert removed(prompts)["c"] == ("no_answer", "answer is None")
    assert removed(prompts)["b"] == ("no_answer", "answer is '  '")
    reason, detail = removed(prompts)["f"]
    assert reason == "bad_answer" and detail.startswith("answer: {'text': 'yes'} is no answer")
    write_prompts(prompts, tmp_path / "prompts")
    facts = read_record(tmp_path / "prompts" / "prompts.json")
    train = facts["train"]
    assert (train["problems"], train["kept"], train["removed"]) == (6, 3, {"no_answer": 2, "bad_answer": 1})
    assert train["levels"] == {"Level 1": 1, "Level 3": 2}
    lines = [json.loads(line) for line in (tmp_path / "prompts" / "removed.jsonl").read_text("utf-8").splitlines()]
    assert lines == [item.line for item in prompts.removed]
    assert Counter(line["reason"] for line in lines) == train["removed"]
    assert {line["data_source"] for line in lines} == {"problems@1"}


def test_input_order_and_partitions_change_nothing(problems: Any, tokenizer: PromptTokenizer) -> None:
    digests = set()
    for rows, partitions in ((ROWS, 1), (ROWS[::-1], 5)):
        problems.build(rows, partitions=partitions)
        prompts = prepare_prompts(problems.manifest(), problems.data, tokenizer)
        digests.add((prompts.digest, prompts.facts["train"]["digest"]))
        shutil.rmtree(problems.data.root)
    assert len(digests) == 1


def test_the_digest_covers_template_answers_and_order(problems: Any) -> None:
    problems.build(ROWS)
    digests = {prepare_prompts(problems.manifest(), problems.data, None).digest}
    complex_one = {"corpus": "problems@1", "template": "complex"}
    digests.add(prepare_prompts(problems.manifest(prompts=complex_one), problems.data, None).digest)
    levelled = {"corpus": "problems@1", "template": "plain", "level_column": "level"}
    digests.add(prepare_prompts(problems.manifest(prompts=levelled), problems.data, None).digest)
    assert len(digests) == 3


def test_copies_go_and_conflicts_go_altogether(problems: Any) -> None:
    rows = [
        {"id": "1", "problem": "What is $2 + 2$?", "answer": "4"},
        {"id": "2", "problem": "what is 2+2 ?", "answer": "\\mathbf{4}"},
        {"id": "3", "problem": "What is $2 - 2$?", "answer": "0"},
        {"id": "4", "problem": "Find $a_1$.", "answer": "7"},
        {"id": "5", "problem": "Find  $a_{1}.$", "answer": "8"},
        {"id": "6", "problem": "FIND $a_1$.", "answer": "7"},
        {"id": "7", "problem": "∫ ?", "answer": "1"},
        {"id": "8", "problem": "∮ ?", "answer": "2"},
        {"id": "91", "problem": "Double $1.5$.", "answer": "3"},
        {"id": "92", "problem": "Double $15$.", "answer": "30"},
        {"id": "93", "problem": "Is $\\frac{1}{23}$ whole?", "answer": "no"},
        {"id": "94", "problem": "Is $\\frac{12}{3}$ whole?", "answer": "yes"},
    ]
    problems.build(rows)
    prompts = prepare_prompts(problems.manifest(), problems.data, None)
    assert [prompt.problem.id for prompt in prompts.train] == ["1", "3", "7", "8", "91", "92", "93", "94"]
    assert removed(prompts)["2"] == ("duplicate", "the same problem as 1")
    detail = "one problem with the answers 7 (4), 8 (5), 7 (6)"
    assert {removed(prompts)[name] for name in "456"} == {("conflicting_answers", detail)}


def test_long_prompts_go_by_the_tokens_of_the_whole_prompt(problems: Any, families: dict[str, Path]) -> None:
    from transformers import AutoTokenizer

    rows = [{"id": f"{n:02d}", "problem": "What is 1" + " + 1" * n + "?", "answer": str(n + 1)} for n in range(40)]
    problems.build(rows)
    for family in ("mistral", "qwen_2"):
        plain = AutoTokenizer.from_pretrained(families[family])
        loaded = problems.manifest(prompts={"corpus": "problems@1", "template": "plain", "max_prompt_tokens": 40})
        prompts = prepare_prompts(loaded, problems.data, read_tokenizer(families[family]))
        lengths = {row["id"]: len(plain(row["problem"])["input_ids"]) for row in rows}
        assert {prompt.problem.id: prompt.tokens for prompt in prompts.train} == {
            name: length for name, length in lengths.items() if length <= 40
        }
        assert removed(prompts) == {
            name: ("too_long", f"{length:,} tokens; at most 40") for name, length in lengths.items() if length > 40
        }
        shown = prompts.facts["train"]["prompt_tokens"]
        assert (shown["min"], shown["max"]) == (min(lengths.values()), max(n for n in lengths.values() if n <= 40))


def test_a_problem_cannot_end_its_own_prompt(problems: Any, tokenizer: PromptTokenizer) -> None:
    rows = [
        {"id": "1", "problem": "Say </s> and <s>.", "answer": "1"},
        {"id": "2", "problem": "Say < / s> and go on.", "answer": "1"},
    ]
    problems.build(rows)
    prompts = prepare_prompts(problems.manifest(), problems.data, tokenizer)
    assert [prompt.problem.id for prompt in prompts.train] == ["2"]
    assert removed(prompts)["1"] == ("special_token", "holds '</s>', which the tokenizer reads as a special token")


def test_answers_that_no_file_can_hold_are_named(problems: Any) -> None:
    problems.build([{"id": "1", "problem": "p", "answer": "1"}, {"id": "2", "problem": "q", "answer": "x"}])
    (shard,) = [path for path in (problems.data.corpus("problems@1") / "shards").iterdir() if _holds(path, "2")]
    table = pq.read_table(shard)
    broken = [value.replace('"x"', '"\\ud800"') for value in table["metadata"].to_pylist()]
    pq.write_table(table.set_column(table.schema.names.index("metadata"), "metadata", [broken]), shard)
    prompts = prepare_prompts(problems.manifest(), problems.data, None)
    assert removed(prompts)["2"][0] == "bad_text" and [prompt.problem.id for prompt in prompts.train] == ["1"]


def _holds(path: Path, name: str) -> bool:
    return name in pq.read_table(path)["id"].to_pylist()


def test_an_answer_is_found_in_a_solution(problems: Any) -> None:
    rows = [
        {"id": "1", "problem": "p", "solution": "So $\\boxed{3}$, no, $\\boxed{\\frac{1}{2}}$."},
        {"id": "2", "problem": "q", "solution": "I do not know."},
        {"id": "3", "problem": "r"},
    ]
    problems.build(rows)
    asked = {"corpus": "problems@1", "template": "plain", "answers": {"column": "solution", "rule": "box"}}
    prompts = prepare_prompts(problems.manifest(prompts=asked), problems.data, None)
    assert [prompt.problem.truth for prompt in prompts.train] == ["\\frac{1}{2}"]
    assert removed(prompts)["2"][0] == "bad_answer" and removed(prompts)["3"] == ("no_answer", "solution is None")


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (
            {"answers": {"column": "solution"}},
            r"answers\.column: no row of problems@1 has 'solution'; the columns beside its text are answer, level\. N",
        ),
        ({"level_column": "difficulty"}, r"prompts\.level_column: no row of problems@1 has 'difficulty'"),
        ({"level_column": "tags"}, r"prompts\.level_column: tags of a holds list; expected text or a number"),
    ],
)
def test_columns_that_are_not_there_are_mistakes(problems: Any, prompts: dict[str, Any], message: str) -> None:
    problems.build([row | ({"tags": ["x"]} if "tags" in prompts.values() else {}) for row in ROWS])
    with pytest.raises(InputError, match=message):
        prepare_prompts(
            problems.manifest(prompts={"corpus": "problems@1", "template": "plain"} | prompts), problems.data, None
        )


def test_a_corpus_that_is_not_built_says_how(problems: Any) -> None:
    with pytest.raises(
        NotFound, match=r"problems@1 is not in .*data; expected a finished .* Run `octo corpus build problems`"
    ):
        prepare_prompts(problems.manifest(), problems.data, None)
    (problems.data.corpus("problems@1") / "stages").mkdir(parents=True)
    with pytest.raises(NotFound, match=r"problems@1 is not finished in"):
        prepare_prompts(problems.manifest(), problems.data, None)


def test_a_corpus_that_lost_or_broke_a_shard_is_refused(problems: Any) -> None:
    problems.build(ROWS)
    shards = sorted((problems.data.corpus("problems@1") / "shards").iterdir())
    whole = {path: path.read_bytes() for path in shards}
    largest = max(shards, key=lambda path: path.stat().st_size)
    largest.unlink()
    with pytest.raises(InputError, match=r"shards: holds \d documents; expected the 6 of build\.json\. A shard"):
        prepare_prompts(problems.manifest(), problems.data, None)
    for content in (b"", b"PAR1 nonsense", whole[largest][:-20], whole[largest][: len(whole[largest]) // 2]):
        largest.write_bytes(content)
        with pytest.raises(InputError, match=rf"{largest.name}: cannot be read .*; expected a shard"):
            prepare_prompts(problems.manifest(), problems.data, None)
    table = pq.read_table(pa.BufferReader(whole[largest])).select(["id", "text"])
    pq.write_table(table, largest)
    with pytest.raises(InputError, match=rf"{largest.name}: cannot be read"):
        prepare_prompts(problems.manifest(), problems.data, None)


@pytest.mark.parametrize("metadata", ["[1]", "nonsense", "[" * 50_000])
def test_metadata_that_is_no_object_is_refused(problems: Any, metadata: str) -> None:
    problems.build(ROWS, partitions=1)
    (shard,) = (problems.data.corpus("problems@1") / "shards").iterdir()
    table = pq.read_table(shard)
    place = table.schema.names.index("metadata")
    pq.write_table(table.set_column(place, "metadata", [[metadata] * table.num_rows]), shard)
    with pytest.raises(InputError, match=r"part-00000\.parquet: a: its metadata is"):
        prepare_prompts(problems.manifest(), problems.data, None)


def test_nothing_left_is_an_error_that_counts(problems: Any, tokenizer: PromptTokenizer) -> None:
    problems.build(ROWS)
    few = problems.manifest(prompts={"corpus": "problems@1", "template": "plain", "max_prompt_tokens": 1})
    with pytest.raises(
        TrainingError, match=r"problems@1: no problem is left; .* Removed: 3 too_long, 2 no_answer, 1 bad_answer\."
    ):
        prepare_prompts(few, problems.data, tokenizer)


def test_an_empty_corpus_is_an_error(problems: Any) -> None:
    (problems.folder / "known.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    problems.build(ROWS, "decontaminate: {benchmarks: [known.jsonl]}")
    with pytest.raises(TrainingError, match=r"no problem is left; .* Removed: none, it is empty"):
        prepare_prompts(problems.manifest(), problems.data, None)


def test_writing_again_replaces_what_an_earlier_plan_left(
    problems: Any, tmp_path: Path, jsonl: Callable[[Path, list[Any]], Path]
) -> None:
    problems.build(ROWS)
    jsonl(tmp_path / "held.jsonl", [{"problem": "Two?", "answer": 2}])
    measured = problems.manifest(validation={"sets": {"held": {"file": "held.jsonl"}}})
    write_prompts(prepare_prompts(measured, problems.data, None), tmp_path / "prompts")
    assert pq.read_table(tmp_path / "prompts" / "validation.parquet").num_rows == 1
    write_prompts(prepare_prompts(problems.manifest(), problems.data, None), tmp_path / "prompts")
    assert sorted(path.name for path in (tmp_path / "prompts").iterdir()) == [
        "prompts.json",
        "removed.jsonl",
        "train.parquet",
    ]


def test_a_place_that_is_no_folder_is_explained(problems: Any, tmp_path: Path) -> None:
    problems.build(ROWS)
    (tmp_path / "prompts").write_text("a file")
    with pytest.raises(OctoError, match=r"prompts\.json: cannot be written \(Not a directory\)"):
        write_prompts(prepare_prompts(problems.manifest(), problems.data, None), tmp_path / "prompts")
