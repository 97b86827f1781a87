"""A tiny world for reinforcement learning: sums of one digit, a policy that writes boxes and is right by chance."""

import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.layout import DataFolder
from manifests.load import Loaded, load_manifest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before any test imports torch; training.extra says why

END = "<|endoftext|>"
NUMBERS = 5
SUMS = [(f"{a}+{b}=", str(a + b)) for a in range(NUMBERS) for b in range(NUMBERS)]
HELD, ASKED = SUMS[::6], [sum_ for number, sum_ in enumerate(SUMS) if number % 6]
CORPUS = "sums@1"
MEASURED = {"sets": {"held": {"file": "held.jsonl"}}, "every_rollout_steps": 2}


@dataclass(frozen=True)
class World:
    """A folder with a policy and manifests, and a data folder with the corpus of problems."""

    folder: Path

    @property
    def data(self) -> DataFolder:
        """The data folder."""
        return DataFolder(self.folder / "data")

    def manifest(self, name: str = "tiny", validation: dict[str, Any] | None = MEASURED, **changes: Any) -> Loaded:
        """An RL manifest; a change that is a mapping is merged into its section."""
        content: dict[str, Any] = {
            "kind": "rl",
            "name": name,
            "version": 1,
            "checkpoint": "policy",
            "prompts": {"corpus": CORPUS, "template": "plain", "max_prompt_tokens": 8},
            "rollout": {"prompts_per_step": 4, "responses_per_prompt": 4, "length_schedule": [[0, 6]]},
            "policy": {"learning_rate": 1e-3, "minibatch_prompts": 2},
            "checkpoints": {"every_rollout_steps": 2, "keep": 2},
            "precision": "float32",
            "rollout_steps": 4,
            "seed": 1,
        }
        if validation:
            content["validation"] = validation
        for key, value in changes.items():
            content[key] = content[key] | value if isinstance(value, dict) and key in content else value
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps(content))  # JSON is YAML
        return load_manifest(path, "rl")

    def run(self, name: str = "tiny", **changes: Any) -> Any:
        """An opened run of such a manifest, ready to be trained."""
        from training.rl.plan import plan_rl
        from training.rl.run import open_run

        return open_run(plan_rl(self.manifest(name, **changes), self.data), "local", "cpu", {}, False)


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 67,000 parameters that answers in boxes, right about four times in ten."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("policy") / "policy"
    torch.manual_seed(0)
    tokenizer = write_tokenizer(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=256, num_hidden_layers=1, num_attention_heads=4,
        max_position_embeddings=64, bos_token_id=None, eos_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    show_boxes(model, tokenizer, steps=200)
    model.save_pretrained(folder)
    return folder


def write_tokenizer(folder: Path) -> Any:
    """A tokenizer whose tokens are digits, signs, and the beginning and the end of a box."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [END, *"0123456789+=", "\\boxed{", "}"]
    tokens = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token=END))
    tokens.pre_tokenizer = pre_tokenizers.Split(Regex(r"\\boxed\{|."), "isolated")
    tokens.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token=END)
    tokenizer.save_pretrained(folder)
    return tokenizer


def show_boxes(model: Any, tokenizer: Any, steps: int) -> None:
    """Supervised steps on boxed answers of which about four in ten are right."""
    import torch

    chance, answers = random.Random(0), sorted({answer for _, answer in SUMS})
    texts = [
        f"{sum_}\\boxed{{{answer if chance.random() < 0.33 else chance.choice(answers)}}}{END}"
        for sum_, answer in SUMS * 20
    ]
    ids = tokenizer(texts)["input_ids"]
    width = max(map(len, ids))
    inputs = torch.tensor([each + [0] * (width - len(each)) for each in ids])
    labels = torch.tensor([[-100] * 4 + each[4:] + [-100] * (width - len(each)) for each in ids])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        chosen = torch.randint(len(inputs), (64,))
        model(input_ids=inputs[chosen], labels=labels[chosen]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.fixture
def world(tmp_path: Path, policy: Path, lay_out: Callable[[Path, Path], None]) -> World:
    """The world, in a folder of its own."""
    lay_out(tmp_path, policy)
    return World(tmp_path)


@pytest.fixture
def lay_out() -> Callable[[Path, Path], None]:
    """`lay_out(folder, policy)`: the policy, the problems held out, and a data folder with the corpus of the others."""

    def _lay_out(folder: Path, policy: Path) -> None:
        (folder / "policy").symlink_to(policy)
        write_corpus(DataFolder(folder / "data").corpus(CORPUS))
        rows = [{"problem": sum_, "answer": answer} for sum_, answer in HELD]
        (folder / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    return _lay_out


def write_corpus(folder: Path) -> None:
    """A finished corpus of 20 sums, with their answers beside the text."""
    rows = [
        {"id": f"sum-{number:02}", "text": sum_, "metadata": json.dumps({"answer": answer})}
        for number, (sum_, answer) in enumerate(ASKED)
    ]
    (folder / "shards").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "shards" / "part-00000.parquet")
    name, _, version = CORPUS.partition("@")
    counts = {"input_records": len(rows), "documents": len(rows), "removed": 0, "failed": 0}
    record = {
        "identity": CORPUS, "name": name, "version": version, "description": "", "licence": "CC0-1.0", "recipe": {},
        "digest": "sha256:sums", "fingerprint": "sha256:sums", "counts": counts, "tokens": 100, "token_counter": "none",
        "text_bytes": 100, "bytes": 1000, "formulas": 0, "cpu_s": 0.0, "wall_s": 0.0, "finished": "2026-11-20",
        "shards": [], "stages": [], "reasons": [], "inputs": [],
    }  # fmt: skip
    (folder / "build.json").write_text(json.dumps(record))


@pytest.fixture
def train() -> Callable[..., dict[str, Any]]:
    """`train(run, …)`: trains a run on the CPU, in one thread, as `octo rl launch` does."""

    def _train(run: Any, stop_on: str | None = None, stop: Any = None, **settings: Any) -> dict[str, Any]:
        import torch

        from training.local.stopping import Stop
        from training.rl.grpo.launch import train

        torch.set_num_threads(1)
        return train(run, torch.device("cpu"), stop_on, Stop() if stop is None else stop, **settings)

    return _train
