"""verl's dumps and our notes, joined: what is missing or damaged is told, never left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError
from training.rl.verl.samples import dump_lines, read_samples

METRICS = {"score": 1.0, "correct": 1.0, "error": 0.0, "timeout": 0.0, "truncated": 0.0}


def _note(uid: str, **changes: Any) -> dict[str, Any]:
    return {
        "uid": uid, "rollout_step": 3, "set": "sums", "split": "train", "prompt": "p", "prompt_tokens": 4,
        "response_tokens": 5, "max_response_tokens": 8, "truncated": False, "metrics": METRICS, **changes,
    }  # fmt: skip


def _dump(uid: str, **changes: Any) -> dict[str, Any]:
    return {"input": "1+2=", "output": "\\boxed{3}", "gts": "3", "score": 1.0, "step": 3, "uid": uid, **changes}


def _write(folder: Path, dumped: list[Any], noted: dict[str, list[Any]]) -> tuple[Path, Path, int]:
    rollouts, rewards = folder / "rollouts", folder / "rewards"
    for path, rows in {rollouts / "3.jsonl": dumped, **{rewards / name: rows for name, rows in noted.items()}}.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rollouts, rewards, 3


def test_responses_of_a_prompt_are_a_group(tmp_path: Path) -> None:
    uids = ["a_0_0", "a_1_0", "b_0_0", "b_1_0"]
    noted = {"00000003-x.jsonl": [_note(uid) for uid in uids[:1]], "00000003-y.jsonl": [_note(uid) for uid in uids[1:]]}
    samples = read_samples(*_write(tmp_path, [_dump(uid) for uid in uids], noted))
    assert [len(group) for group in samples.groups] == [2, 2] and samples.padding == 0
    response = samples.groups[0][0]
    assert (response.prompt, response.truth, response.tokens, response.text) == ("p", "3", 5, "\\boxed{3}")
    assert response.judgement.score == 1.0 and response.judgement.verdict.correct


def test_notes_of_an_earlier_attempt_do_not_count(tmp_path: Path) -> None:
    """verl sampled the step again: the dump has new uids, the notes of both lie there."""
    noted = {"00000003-x.jsonl": [_note("old_0_0", response_tokens=7)], "00000003-y.jsonl": [_note("new_0_0")]}
    samples = read_samples(*_write(tmp_path, [_dump("new_0_0")], noted))
    assert [sampled.tokens for sampled in samples.sampled] == [5]


def test_notes_of_other_steps_do_not_count(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing is noted of a_0_0"):
        read_samples(*_write(tmp_path, [_dump("a_0_0")], {"00000030-x.jsonl": [_note("a_0_0")]}))


def test_padding_is_counted_and_is_no_response(tmp_path: Path) -> None:
    dumped = [_dump("a_0_0"), _dump("padabc_0_0", output="", score=0.0)]
    samples = read_samples(*_write(tmp_path, dumped, {"00000003-x.jsonl": [_note("a_0_0")]}))
    assert samples.padding == 1 and len(samples.sampled) == 1


@pytest.mark.parametrize(
    ("text", "metrics", "reason", "answer"),
    [
        ("\\boxed{3}", {"correct": 1.0}, "right", "3"),
        ("\\boxed{4}", {}, "wrong", "4"),
        ("\\boxed{ }", {}, "empty", ""),
        ("3", {}, "no_box", None),
        ("\\boxed{9^9}", {"timeout": 1.0}, "timeout", "9^9"),
        ("\\boxed{3}", {"error": 1.0}, "error", "3"),
    ],
)
def test_why_is_told_from_the_numbers_and_the_text(
    tmp_path: Path, text: str, metrics: dict[str, float], reason: str, answer: str | None
) -> None:
    note = _note("a_0_0", metrics={"score": -1.0, "correct": 0.0, **metrics})
    samples = read_samples(*_write(tmp_path, [_dump("a_0_0", output=text)], {"00000003-x.jsonl": [note]}))
    verdict = samples.groups[0][0].judgement.verdict
    assert verdict.reason == reason
    assert (verdict.answer or "").strip() == (answer or "")
    assert (samples.groups[0][0].judgement.error is not None) == (reason == "error")


@pytest.mark.parametrize(
    ("dumped", "noted", "problem"),
    [
        ([{"uid": 3}], [], "3.jsonl:1: is no response that verl dumped"),
        ([["a"]], [], "is not a JSON object"),
        ([_dump("a_0_0")], [_note("a_0_0", truncated=1)], "its truncated is not as expected"),
        ([_dump("a_0_0")], [_note("a_0_0", metrics={"score": "x"})], "its uid or score is not as expected"),
        ([_dump("a_0_0")], [{"uid": "a_0_0"}], "its prompt, set, prompt_tokens"),
        ([_dump("a_0_0", score=None)], [_note("a_0_0")], "is no response that verl dumped"),
    ],
)
def test_damaged_files_are_told(tmp_path: Path, dumped: list[Any], noted: list[Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_samples(*_write(tmp_path, dumped, {"00000003-x.jsonl": noted}))


def test_a_dump_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rollouts/3.jsonl: is not there; expected verl's dump of rollout step 3"):
        read_samples(tmp_path / "rollouts", tmp_path / "rewards", 3)


def test_lines_of_a_dump_are_counted_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "3.jsonl"
    assert dump_lines(path) == 0
    path.write_text('{"a": 1}\n{"a"')
    assert dump_lines(path) == 1
