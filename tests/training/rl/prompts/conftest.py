"""Tokenizers in the style of each family, corpora of problems that curation builds, and manifests beside them."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)  # fmt: skip

from manifests.layout import DataFolder
from manifests.load import Loaded, load_manifest

TEXTS = [
    f"What is {a} + {b}? Compute $\\frac{{{a}}}{{{b}}}$ and put it in \\boxed{{}}." for a in range(9) for b in range(9)
]


def byte_level(added: list[str], split: str | None = None, normalizer: Any = None) -> Tokenizer:
    """A byte-level BPE, as Llama 3, Qwen 2 and GPT-NeoX have one."""
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    steps = [pre_tokenizers.Split(Regex(split), "isolated"), level] if split else [level]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in added])
    return tokenizer


def sentence_piece(added: list[str]) -> Tokenizer:
    """A BPE over ▁ with bytes for what it does not know, as Llama 2 and Mistral have one."""
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    model = models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    special = ["<unk>", *added]
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=600, special_tokens=[*special, *alphabet]))
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in special]
    content["decoder"] = {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    }
    return Tokenizer.from_str(json.dumps(content))


def begins(tokenizer: Tokenizer, bos: str, eos: str = "") -> Any:
    """A post-processor that puts `bos` before a text, and `eos` behind it."""
    single = f"{bos} $A" + (f" {eos}" if eos else "")
    ids = [(token, tokenizer.token_to_id(token)) for token in {bos, eos} - {""}]
    return processors.TemplateProcessing(single=single, pair=f"{single} $B:1", special_tokens=ids)


def llama_3() -> tuple[Tokenizer, dict[str, Any]]:
    tokenizer = byte_level(
        ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], r"\p{N}{1,3}| ?\p{L}+|\s+|[^\s\p{L}\p{N}]+"
    )
    begin = begins(tokenizer, "<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), begin])
    return tokenizer, {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|begin_of_text|>",
        "eos_token": "<|end_of_text|>",
        "model_max_length": 131072,
    }


def qwen_2() -> tuple[Tokenizer, dict[str, Any]]:
    tokenizer = byte_level(
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], r"\p{N}| ?\p{L}+|\s+|[^\s\p{L}\p{N}]+", normalizers.NFC()
    )
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer, {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": False,
        "bos_token": None,
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "chat_template": "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>{% endfor %}",
    }


def mistral() -> tuple[Tokenizer, dict[str, Any]]:
    tokenizer = sentence_piece(["<s>", "</s>"])
    tokenizer.post_processor = begins(tokenizer, "<s>")
    plain = {"__type": "AddedToken", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    return tokenizer, {
        "tokenizer_class": "LlamaTokenizer",
        "add_bos_token": True,
        "bos_token": plain | {"content": "<s>"},
        "eos_token": plain | {"content": "</s>"},
        "unk_token": plain | {"content": "<unk>"},
        "legacy": False,
        "model_max_length": 10**30,
    }


def llama_2() -> tuple[Tokenizer, dict[str, Any]]:
    """The older form of the same: the normaliser puts the ▁ before every stretch between special tokens."""
    tokenizer, settings = mistral()
    tokenizer.pre_tokenizer = None
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return tokenizer, settings | {"tokenizer_class": "PreTrainedTokenizerFast"}


FAMILIES = {"llama_3": llama_3, "qwen_2": qwen_2, "mistral": mistral, "llama_2": llama_2}


def write_tokenizer(folder: Path, tokenizer: Tokenizer, settings: dict[str, Any] | None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    if settings is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each family of tokenizers."""
    place = tmp_path_factory.mktemp("families")
    return {name: write_tokenizer(place / name, *make()) for name, make in FAMILIES.items()}


@dataclass(frozen=True)
class Problems:
    """A folder of manifests and a data folder with one corpus of problems."""

    folder: Path
    data: DataFolder
    built: Path  # corpora that another test has built

    def build(self, rows: list[dict[str, Any]], sections: str = "", partitions: int = 3) -> None:
        """Builds the corpus `problems@1` of the rows: `problem` is the text, `id` the id."""
        known = self.built / hashlib.sha256(repr((rows, partitions)).encode()).hexdigest()
        if not sections and known.exists():
            shutil.copytree(known, self.data.corpus("problems@1"))
            return
        write_jsonl(self.folder / "rows.jsonl", rows)
        self._build(sections, partitions)
        if not sections:
            shutil.copytree(self.data.corpus("problems@1"), known)

    def _build(self, sections: str, partitions: int) -> None:
        from curation.build import build_corpus
        from curation.executors import Machine
        from curation.plan import plan_build

        path = self.folder / "problems.yaml"
        path.write_text(
            "kind: corpus\nname: problems\nversion: 1\n"
            "inputs: {files: [rows.jsonl], text_column: problem, id_column: id}\n"
            f"dedup: {{exact: false}}\nshards: {{partitions: {partitions}}}\n{sections}"
        )
        build_corpus(plan_build(load_manifest(path), self.data), self.data, Machine())

    def manifest(self, **changes: Any) -> Loaded:
        """An RL manifest over `problems@1`."""
        content = {
            "kind": "rl",
            "name": "tiny",
            "version": 1,
            "checkpoint": "model",
            "prompts": {"corpus": "problems@1", "template": "plain"},
            "rollout": {"length_schedule": [[0, 64]]},
            "rollout_steps": 4,
        }
        path = self.folder / "tiny.yaml"
        path.write_text(json.dumps(content | changes))
        return load_manifest(path)


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where corpora lie that several tests build."""
    return tmp_path_factory.mktemp("built")


@pytest.fixture
def problems(tmp_path: Path, built: Path) -> Problems:
    """Nothing is built yet."""
    return Problems(tmp_path, DataFolder(tmp_path / "data"), built)


@pytest.fixture
def jsonl() -> Callable[[Path, list[Any]], Path]:
    """Writes rows as JSON lines."""
    return write_jsonl
