"""What a run writes while it trains, and what it says when something goes wrong."""

from typing import Any

import pytest

from training.metrics import read_metrics
from training.rl.journal import Journal, note_of
from training.rl.responses import Response, summarise
from training.rl.rewards.compose import Length, Reward

REWARD = Reward([{"name": "plus_minus_one", "weight": 1.0}])
LOOP = "so we add the numbers again and " * 40


def _groups(text: str) -> list[list[Response]]:
    return [
        [Response(f"p{prompt}", text, "7", 6, REWARD.judge(text, "7", Length(6, 6, True))) for _ in range(4)]
        for prompt in range(4)
    ]


def _line(rollout_step: int, groups: list[list[Response]]) -> dict[str, Any]:
    unknown = dict.fromkeys(("entropy", "kl", "probability_gap"))
    return {"rollout_step": rollout_step, "step": 2 * rollout_step, "cap": 6} | summarise(groups) | unknown


def _write(journal: Journal, first: int, last: int, text: str) -> None:
    for step in range(first, last + 1):
        groups = _groups(text)
        journal.rollout(_line(step, groups), groups)


def test_an_alarm_is_told_with_examples_kept_and_can_end_the_run(
    world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = world.run("tiny")
    with Journal(run, 0, "warning") as journal:
        _write(journal, 1, 30, LOOP)
        assert journal.stop is not None and "rollout step" in journal.stop
    alarms = read_metrics(run.grpo_folder / "health.jsonl")
    assert "cap_saturation" in {alarm["rule"] for alarm in alarms}
    examples = next(alarm["examples"] for alarm in alarms if alarm["rule"] == "cap_saturation")
    assert 0 < len(examples) <= 3 and "so we add the numbers" in examples[0]
    assert "cap_saturation at rollout step" in capsys.readouterr().err


def test_without_stop_on_alarms_are_only_told(world: Any) -> None:
    with Journal(world.run("tiny"), 0, None) as journal:
        _write(journal, 1, 30, LOOP)
        assert journal.stop is None


def test_a_run_that_goes_on_cuts_what_it_will_do_again_and_remembers_the_rest(world: Any) -> None:
    run = world.run("tiny")
    with Journal(run, 0, None) as journal:
        _write(journal, 1, 4, r"\boxed{7}")
    with Journal(run, 2, None) as journal:
        assert [line["rollout_step"] for line in read_metrics(run.grpo_folder / "metrics.jsonl")] == [1, 2]
        names = sorted(path.name for path in (run.grpo_folder / "responses").iterdir())
        assert names == ["00000001.jsonl.gz", "00000002.jsonl.gz"]
        _write(journal, 3, 3, r"\boxed{7}")
    assert [line["rollout_step"] for line in read_metrics(run.grpo_folder / "metrics.jsonl")] == [1, 2, 3]


def test_the_progress_line_says_what_is_known() -> None:
    line = {"reward": 0.5, "response_tokens_mean": 700.0, "cap": 2048, "accuracy": None, "truncated": 0.03}
    assert note_of(line) == "reward 0.500, 700 of 2,048 tokens, 3% cut"
