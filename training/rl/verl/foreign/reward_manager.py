"""verl's reward manager for runs whose cap changes: the reward learns how long a response is, may be, and was cut off.

verl 0.9.1 makes one in each of its reward workers (`reward.reward_manager.source=importlib`) and awaits `run_single`
for every response. Its own managers tell the reward no lengths, run it on as many threads as there are, and keep none
of what it says in the dumps of training. This one has a single thread, so that a worker keeps a single answer checker,
and notes a line a response in files beside verl's dumps, under the key that those have too.

It inherits from nothing, so that it can be read, typed and tested without verl.
"""

import asyncio
import json
import os
import socket
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

from .settings import cap_at, settings

FOLDER = "rewards"


class LengthAwareRewardManager:
    """Judges one response at a time with the reward package that verl was told of."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Callable[..., dict[str, float]], **_: Any) -> None:
        self._tokenizer, self._compute_score = tokenizer, compute_score
        self._width = int(config.actor_rollout_ref.rollout.response_length)
        self._end_ids = frozenset([*settings()["end_ids"], tokenizer.eos_token_id])
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._notes = Notes(Path(config.trainer.rollout_data_dir).with_name(FOLDER))

    async def run_single(self, data: Any) -> dict[str, Any]:
        """verl's answer for one response: its score, and every number the reward says of it."""
        item = data[-1]
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._judge, item)

    def _judge(self, item: Any) -> dict[str, Any]:
        row, ids = item.non_tensor_batch, self._response_ids(item)
        length = self._length(ids, int(row["global_steps"]))
        result = self._compute_score(
            data_source=row["data_source"],
            solution_str=self._tokenizer.decode(ids, skip_special_tokens=True),
            ground_truth=row["reward_model"]["ground_truth"],
            extra_info={**row["extra_info"], **length},
        )
        self._notes.write(_note(row, length, result))
        return {"reward_score": result["score"], "reward_extra_info": {**result, **_numbers(length)}}

    def _response_ids(self, item: Any) -> list[int]:
        """The ids of a response, its end of text included, without padding."""
        response = item.batch["responses"]
        mask = item.batch["attention_mask"][-response.shape[-1] :]
        ids: list[int] = response[: int(mask.sum())].tolist()
        return ids

    def _length(self, ids: list[int], rollout_step: int) -> dict[str, Any]:
        """The lengths as the reward wants them; a response without an end of text was cut off."""
        return {
            "response_tokens": len(ids),
            "max_response_tokens": min(self._width, cap_at(settings()["stages"], rollout_step)),
            "truncated": not ids or ids[-1] not in self._end_ids,
        }


class Notes:
    """Lines of JSON, a file for each rollout step and worker, opened when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._step = folder, -1
        self._file: TextIO | None = None
        self._worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def write(self, note: dict[str, Any]) -> None:
        """Appends one line, which reaches the file at once."""
        if self._file is None or note["rollout_step"] != self._step:
            self._open(note["rollout_step"])
        assert self._file is not None
        self._file.write(json.dumps(note, ensure_ascii=False) + "\n")
        self._file.flush()

    def _open(self, rollout_step: int) -> None:
        if self._file:
            self._file.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._step = rollout_step
        self._file = (self._folder / f"{rollout_step:08d}-{self._worker}.jsonl").open("a", encoding="utf-8")


def _note(row: Any, length: dict[str, Any], result: dict[str, float]) -> dict[str, Any]:
    """A line that can be joined to the line of verl's dump with the same `uid`."""
    return {
        "uid": f"{row['uid']}_{int(row['session_id'])}_0",
        "rollout_step": int(row["global_steps"]),
        "set": str(row["data_source"]),
        "split": str(row["extra_info"]["split"]),
        "prompt": str(row["extra_info"]["id"]),
        "prompt_tokens": int(row["prompt_len"]),
        **length,
        "metrics": result,
    }


def _numbers(length: dict[str, Any]) -> dict[str, float]:
    """verl averages what it can over a validation set: numbers alone; `truncated` is among the reward's own."""
    return {name: float(length[name]) for name in ("response_tokens", "max_response_tokens")}
