"""The exported policy: verl's weights, and all else as the checkpoint has it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, TrainingError
from training.rl.verl.export import stored_dtype, write_export

LAST = {"rollout_step": 4, "step": 8, "tokens": 100, "reward": 0.5, "accuracy": 0.75}


@pytest.fixture
def saved(world: Any, tmp_path: Path) -> tuple[Any, Path]:
    """An opened run, and a checkpoint as verl saves it."""
    run, checkpoint = world.run(), tmp_path / "global_step_4"
    shutil.copytree(world.folder / "policy", checkpoint / "actor" / "huggingface")
    folder = checkpoint / "actor" / "huggingface"
    (folder / "tokenizer_config.json").write_text('{"chat_template": "passes through"}')
    config = json.loads((folder / "config.json").read_text()) | {"torch_dtype": "bfloat16", "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(config))
    return run, checkpoint


def test_the_export_is_the_checkpoint_with_other_weights(saved: tuple[Any, Path], world: Any) -> None:
    run, checkpoint = saved
    write_export(run, checkpoint, "python", LAST)
    origin = world.folder / "policy"
    assert {path.name for path in run.export.iterdir()} == {
        "README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    for name in ("tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        assert (run.export / name).read_bytes() == (origin / name).read_bytes()
    config = json.loads((run.export / "config.json").read_text())
    assert config["dtype"] == "float32" and "torch_dtype" not in config and "pad_token_id" not in config
    assert "the weights are stored as float32" in (run.export / "README.md").read_text()


def test_other_parameters_are_refused(saved: tuple[Any, Path], world: Any) -> None:
    import numpy as np
    from safetensors.numpy import load_file, save_file

    run, checkpoint = saved
    path = checkpoint / "actor" / "huggingface" / "model.safetensors"
    weights = load_file(path) | {"lm_head.weight": np.zeros((3, 64), np.float32)}
    save_file(weights, path)
    with pytest.raises(
        TrainingError, match=r"saved policy has lm_head.weight as \[3, 64\], the checkpoint has \[15, 64\]"
    ):
        write_export(run, checkpoint, "python", LAST)
    assert not run.export.exists()


def test_shards_without_weights_for_others_are_merged_by_verl(saved: tuple[Any, Path], stand_in: Any) -> None:
    run, checkpoint = saved
    (checkpoint / "actor" / "huggingface" / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"could not be merged by verl \(no shards to merge\)"):
        write_export(run, checkpoint, str(stand_in.python), LAST)
    with pytest.raises(TrainingError, match=r"could not be merged by verl \(.*No such file"):
        write_export(run, checkpoint, "/nowhere/python", LAST)


def test_weights_of_several_types_are_refused(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(1, np.float32), "b": np.zeros(1, np.float16)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=r"holds weights of type F16, F32; expected one of F32, BF16, F16"):
        stored_dtype(tmp_path / "a.safetensors")
