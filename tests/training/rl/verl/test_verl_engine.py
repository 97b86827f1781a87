"""The user's verl itself, on a CPU: it trains what we planned, ends when it is asked, and we can prove what it did.

Each test takes two to five minutes and 6 GB.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.local.loop import Stopped
from training.local.stopping import Stop
from training.rl.verl.export import write_export
from training.rl.verl.outcome import check_verl

Train = Callable[..., dict[str, Any]]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _longest(run: Any) -> dict[int, int]:
    """Rollout step → the longest response, as noted where it was rewarded."""
    notes = _trained(run)
    steps = {note["rollout_step"] for note in notes}
    return {step: max(n["response_tokens"] for n in notes if n["rollout_step"] == step) for step in steps}


def _trained(run: Any) -> list[dict[str, Any]]:
    """What the reward manager noted of every response of training."""
    notes = [note for path in run.verl_folder.glob("*/rewards/*.jsonl") for note in _lines(path)]
    return [note for note in notes if note["split"] == "train"]


@pytest.mark.engine
@pytest.mark.parametrize("rendering", ["one_run", "staged"])
def test_verl_trains_with_the_length_schedule(world: Any, on_cpu: Any, train: Train, rendering: str) -> None:
    run = world.run()
    facts = train(run, replace(on_cpu, rendering=rendering))

    checks = check_verl(run.folder)
    assert [check.result for check in checks] == ["holds"] * 8, checks
    longest = _longest(run)
    assert longest[1] <= 4 and longest[2] <= 4 and 4 < longest[3] <= 8 and 4 < longest[4] <= 8
    lines = _lines(run.grpo_folder / "metrics.jsonl")
    assert [(line["rollout_step"], line["cap"]) for line in lines] == [(1, 4), (2, 4), (3, 8), (4, 8)]
    for line in lines:
        noted = [note for note in _trained(run) if note["rollout_step"] == line["rollout_step"]]
        assert len(noted) == line["responses"] == 8
        assert (
            line["truncated"] == sum(note["response_tokens"] == line["cap"] for note in noted if note["truncated"]) / 8
        )
        assert line["error"] == 0 and line["lost_responses"] == 0
        assert None not in (line["loss"], line["grad_norm"], line["entropy"], line["clip_fraction"], line["wall_s"])
        assert line["probability_gap"] < 1e-3  # sampler and trainer are the same model
    assert facts["rollout_step"] == 4 and facts["validation"].keys() == {"held"}
    _require_good_export(run, str(on_cpu.python))


def _require_good_export(run: Any, python: str) -> None:
    """It loads, has learned, has the checkpoint's tokenizer, and verl's merger makes the same of the shards."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(run.export)
    start = AutoModelForCausalLM.from_pretrained(run.plan.checkpoint.path)
    assert model.dtype == torch.float32
    moved = [(a - b).abs().max().item() for a, b in zip(model.parameters(), start.parameters(), strict=True)]
    assert 0 < max(moved) < 0.1
    assert AutoTokenizer.from_pretrained(run.export).chat_template is None
    last = sorted(run.verl_folder.glob("*/checkpoints/global_step_4"))[-1]
    (last / "actor" / "huggingface" / "model.safetensors").unlink()
    write_export(run, last, python, _lines(run.grpo_folder / "metrics.jsonl")[-1])
    merged = AutoModelForCausalLM.from_pretrained(run.export)
    for ours, verls in zip(model.parameters(), merged.parameters(), strict=True):
        torch.testing.assert_close(ours, verls.float(), rtol=0.01, atol=1e-3)  # verl merges into bfloat16


def _end_after_two_steps(run: Any, stop: Stop) -> None:
    while len(_lines(run.grpo_folder / "metrics.jsonl")) < 2:
        time.sleep(0.1)
    stop.signal = signal.SIGINT


def _processes_of(folder: Path) -> list[str]:
    """Processes with the run's folder in their environment: Ray's and verl's."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in path.read_bytes() and path.parent.name != str(os.getpid()):
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:100])
        except OSError:
            continue
    return found


@pytest.mark.engine
def test_verl_ends_when_it_is_asked_and_goes_on_later(world: Any, on_cpu: Any, train: Train) -> None:
    run, stop = world.run(rollout_steps=6), Stop()
    ending = threading.Thread(target=_end_after_two_steps, args=(run, stop), daemon=True)
    ending.start()
    with pytest.raises(Stopped, match=r"stopped by SIGINT; verl .*, rollout step \d is saved"):
        train(run, on_cpu, stop=stop)
    deadline = time.monotonic() + 60
    while (left := _processes_of(run.verl_folder)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert left == []
    before = _lines(run.grpo_folder / "metrics.jsonl")
    assert 2 <= len(before) < 6

    train(run, on_cpu)
    after = _lines(run.grpo_folder / "metrics.jsonl")
    assert [line["rollout_step"] for line in after] == [1, 2, 3, 4, 5, 6]
    assert [check.result for check in check_verl(run.folder)] == ["holds"] * 8
