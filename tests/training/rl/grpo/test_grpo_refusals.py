"""What cannot be trained is said before weights change, and nothing is lost."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from manifests.errors import InputError, TrainingError
from manifests.kinds.rl import Policy
from training.metrics import read_metrics
from training.rl.grpo.checkpoint import checkpoints_in
from training.rl.grpo.fit import Fit
from training.rl.grpo.judging import in_groups, judge, judge_ids
from training.rl.grpo.launch import _memory_explained
from training.rl.grpo.rows import Row, read_rows
from training.rl.grpo.trainer import make_optimizer
from training.rl.launch import bring_to_end
from training.rl.rewards.compose import Length, Reward

Train = Callable[..., dict[str, Any]]
ROW = Row("sum-07", "1+2=", "3", "sums@1")


class BrokenReward(Reward):
    """A reward with a mistake in it."""

    def judge(self, response: str, truth: str, length: Length | None = None) -> Any:
        raise ZeroDivisionError("division by zero")


def test_a_reward_that_raises_ends_the_run_and_says_where() -> None:
    with pytest.raises(
        TrainingError,
        match=r"sums@1, problem sum-07: the reward failed on a response of 5 tokens \(ZeroDivisionError: division by",
    ):
        judge(BrokenReward([{"name": "zero_one"}]), ROW, "\\boxed{3}", Length(5, 6, False))


def test_a_run_without_an_answer_checker_is_refused() -> None:
    code = (
        "import sys; sys.executable = '/no/interpreter'\n"
        "from training.rl.grpo.judging import require_answers; require_answers('tiny@1')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "TrainingError: tiny@1: answers cannot be compared here (" in done.stderr


def test_ids_become_judged_responses(policy: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(policy)
    ids = [
        tokenizer("\\boxed{3}")["input_ids"] + [0],
        tokenizer("3+3+")["input_ids"],
        tokenizer("+++")["input_ids"] + [0],
    ]
    right, cut, ended = judge_ids(Reward([{"name": "zero_one"}]), tokenizer, [ROW] * 3, ids, 4, {0})
    assert (right.text, right.tokens, right.judgement.score, right.judgement.truncated) == ("\\boxed{3}", 4, 1.0, False)
    assert (cut.text, cut.tokens, cut.judgement.truncated) == ("3+3+", 4, True)
    assert (ended.text, ended.tokens, ended.judgement.truncated) == ("+++", 4, False)  # ended just at the cap
    assert in_groups([right, cut, ended, right], 2) == [[right, cut], [ended, right]]


def test_a_gradient_that_is_no_number_changes_no_weight() -> None:
    model: Any = torch.nn.Linear(2, 1)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = make_optimizer(model, Policy())
    model(torch.tensor([1.0, torch.nan])).sum().backward()
    with pytest.raises(TrainingError, match="the gradient of an optimizer step has the norm nan; expected finite"):
        optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


def test_a_run_that_blows_up_fails_and_keeps_its_last_good_checkpoint(world: Any, train: Train) -> None:
    run = world.run(policy={"learning_rate": 1e30}, checkpoints={"every_rollout_steps": 1})
    with pytest.raises(TrainingError, match=r"expected finite"):
        bring_to_end(run, lambda stop: train(run, stop=stop))
    assert run.facts["state"] == "failed"
    assert "finite" in run.facts["error"]
    assert not run.export.exists()
    for checkpoint in checkpoints_in(run.checkpoints):
        from safetensors.torch import load_file

        assert all(tensor.isfinite().all() for tensor in load_file(checkpoint / "model.safetensors").values())


def test_a_checkpoint_with_broken_weights_is_refused_before_the_first_step(world: Any, train: Train) -> None:
    from safetensors.torch import load_file, save_file

    broken = world.folder / "broken"
    shutil.copytree(world.folder / "policy", broken)
    weights = load_file(broken / "model.safetensors")
    weights["lm_head.weight"][0, 0] = torch.nan
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    run = world.run(checkpoint="broken")
    with pytest.raises(
        TrainingError, match=r"before the first step: lm_head\.weight holds numbers that are not finite"
    ):
        train(run)
    assert read_metrics(run.grpo_folder / "metrics.jsonl") == []


def test_several_processes_are_refused(world: Any, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match=r"tiny@1: is launched as 2 processes; expected one"):
        train(world.run())


def test_a_number_at_once_that_does_not_divide_is_refused_before_any_work(world: Any, train: Train) -> None:
    run = world.run()
    with pytest.raises(TrainingError, match="3 responses at once do not divide a mini-batch of 8"):
        train(run, fit=Fit(update_at_once=3))
    assert not run.grpo_folder.exists()


def test_prompts_that_are_not_ours_are_refused(world: Any, train: Train) -> None:
    run = world.run()
    run.prompts_file.write_bytes(b"PAR1 not a table")
    with pytest.raises(InputError, match=r"train\.parquet: holds no prompts of this run"):
        train(run)


def test_rows_are_read_as_they_were_written(world: Any) -> None:
    rows = read_rows(world.run().prompts_file)
    assert len(rows) == 20
    assert {row.source for row in rows} == {"sums@1"}
    assert rows[0] == Row("sum-00", "0+1=", "1", "sums@1")


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_a_memory_that_is_too_small_is_explained(world: Any, error: RuntimeError) -> None:
    run, device = world.run(), torch.device("cpu")
    told = "an update does not fit into the memory of cpu with 4 responses at once"
    with pytest.raises(TrainingError, match=told), _memory_explained(run, device, Fit(update_at_once=4)):
        raise error
    with pytest.raises(RuntimeError, match="something else"), _memory_explained(run, device, Fit()):
        raise RuntimeError("something else")


def test_a_tokenizer_of_another_model_is_refused(world: Any, train: Train) -> None:
    run = world.run()
    settings = json.loads((run.tokenizer_folder / "tokenizer.json").read_text())
    settings["model"]["vocab"]["1"] = 99
    (run.tokenizer_folder / "tokenizer.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="gives a prompt the id 99"):
        train(run)
