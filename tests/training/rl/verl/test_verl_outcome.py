"""The outcome of a run is proved from files; whoever changes one of them is found out."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.rl.verl.follow import Tail
from training.rl.verl.outcome import check_verl
from training.rl.verl.resume import world_size

Change = Callable[[], Any]


@pytest.fixture
def trained(world: Any, stand_in: Any, train: Any) -> Any:
    """A run that the stand-in trained in two stages, and a way to check it after a change."""
    from dataclasses import replace

    run = world.run()
    train(run, replace(stand_in, rendering="staged"))
    return run


def _changed_lines(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        change(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _wrong(run: Any) -> dict[str, str]:
    return {
        check.name.removeprefix("verl: "): check.detail for check in check_verl(run.folder) if check.result != "holds"
    }


def test_every_change_is_found(trained: Any) -> None:
    """One after the other, each undone before the next: to train a run for each would take minutes."""
    second = trained.verl_folder / "stage-2"
    kept = trained.folder.with_name("kept")
    shutil.copytree(trained.folder, kept)

    def notes() -> list[Path]:
        return sorted((second / "rewards").glob("00000003-*.jsonl"))

    def noted(**facts: Any) -> Change:
        return lambda: _changed_lines(notes()[0], lambda line: line.update(facts))

    def judged(**facts: float) -> Change:
        return lambda: _changed_lines(notes()[0], lambda line: line["metrics"].update(facts))

    tracker, ended = second / "checkpoints" / "latest_checkpointed_iteration.txt", second / "checkpoints/global_step_4"
    changes: list[tuple[Change, str, str]] = [
        ((second / "rollouts" / "3.jsonl").unlink, "batches", "rollout step 3: .*3.jsonl: is not there"),
        (noted(max_response_tokens=4), "response lengths", "was told a cap of 4; the schedule says 8"),
        (noted(response_tokens=9), "response lengths", "a response has 9 tokens; the cap is 8"),
        (judged(score=7.0), "rewards", "verl learned from .*, the reward was 7"),
        (judged(error=1.0), "rewards", "rollout step 3: the reward could not judge a response"),
        (noted(prompt="x"), "prompts", "x is none of the run's"),
        (noted(prompt_tokens=3), "prompts", "had 3 tokens for verl, 4 as measured"),
        (lambda: (second / "metrics.jsonl").write_text(""), "rollout steps", "2 of 4 rollout steps are not in verl's"),
        (lambda: tracker.write_text("3"), "rollout steps", "stage-2: the newest saved rollout step is 3; expected 4"),
        (lambda: shutil.rmtree(ended / "actor"), "checkpoints", "has shards of no processes"),
        ((second / "validations" / "4.jsonl").unlink, "validation", "after rollout step 4: .* is not there"),
    ]
    for change, check, detail in changes:
        change()
        told = _wrong(trained)
        assert check in told and re.search(detail, told[check], re.DOTALL), (check, detail, told)
        shutil.rmtree(trained.folder)
        shutil.copytree(kept, trained.folder)
    assert _wrong(trained) == {}


def test_a_folder_without_a_plan_of_verl(tmp_path: Path) -> None:
    (check,) = check_verl(tmp_path)
    assert check.result == "wrong" and "there is no such record" in check.detail


def test_a_log_is_read_as_it_grows(tmp_path: Path) -> None:
    path, tail = tmp_path / "metrics.jsonl", Tail(tmp_path / "metrics.jsonl")
    assert tail.new_lines() == []
    with path.open("w") as file:
        file.write('{"step": 0, "data": {"val-core/a/acc/mean@1": 1}}\n{"step": 1, ')
        file.flush()
        assert [(line.rollout_step, line.has_validation) for line in tail.new_lines()] == [(0, True)]
        assert tail.new_lines() == []
        file.write('"data": {}}\n')
    assert [(line.rollout_step, line.has_validation) for line in tail.new_lines()] == [(1, False)]


@pytest.mark.parametrize("line", ["no", "[]", '{"step": 1}', '{"step": "1", "data": {}}', '{"step": 1, "data": 2}'])
def test_what_is_no_log_of_verl_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "metrics.jsonl").write_text(line + "\n")
    with pytest.raises(Exception, match="is no line of verl's file log"):
        Tail(tmp_path / "metrics.jsonl").new_lines()


def test_a_checkpoint_is_whole_with_all_its_ranks(tmp_path: Path) -> None:
    (tmp_path / "actor").mkdir()
    (tmp_path / "data.pt").touch()
    for rank in (0, 1):
        for kind in ("model", "optim", "extra_state"):
            (tmp_path / "actor" / f"{kind}_world_size_2_rank_{rank}.pt").touch()
    assert world_size(tmp_path) == 2
    (tmp_path / "actor" / "optim_world_size_2_rank_1.pt").unlink()
    with pytest.raises(Exception, match="is not whole, optim of rank 1 is missing"):
        world_size(tmp_path)
    (tmp_path / "actor" / "optim_world_size_4_rank_1.pt").touch()
    with pytest.raises(Exception, match=r"has shards of \[2, 4\] processes"):
        world_size(tmp_path)
