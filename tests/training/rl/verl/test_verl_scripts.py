"""The scripts, run by sh: words reach verl letter for letter, whatever the folder is called."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.jobs.slurm import Slurm
from training.rl.verl.write import write_launch

TELL = """#!/usr/bin/env python3
import json, os, sys
names = ("PYTHONPATH", "VERL_FILE_LOGGER_PATH", "RAY_ADDRESS", "WANDB_MODE", "HF_HUB_OFFLINE", "RAY_AUTH_MODE")
print(json.dumps({"words": sys.argv[1:], "cwd": os.getcwd(), **{name: os.environ.get(name) for name in names}}))
"""


@pytest.fixture
def launched(world: Any, options: Any, tmp_path: Path) -> Path:
    """A folder with a staged launch whose interpreter tells how it was started."""
    python = world.folder / "verl's python"
    python.write_text(TELL)
    python.chmod(0o755)
    root = world.folder / "root"
    write_launch(world.plan(), replace(options, python=python, rendering="staged"), root)
    return root / "verl"


def _start(launched: Path, script: str, *words: str, **env: str) -> dict[str, Any]:
    done = subprocess.run(
        ["sh", str(launched / script), *words], capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", **env},
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_words_reach_verl_as_they_are_written(launched: Path) -> None:
    told = _start(launched, "run.sh", "stage-2")
    files = [launched / "stage-2" / name for name in ("overrides.txt", "start.txt", "local.txt")]
    wanted = [word for file in files for word in file.read_text("utf-8").splitlines()]
    assert told["words"] == ["-m", "verl.trainer.main_ppo", *wanted]
    assert told["cwd"] == str(launched / "stage-2")
    assert told["PYTHONPATH"] == str(launched)
    assert told["VERL_FILE_LOGGER_PATH"] == str(launched / "stage-2" / "metrics.jsonl")
    assert (told["WANDB_MODE"], told["HF_HUB_OFFLINE"]) == ("disabled", "1")


def test_what_is_on_the_path_already_stays(launched: Path) -> None:
    assert _start(launched, "run.sh", "stage-1", PYTHONPATH="/mine")["PYTHONPATH"] == f"{launched}:/mine"


def test_a_stage_with_a_checkpoint_goes_on(launched: Path) -> None:
    assert "trainer.resume_mode='disable'" in _start(launched, "run.sh", "stage-1")["words"]
    (launched / "stage-1" / "checkpoints").mkdir()
    (launched / "stage-1" / "checkpoints" / "latest_checkpointed_iteration.txt").write_text("1")
    assert "trainer.resume_mode='auto'" in _start(launched, "run.sh", "stage-1")["words"]


def test_earlier_logs_are_kept(launched: Path) -> None:
    for content in ("first", "second"):
        (launched / "stage-1" / "metrics.jsonl").write_text(content)
        _start(launched, "run.sh", "stage-1")
    kept = [(launched / "stage-1" / f"metrics-{number}.jsonl").read_text() for number in (1, 2)]
    assert kept == ["first", "second"]


@pytest.mark.parametrize("stage", ["", "stage-3", "run", "../stage-1", "stage-1; echo"])
def test_other_stages_are_refused(launched: Path, stage: str) -> None:
    done = subprocess.run(["sh", str(launched / "run.sh"), stage], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "expected a stage: stage-1|stage-2" in done.stderr


def test_a_ray_cluster_is_told_of_our_packages(launched: Path) -> None:
    told = _start(launched, "run_ray.sh", "stage-1", RAY_ADDRESS="head:6379")
    assert told["RAY_ADDRESS"] == "head:6379"
    assert any(word.startswith("+ray_kwargs.ray_init.runtime_env.env_vars.PYTHONPATH=") for word in told["words"])
    assert not any("ray_init.address" in word for word in told["words"])


def test_a_ray_cluster_gets_the_token_where_ray_keeps_one(launched: Path, tmp_path: Path) -> None:
    """`ray start` asks for it, and a driver sends it only when it is told to."""
    home = {"RAY_ADDRESS": "head:6379", "HOME": str(tmp_path)}
    assert _start(launched, "run_ray.sh", "stage-1", **home)["RAY_AUTH_MODE"] is None
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("secret")
    told = _start(launched, "run_ray.sh", "stage-1", **home)
    assert told["RAY_AUTH_MODE"] == "token" and "secret" not in json.dumps(told)
    assert _start(launched, "run_ray.sh", "stage-1", **home, RAY_AUTH_MODE="disabled")["RAY_AUTH_MODE"] == "disabled"


def test_a_ray_cluster_must_be_named(launched: Path) -> None:
    done = subprocess.run(["sh", str(launched / "run_ray.sh"), "stage-1"], capture_output=True, text=True, check=False)
    assert done.returncode and "set RAY_ADDRESS to HOST:PORT" in done.stderr


def test_the_given_cluster_is_the_default(world: Any, options: Any, launched: Path) -> None:
    given = replace(options, python=world.folder / "verl's python", ray_address="10.0.0.1:6379")
    plan = write_launch(world.plan(), given, launched.parent)
    assert plan.launches[0].command == ["sh", str(launched / "run_ray.sh"), "run"]
    assert _start(launched, "run_ray.sh", "run")["RAY_ADDRESS"] == "10.0.0.1:6379"


def test_the_slurm_script_asks_for_what_was_wanted(world: Any, options: Any) -> None:
    slurm = Slurm(partition="gpu", account="math", time="1-00:00:00")
    root = world.folder / "root"
    write_launch(world.plan(), replace(options, nodes=2, gpus_per_node=2, slurm=slurm), root)
    text = (root / "verl" / "run.sbatch").read_text()
    for line in ("--nodes=2", "--gpus-per-node=2", "--partition=gpu", "--account=math", "--time=1-00:00:00"):
        assert f"#SBATCH {line}\n" in text
    assert "--num-gpus=2 --block --head" in text and '"$head:6379" 4' in text  # waits for the GPUs of all nodes


@pytest.mark.parametrize("script", ["run.sh", "run_ray.sh", "run.sbatch"])
def test_sh_can_read_every_script(launched: Path, script: str) -> None:
    subprocess.run(["sh", "-n", str(launched / script)], check=True)
