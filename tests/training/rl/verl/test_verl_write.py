"""The folder that verl is started from: whole, in order, and importable by another interpreter."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import NotFound, TrainingError
from training.rl.verl.words import quoted
from training.rl.verl.write import write_launch


def test_everything_is_there(world: Any, options: Any, tmp_path: Path) -> None:
    plan = write_launch(world.plan(), replace(options, rendering="staged"), tmp_path)
    verl = tmp_path / "verl"
    assert {path.name for path in verl.iterdir()} == {
        "launch_plan.json", "run.sh", "run_ray.sh", "run.sbatch", "engine.txt", "octo_reward", "octo_verl", "stage-1",
        "stage-2",
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "tokenizer").iterdir()} == {"tokenizer.json", "tokenizer_config.json"}
    record = json.loads((verl / "launch_plan.json").read_text())
    first, second = record["launches"]
    assert (first["last_rollout_step"], second["first_rollout_step"], second["last_rollout_step"]) == (2, 3, 4)
    assert second["starts_from"] == first["checkpoints"] + "/global_step_2"
    assert first["command"] == ["sh", str(verl / "run.sh"), "stage-1"]
    assert record["asked"] == plan.asked == 0
    assert "stage-1 to rollout step 2, then stage-2 to rollout step 4" in str(plan)
    assert "OCTO_VERL_PYTHON is not set" in str(plan)


def test_notes_say_what_changes_the_numbers(world: Any, options: Any, tmp_path: Path) -> None:
    one_run = " ".join(write_launch(world.plan(), options, tmp_path / "a").notes)
    assert "clip_ratio counts against 8" in one_run and "before training with the first cap, 4" in one_run
    kl = world.plan(policy={"kl_coefficient": 0.1}, validation=None)
    staged = " ".join(write_launch(kl, replace(options, rendering="staged"), tmp_path / "b").notes)
    many = " ".join(write_launch(world.plan(), replace(options, ray_address="h:1"), tmp_path / "c").notes)
    assert "every node must see" in many and "every node must see" not in one_run
    assert "a chain of runs" in staged and "no validation" in staged and "frozen copy" in staged


def test_the_packages_can_be_imported_alone(world: Any, options: Any, tmp_path: Path) -> None:
    """As verl's interpreter does, which has no OctoCorpus."""
    write_launch(world.plan(), options, tmp_path)
    code = (
        "import octo_reward, octo_verl.reward_manager, octo_verl.settings as s\n"
        "print([s.cap_at(s.settings()['stages'], step) for step in (0, 1, 2, 3)], s.settings()['end_ids'])\n"
        "print(octo_reward.compute_score('sums', '\\\\boxed{3}', '3', {})['score'])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'verl')!r})\n{code}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[4, 4, 4, 8] [0]", "1.0"]


def test_words_of_stages_hold_their_paths(world: Any, options: Any) -> None:
    root = world.folder / "root"  # its name has a quote, braces and a dollar
    write_launch(world.plan(), options, root)
    words = (root / "verl" / "run" / "overrides.txt").read_text().splitlines()
    assert f"data.train_files={quoted('k', str(root / 'prompts' / 'train.parquet'))}" in words
    ray = (root / "verl" / "run" / "ray.txt").read_text()
    assert "env_vars.PYTHONPATH" in ray and "env_vars.VERL_FILE_LOGGER_PATH" in ray
    assert (root / "verl" / "run" / "local.txt").read_text() == "+ray_kwargs.ray_init.address='local'\n"


def test_writing_again_gives_the_same(world: Any, options: Any, tmp_path: Path) -> None:
    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}

    write_launch(world.plan(), options, tmp_path)
    before = contents()
    write_launch(world.plan(), options, tmp_path)
    assert contents() == before


def test_a_refused_launch_leaves_no_plan(world: Any, stand_in: Any, tmp_path: Path, monkeypatch: Any) -> None:
    write_launch(world.plan(), stand_in, tmp_path, str(stand_in.python))
    monkeypatch.setenv("STAND_IN", json.dumps({"refuse": "L2 TypeError: no"}))
    with pytest.raises(TrainingError, match=r"all-start.txt: verl refuses it: L2 TypeError: no"):
        write_launch(world.plan(), stand_in, tmp_path, str(stand_in.python))
    assert not (tmp_path / "verl" / "launch_plan.json").exists()


def test_a_plan_without_a_checkpoint_is_refused(world: Any, options: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"has no config.json"):
        write_launch(world.plan(checkpoint="nowhere"), options, tmp_path)
