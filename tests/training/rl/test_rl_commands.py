"""`octo rl …` as a person types it."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from manifests.errors import MissingExtra, NotFound, TrainingError
from manifests.records import read_record
from training.engines import engine_rows
from training.rl.commands import rl


def _octo(*words: str, fails: type[Exception] | None = None) -> Result:
    result = CliRunner().invoke(rl, list(words))
    if fails is None and result.exception:
        raise result.exception
    assert fails is None or isinstance(result.exception, fails)
    return result


def test_the_road_from_plan_to_proof(world: Any, tmp_path: Path) -> None:
    data = ["--data", str(world.data.root)]
    manifest = str(world.manifest(rollout_steps=2).path)
    planned = _octo("plan", manifest, "--probe", "--probe-prompts", "4", "--write", str(tmp_path / "out"), *data)
    assert "verdict for template plain" in planned.stderr
    assert read_record(tmp_path / "out" / "probe.json")["templates"]["plain"]["measures"]["problems"] == 4
    assert (tmp_path / "out" / "prompts" / "train.parquet").exists()
    assert not world.data.run("tiny@1").exists()
    launched = _octo("launch", manifest, "--device", "cpu", "--stop-on", "collapse", *data)
    assert "TRL generation_batch_size=16; verl data.train_batch_size=4" in launched.stderr
    status = json.loads(_octo("status", "tiny", "--format", "json", *data).stdout)
    assert [(row["state"], row["rollout_step"]) for row in status] == [("done", 2)]
    checked = json.loads(_octo("check", "tiny", "--format", "json", *data).stdout)
    assert {row["result"] for row in checked} == {"holds"}
    health = json.loads(_octo("health", "tiny", "--format", "json", *data).stdout)
    assert [(row["run"], row["rollouts"]) for row in health] == [("tiny@1", 2)]


def test_a_plan_is_written_as_far_as_it_goes(tmp_path: Path) -> None:
    out, data = tmp_path / "out", str(tmp_path / "data")
    planned = _octo("plan", "octothinker-rl-1b-long", "--write", str(out), "--data", data)
    assert "the corpus math-8k@1 is not built; launch needs it" in planned.stderr
    assert [path.name for path in out.iterdir()] == ["plan.json"]
    assert [stage["max_response_tokens"] for stage in read_record(out / "plan.json")["stages"]] == [2048, 4096, 8192]


def test_every_response_is_kept_with_its_verdict(world: Any) -> None:
    manifest = str(world.manifest(rollout_steps=1).path)
    _octo("launch", manifest, "--device", "cpu", "--data", str(world.data.root))
    path = world.data.run("tiny@1") / "grpo" / "responses" / "00000001.jsonl.gz"
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    assert len(rows) == 16
    assert len({row["prompt"] for row in rows}) == 4
    assert all((row["score"] == 1.0) == (row["reason"] == "right") for row in rows)


def test_health_fails_where_a_run_is_lost_and_names_it(tmp_path: Path) -> None:
    rows = [
        f"zero,{name},{step},{accuracy},{length},4096"
        for step in range(0, 200, 4)
        for name, accuracy in (("gsm8k", 0.7), ("math500", 0.5))
        for accuracy, length in [(accuracy, 600) if step < 100 else (accuracy / 20, 900)]
    ]
    columns = "run,benchmark,step,accuracy,mean_correct_length_tokens,max_response_length_tokens"
    (tmp_path / "curves.csv").write_text("\n".join([columns, *rows]) + "\n")
    lost = _octo("health", str(tmp_path / "curves.csv"), "--data", str(tmp_path), fails=TrainingError)
    assert "1 of 1 runs are lost: zero" in str(lost.exception)
    assert "accuracy_collapse" in lost.stdout
    assert "What to do:" in lost.stderr


def test_a_check_that_does_not_hold_fails_the_command(world: Any) -> None:
    world.run("tiny")
    failed = _octo("check", "tiny", "--data", str(world.data.root), fails=TrainingError)
    assert "checks do not hold; expected all of them" in str(failed.exception)


@pytest.mark.parametrize(("module", "named"), [("trl", "trl"), ("math_verify", "math-verify")])
def test_without_the_extra_a_launch_says_what_to_install(
    world: Any, monkeypatch: pytest.MonkeyPatch, module: str, named: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    manifest, data = str(world.manifest().path), ["--data", str(world.data.root)]
    for words in (["launch", manifest], ["plan", manifest, "--probe"]):
        failed = _octo(*words, *data, fails=MissingExtra)
        assert f"needs {named}, not installed here. Run: pip install 'octocorpus[rl]'" in str(failed.exception)
    assert not world.data.run("tiny@1").exists()
    assert [row[2] for row in engine_rows() if row[:2] == ("reinforcement learning", "local")] == [False]


@pytest.mark.parametrize("verb", ["status", "check", "health"])
def test_an_unknown_run_is_explained(tmp_path: Path, verb: str) -> None:
    assert "nobody" in str(_octo(verb, "nobody", "--data", str(tmp_path), fails=NotFound).exception)
