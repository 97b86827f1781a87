"""The reward manager that verl awaits: lengths against the cap of the rollout step, one note a response."""

import asyncio
import json
import shutil
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

END, CUT = 0, 9


class Tokenizer:
    """Ids are their own text."""

    eos_token_id = END

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        assert skip_special_tokens
        return " ".join(map(str, (number for number in ids if number != END)))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """octo_verl as it lies in a run's folder, with two stages."""
    import training.rl.verl.foreign as foreign

    shutil.copytree(Path(foreign.__file__).parent, tmp_path / "octo_verl")
    settings = {"stages": [[0, 4], [2, 8]], "end_ids": [7]}
    (tmp_path / "octo_verl" / "settings.json").write_text(json.dumps(settings))
    monkeypatch.syspath_prepend(str(tmp_path))
    import octo_verl.reward_manager as module

    yield module
    for name in [name for name in sys.modules if name.partition(".")[0] == "octo_verl"]:
        del sys.modules[name]


def _manager(package: Any, tmp_path: Path, score: Any, width: int = 8) -> Any:
    rollout = types.SimpleNamespace(response_length=width)
    config = types.SimpleNamespace(
        actor_rollout_ref=types.SimpleNamespace(rollout=rollout),
        trainer=types.SimpleNamespace(rollout_data_dir=str(tmp_path / "run" / "rollouts")),
    )
    return package.LengthAwareRewardManager(config=config, tokenizer=Tokenizer(), compute_score=score, other=None)


def _item(ids: list[int], step: int, session: int = 0, padding: int = 0) -> Any:
    """A response as verl hands it over: prompt and response in one mask, padded to the right."""
    row = {
        "uid": "u1", "session_id": np.int64(session), "global_steps": np.int64(step), "prompt_len": np.int64(3),
        "data_source": "sums", "reward_model": {"ground_truth": "3"},
        "extra_info": {"index": 0, "split": "train", "id": "sum-03", "level": None},
    }  # fmt: skip
    mask = np.array([1, 1, 1] + [1] * len(ids) + [0] * padding)
    batch = {"responses": np.array(ids + [5] * padding), "attention_mask": mask}
    return types.SimpleNamespace(batch=batch, non_tensor_batch=row)


def _heard(package: Any, tmp_path: Path, items: list[Any], **settings: Any) -> tuple[list[Any], list[Any]]:
    """What the reward was called with, and what verl got back."""
    calls: list[Any] = []

    def score(**given: Any) -> dict[str, float]:
        calls.append(given)
        return {"score": 0.5, "truncated": float(given["extra_info"]["truncated"])}

    manager = _manager(package, tmp_path, score, **settings)

    async def judge() -> list[Any]:
        return await asyncio.gather(*[manager.run_single([item]) for item in items])

    return calls, asyncio.run(judge())


def test_the_cap_is_that_of_the_rollout_step(package: Any, tmp_path: Path) -> None:
    calls, _ = _heard(package, tmp_path, [_item([1, END], step) for step in (0, 1, 2, 3)])
    assert [call["extra_info"]["max_response_tokens"] for call in calls] == [4, 4, 4, 8]


def test_the_cap_is_never_wider_than_the_tensors(package: Any, tmp_path: Path) -> None:
    calls, _ = _heard(package, tmp_path, [_item([1, END], 3)], width=6)
    assert calls[0]["extra_info"]["max_response_tokens"] == 6


@pytest.mark.parametrize(
    ("ids", "tokens", "truncated"),
    [
        ([1, 2, END], 3, False),
        ([1, 2, 7], 3, False),  # another end of text of the checkpoint
        ([1, 2, 3, END], 4, False),  # as long as the cap, and ended
        ([1, 2, 3, CUT], 4, True),
        ([1, CUT], 2, True),  # cut before the cap: no room was left
        ([], 0, True),
    ],
)
def test_a_response_without_an_end_was_cut(
    package: Any, tmp_path: Path, ids: list[int], tokens: int, truncated: bool
) -> None:
    calls, (answer,) = _heard(package, tmp_path, [_item(ids, 1)])
    told = calls[0]["extra_info"]
    assert (told["response_tokens"], told["truncated"]) == (tokens, truncated)
    assert answer["reward_extra_info"]["response_tokens"] == tokens


def test_padding_is_no_part_of_a_response(package: Any, tmp_path: Path) -> None:
    calls, _ = _heard(package, tmp_path, [_item([1, 2, END], 1, padding=5)])
    assert calls[0]["solution_str"] == "1 2"
    assert calls[0]["extra_info"]["response_tokens"] == 3


def test_verl_gets_the_score_and_every_number(package: Any, tmp_path: Path) -> None:
    calls, (answer,) = _heard(package, tmp_path, [_item([1, END], 1)])
    assert answer["reward_score"] == 0.5
    assert answer["reward_extra_info"] == {
        "score": 0.5, "truncated": 0.0, "response_tokens": 2.0, "max_response_tokens": 4.0,
    }  # fmt: skip
    assert (calls[0]["data_source"], calls[0]["ground_truth"]) == ("sums", "3")
    assert calls[0]["extra_info"]["id"] == "sum-03"


def test_a_note_of_every_response_lies_beside_the_dumps(package: Any, tmp_path: Path) -> None:
    _heard(package, tmp_path, [_item([1, END], 2, 0), _item([1, CUT, 1, CUT], 2, 1), _item([1, END], 3, 0)])
    files = sorted((tmp_path / "run" / "rewards").glob("*.jsonl"))
    assert [path.name[:9] for path in files] == ["00000002-", "00000003-"]
    notes = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert [note["uid"] for note in notes] == ["u1_0_0", "u1_1_0", "u1_0_0"]
    assert notes[1] == {
        "uid": "u1_1_0", "rollout_step": 2, "set": "sums", "split": "train", "prompt": "sum-03", "prompt_tokens": 3,
        "response_tokens": 4, "max_response_tokens": 4, "truncated": True,
        "metrics": {"score": 0.5, "truncated": 1.0},
    }  # fmt: skip


def test_the_reward_runs_in_one_thread_of_its_own(package: Any, tmp_path: Path) -> None:
    """An answer checker belongs to a thread: with many threads there would be as many checkers."""
    threads: set[int] = set()

    def score(**_: Any) -> dict[str, float]:
        threads.add(threading.get_ident())
        return {"score": 0.0}

    manager = _manager(package, tmp_path, score)

    async def judge() -> None:
        await asyncio.gather(*[manager.run_single([_item([1, END], 1, n)]) for n in range(20)])

    asyncio.run(judge())
    assert len(threads) == 1 and threads != {threading.get_ident()}


def test_a_damaged_settings_file_stops_verl_at_its_start(package: Any, tmp_path: Path) -> None:
    (tmp_path / "octo_verl" / "settings.json").write_text("{")
    with pytest.raises(ValueError):
        _manager(package, tmp_path, None)
