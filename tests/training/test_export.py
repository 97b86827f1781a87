"""Exports: what transformers loads from them, offline, is what was trained."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from manifests.errors import NotFound, TrainingError
from training.export import copy_exports
from training.launch import launch
from training.model import load_model
from training.step import window_loss_sums

LOAD = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
ids = tokenizer("the cat sat", return_tensors="pt").input_ids
print(ids.tolist()[0], tokenizer.decode(ids[0]), tokenizer.eos_token, tokenizer.model_max_length)
print(model(ids).logits.double().sum().item(), model.config.eos_token_id, model.dtype)
"""


def test_an_export_loads_offline_by_its_folder_alone(trained: Any, tmp_path: Path) -> None:
    (folder,) = copy_exports(trained.data, "tiny@1", "long", tmp_path / "model")
    environment = {"HF_HUB_OFFLINE": "1", "PATH": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", LOAD, str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    tokens, sums = ended.stdout.splitlines()
    assert tokens.endswith("the cat sat <|endoftext|> 16")
    assert sums.split()[1:] == ["0", "torch.float32"]


def test_an_export_computes_what_the_last_checkpoint_computes(trained: Any) -> None:
    run = trained.data.run("tiny@1")
    exported = load_model(run / "long/export")
    checkpoint = load_file(run / "long/checkpoints/step-0000008/model.safetensors")
    for name, parameter in exported.named_parameters():
        assert torch.equal(parameter, checkpoint[name])
    windows = torch.arange(34).view(2, 17)
    assert window_loss_sums(exported, windows, "float32").isfinite().all()


def test_the_card_names_mixture_digests_schedule_and_parent(trained: Any) -> None:
    card = (trained.data.run("tiny@1") / "long/export/README.md").read_text()
    lock = (trained.data.mixture("long@1") / "lock.json").read_text()
    digest = next(line for line in card.splitlines() if "order digest" in line).split("|")[2].strip()
    assert digest in lock
    for fact in ("tiny@1/stable step 12", "long@1", "cosine, 0.01 at the first step, 0.001 at the last", "| 512 |"):
        assert fact in card


def test_an_untied_model_in_bfloat16_is_exported_so(world: Any) -> None:
    shape = dict(world.train().manifest.model.llama) | {"tie_word_embeddings": False}
    folder = launch(
        world.train(model={"llama": shape}, precision="bfloat16", branches={}), world.data, [], "cpu", False
    ).folder
    weights = load_file(folder / "stable/export/model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.bfloat16}
    assert "lm_head.weight" in weights
    load_model(folder / "stable/export")


def test_every_finished_phase_is_copied_or_the_one_that_is_named(trained: Any, tmp_path: Path) -> None:
    copied = copy_exports(trained.data, "tiny@1", None, tmp_path / "all")
    assert [path.name for path in copied] == ["stable", "long", "short"]
    assert all((path / "model.safetensors").exists() for path in copied)
    with pytest.raises(TrainingError, match=r"all/stable: exists already; expected a new or empty folder"):
        copy_exports(trained.data, "tiny@1", None, tmp_path / "all")


def test_phases_that_are_not_finished_are_named(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"phase hybrid is not finished; finished: stable, long, short"):
        copy_exports(trained.data, "tiny@1", "hybrid", tmp_path / "x")
    with pytest.raises(NotFound, match=r"none@1: no such run in .*; runs: tiny@1"):
        copy_exports(trained.data, "none@1", None, tmp_path / "x")


def test_a_run_without_any_finished_phase(world: Any, tmp_path: Path) -> None:
    path = world.data.mixture("stable@1") / "batches.bin"
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(Exception, match=r"batches\.bin differ"):
        launch(world.train(), world.data, [], "cpu", False)
    with pytest.raises(NotFound, match="no phase is finished; finished: none"):
        copy_exports(world.data, "tiny@1", None, tmp_path / "x")
    shutil.rmtree(world.data.root)
