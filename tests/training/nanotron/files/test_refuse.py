"""What nanotron cannot run, or would run into other weights: refused with the reason, all of it at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import TrainingError
from training.jobs.slurm import Slurm

LLAMA3 = {
    "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192, "rope_theta": 500000.0,
}  # fmt: skip


def _refusal(made: Any, options: dict[str, Any] | None = None, **changes: Any) -> str:
    with pytest.raises(TrainingError) as caught:
        made.write(replace(made.options, **(options or {})), **changes)
    assert not made.folder.exists()  # nothing is written
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dp": 3}, "dp 3 · tp 1 · pp 1 = 3, the nodes have 2 GPUs; expected the same."),
        ({"tp": 4}, "dp 0 · tp 4 · pp 1 = 0, the nodes have 2 GPUs; expected the same."),
        ({"tp": 0}, "--tp is 0; expected at least 1"),
        ({"nodes": -1}, "--nodes is -1; expected at least 1"),
        ({"micro_batch_windows": 3}, "of micro batches of 3 do not divide. --micro-batch-windows works with 1, 2."),
        (
            {"gpus_per_node": 3},
            "3 replicas of micro batches of 2 do not divide. With micro batches of 1, --dp works with 1, 2, 4.",
        ),
        ({"gpus_per_node": 8, "tp": 8}, "num_attention_heads 4 is not divided by --tp 8. --tp works with 1, 2, 4."),
        ({"gpus_per_node": 4, "tp": 4}, "num_key_value_heads 2 is not divided by --tp 4. --tp works with 1, 2."),
        ({"gpus_per_node": 8, "pp": 4}, "--pp is 4, the model has 2 layers; expected at least one a stage"),
        (
            {"gpus_per_node": 4, "pp": 4, "micro_batch_windows": 4},
            "1 micro batches for 4 pipeline stages; expected at least 3.",
        ),
        ({"slurm": Slurm(partition="a\n#SBATCH --wrap=x")}, "--slurm-partition is 'a\\n#SBATCH --wrap=x'; expected"),
        ({"base": Path("/opt/base")}, "--base is /opt/base, the manifest asks for a new model; expected one of them."),
    ],
)
def test_machines_that_do_not_fit(scene: Callable[[str], Any], options: dict[str, Any], message: str) -> None:
    assert message in _refusal(scene("nanoset"), options)


@pytest.mark.parametrize(
    ("dialect", "changes", "message"),
    [
        ("nanoset", {"precision": "float32"}, "precision is float32; nanotron's attention kernels compute in 16 bits"),
        ("nanoset", {"document_masking": True}, "in the nanoset dialect attention crosses documents."),
        ("head", {"document_masking": True}, "nanotron's Llama ignores it, only its Qwen2 masks."),
        (
            "nanoset",
            {"stable": {"mixture": "stable@1", "schedule": {"style": "cosine"}}},
            "the stable phase ends at learning rate 0.001, its branches start at 0.01; nanotron starts them from the",
        ),
        (
            "nanoset",
            {"branches": {"long": {"mixture": "long@1", "schedule": {"style": "linear", "warmup_steps": 7}}}},
            "long: decays over 8 steps of which 7 are warm-up; expected two or more after the warm-up",
        ),
    ],
)
def test_settings_that_nanotron_does_not_follow(
    scene: Callable[[str], Any], dialect: str, changes: dict[str, Any], message: str
) -> None:
    assert message in _refusal(scene(dialect), **changes)


def test_a_layout_of_the_other_dialect(scene: Callable[[str], Any]) -> None:
    made = scene("nanoset")
    message = _refusal(made, {"dialect": "head"})
    for phase in ("stable", "long", "short"):
        assert f"{phase}: {phase}@1 has layout nanoset; the head dialect reads sequential in training order." in message
    assert "Tokenize it with layout: sequential, under a new version, or use --dialect nanoset." in message


def test_models_that_nanotron_would_build_otherwise(scene: Callable[[str], Any]) -> None:
    made = scene("nanoset")
    assert "hidden_act is 'gelu'; nanotron's model has 'silu'." in _refusal(made, model=made.config(hidden_act="gelu"))
    assert "does not say tie_word_embeddings" in _refusal(made, model=made.config(tie_word_embeddings=None))
    short = _refusal(made, model=made.config(max_position_embeddings=8))
    assert "the windows have 16 tokens, the model knows 8 positions" in short


def test_scaled_rotary_embeddings_need_a_word(scene: Callable[[str], Any]) -> None:
    made = scene("nanoset")
    model = made.config(rope_theta=None, rope_parameters=LLAMA3, max_position_embeddings=131072)
    message = _refusal(made, model=model)
    assert "rotary embedding llama3, factor 32.0: 2 of 4 frequency bands of each head turn at another speed" in message
    assert "Use --backend local, or --accept-unscaled-rope" in message
    launch = made.write(replace(made.options, accept_unscaled_rope=True), model=model)
    assert any("export the result with rope_scaling null" in note for note in launch.notes)


def test_a_vocabulary_that_nanoset_would_read_with_another_width(scene: Callable[[str], Any]) -> None:
    message = _refusal(made := scene("nanoset"), model=made.config(vocab_size=70_000))
    assert "stable: stable@1 has 2 bytes a token, Nanoset reads 4 for a vocabulary of 70,000." in message


def test_the_head_dialect_wants_as_many_tokens_as_rows(scene: Callable[[str], Any]) -> None:
    message = _refusal(made := scene("head"), model=made.config())
    assert "the tokenizer of stable@1 has 278 tokens, the model embeds 320; the head dialect stops" in message


def test_a_checkpoint_must_be_converted(scene: Callable[[str], Any]) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    made = scene("nanoset")
    made.config()
    (made.world.folder / "base").mkdir()
    (made.world.folder / "config.json").rename(made.world.folder / "base/config.json")
    save_file({"weights": np.zeros(28_832, np.float32)}, made.world.folder / "base/model.safetensors")
    message = _refusal(made, model={"checkpoint": "base"})
    assert "model.checkpoint is base, a Hugging Face folder, which nanotron does not read. Convert it" in message


def test_everything_wrong_is_said_at_once(scene: Callable[[str], Any]) -> None:
    message = _refusal(scene("nanoset"), {"dp": 3, "tp": 3, "dialect": "head"}, precision="float32")
    lines = message.splitlines()
    assert len(lines) == 13 and all(line.startswith("train tiny@1: ") for line in lines)


def test_mixtures_without_windows_are_all_named(scene: Callable[[str], Any]) -> None:
    made = scene("nanoset")
    (made.world.data.mixture("long@1") / "lock.json").unlink()
    (made.world.data.mixture("short@1") / "windows/00000.ds").unlink()
    message = _refusal(made)
    assert "long: " in message and "holds no finished mixture. Run `octo mixture tokenize`" in message
    assert "short: " in message and "windows/00000.ds: is missing" in message


def test_a_checkpoint_that_is_not_here(scene: Callable[[str], Any]) -> None:
    message = _refusal(scene("nanoset"), {"base": Path("/opt/base")}, model={"checkpoint": "nowhere"})
    assert "nowhere/config.json does not exist; expected the config.json of a Hugging Face folder." in message
