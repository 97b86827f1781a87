"""A tiny world for verl: sums, a policy that writes boxes, and a stand-in for verl, or the user's own on a CPU."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from manifests.layout import DataFolder
from manifests.load import Loaded, load_manifest

END = "<|endoftext|>"
WORDS = [END, *"0123456789+=", "\\boxed{", "}"]
CORPUS = "sums@1"
STAND_IN = Path(__file__).parent / "stand_in.py"


@dataclass(frozen=True)
class World:
    """A folder with a policy and manifests, and a data folder with the corpus of problems."""

    folder: Path

    @property
    def data(self) -> DataFolder:
        """The data folder."""
        return DataFolder(self.folder / "data")

    def manifest(self, **changes: Any) -> Loaded:
        """An RL manifest; a change that is a mapping is merged into its section."""
        content: dict[str, Any] = {
            "kind": "rl",
            "name": "tiny",
            "version": 1,
            "checkpoint": "policy",
            "prompts": {"corpus": CORPUS, "template": "plain", "max_prompt_tokens": 8},
            "validation": {"sets": {"held": {"file": "held.jsonl"}}, "every_rollout_steps": 2},
            "rollout": {"prompts_per_step": 4, "responses_per_prompt": 2, "length_schedule": [[0, 4], [2, 8]]},
            "policy": {"learning_rate": 1e-3, "minibatch_prompts": 2},
            "checkpoints": {"every_rollout_steps": 1, "keep": 9},
            "precision": "float32",
            "rollout_steps": 4,
            "seed": 1,
        }
        for key, value in changes.items():
            content[key] = content[key] | value if isinstance(value, dict) and key in content else value
        path = self.folder / "tiny.yaml"
        path.write_text(json.dumps(content))  # JSON is YAML
        return load_manifest(path, "rl")

    def plan(self, **changes: Any) -> Any:
        """The plan of such a manifest."""
        from training.rl.plan import plan_rl

        return plan_rl(self.manifest(**changes), self.data)

    def run(self, **changes: Any) -> Any:
        """An opened run of such a manifest, ready to be trained."""
        from training.rl.run import open_run

        return open_run(self.plan(**changes), "verl", "verl", {}, False)


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 50,000 random parameters; its tokenizer knows digits, signs and boxes. Written without torch."""
    folder = tmp_path_factory.mktemp("policy") / "policy"
    folder.mkdir()
    write_tokenizer(folder)
    write_model(folder, vocabulary=len(WORDS), width=64, inner=128)
    return folder


def write_tokenizer(folder: Path) -> None:
    """One token a word."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token=END))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\\boxed\{|."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([END])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def write_model(folder: Path, vocabulary: int, width: int, inner: int) -> None:
    """Configuration and weights of a Llama of one layer."""
    import numpy as np
    from safetensors.numpy import save_file

    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocabulary, "hidden_size": width,
        "intermediate_size": inner, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4,
        "head_dim": width // 4, "max_position_embeddings": 32_768, "rms_norm_eps": 1e-6, "rope_theta": 10_000.0,
        "hidden_act": "silu", "tie_word_embeddings": False, "eos_token_id": 0, "torch_dtype": "float32",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    layer, square = "model.layers.0", (width, width)
    shapes = {
        "model.embed_tokens.weight": (vocabulary, width), "lm_head.weight": (vocabulary, width),
        **{f"{layer}.self_attn.{name}_proj.weight": square for name in "qkvo"},
        f"{layer}.mlp.gate_proj.weight": (inner, width), f"{layer}.mlp.up_proj.weight": (inner, width),
        f"{layer}.mlp.down_proj.weight": (width, inner),
    }  # fmt: skip
    chance = np.random.default_rng(0)
    weights = {name: chance.normal(0, 0.02, shape).astype(np.float32) for name, shape in shapes.items()}
    ones = (f"{layer}.input_layernorm.weight", f"{layer}.post_attention_layernorm.weight", "model.norm.weight")
    weights |= {name: np.ones(width, np.float32) for name in ones}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture
def world(tmp_path: Path, policy: Path, lay_out: Callable[[Path, Path], None]) -> World:
    """The world, in a folder of its own, whose name no shell and no parser may trip over."""
    folder = tmp_path / "it's {a} world, $1"
    folder.mkdir()
    lay_out(folder, policy)
    return World(folder)


@pytest.fixture
def options() -> Any:
    """Options for one GPU, without verl."""
    from training.rl.verl.options import Options

    return Options(python=None, gpus_per_node=1)


@pytest.fixture
def stand_in(tmp_path: Path, options: Any) -> Any:
    """Options whose interpreter runs the stand-in for verl."""
    python = tmp_path / "verl-python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    python.chmod(0o755)
    return replace(options, python=python)


@pytest.fixture
def train() -> Callable[..., dict[str, Any]]:
    """`train(run, options, …)`: what `octo rl launch --backend verl` does, impatiently."""

    def _train(run: Any, options: Any, stop_on: str | None = None, stop: Any = None) -> dict[str, Any]:
        from training.jobs.job import Patience
        from training.local.stopping import Stop
        from training.rl.run import start
        from training.rl.verl.launch import train

        start(run)
        wish = Stop() if stop is None else stop
        return train(run, options, stop_on, wish, Patience(poll_s=0.02, grace_s=5.0))

    return _train


CPU_WORDS = (
    "trainer.device=cpu",
    "+ray_kwargs.ray_init.num_gpus=1",
    "ray_kwargs.ray_init.num_cpus=16",
    "+ray_kwargs.ray_init.include_dashboard=False",
    "actor_rollout_ref.rollout.name=octo_cpu",
    "actor_rollout_ref.model.use_remove_padding=False",
    "+actor_rollout_ref.model.override_config.attn_implementation=eager",
    "actor_rollout_ref.model.enable_gradient_checkpointing=False",
    "actor_rollout_ref.rollout.agent.num_workers=1",
    "reward.num_workers=1",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units=1",
)
"""What verl needs on a machine without a GPU; see cpu_plugin/."""


@pytest.fixture
def verl_python() -> str:
    """The user's interpreter with verl."""
    python = os.environ.get("OCTO_VERL_PYTHON")
    if not python:
        pytest.skip("OCTO_VERL_PYTHON is not set; expected the interpreter of an environment with verl")
    return python


@pytest.fixture
def on_cpu(verl_python: str, options: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Options with which the user's verl trains on this CPU."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "cpu_plugin"))
    monkeypatch.setenv("VERL_USE_EXTERNAL_MODULES", "octo_cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return replace(options, python=Path(verl_python), engine_words=CPU_WORDS)
