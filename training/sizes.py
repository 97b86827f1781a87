"""How large a model is and what training it costs: parameters, FLOPs per token, GPU-hours. No torch needed.

The cost model counts 6 FLOPs per token for every parameter that is multiplied, plus causal attention
(6 · layers · width · sequence length); optimizer, data and communication are in the assumed utilisation.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from manifests.kinds.train import LlamaShape
from manifests.records import read_record

H100_FLOPS_PER_S = 989e12  # dense bf16, NVIDIA H100 SXM data sheet; an H200 computes the same
ASSUMED_UTILISATION = 0.40  # of that peak; chosen here, in the range published for 1B to 8B models at 8,192 tokens
COST_ASSUMPTION = "GPU-hours assume an H100 (989 TFLOP/s dense bf16) at 40 % utilisation; at 30 % it takes 1.33 times."
HEADER_LIMIT_BYTES = 100_000_000  # the safetensors format's own limit


@dataclass(frozen=True)
class ModelSize:
    """What the cost of training depends on."""

    parameters: int
    multiplied: int  # parameters without the input embedding when it is not shared with the output
    layers: int
    hidden_size: int
    vocab_size: int


def llama_size(shape: LlamaShape, vocab_size: int) -> ModelSize:
    """The size of a new Llama of this shape (no biases)."""
    hidden, layers = shape.hidden_size, shape.num_hidden_layers
    key_value = hidden * shape.num_key_value_heads // shape.num_attention_heads
    attention = 2 * hidden * hidden + 2 * hidden * key_value
    layer = attention + 3 * hidden * shape.intermediate_size + 2 * hidden
    embedding = vocab_size * hidden
    multiplied = layers * layer + hidden + embedding
    total = multiplied if shape.tie_word_embeddings else multiplied + embedding
    return ModelSize(total, multiplied, layers, hidden, vocab_size)


def checkpoint_size(folder: Path) -> ModelSize:
    """The size of the model in a Hugging Face folder, from config.json and the headers of its safetensors files.

    Raises InputError where config.json, a safetensors file or a size in them is missing or broken.
    """
    config = read_record(folder / "config.json")
    tied = bool(config.get("tie_word_embeddings", False))
    shapes = {name: shape for file in safetensors_files(folder) for name, shape in tensor_shapes(file).items()}
    counted = {name: math.prod(shape) for name, shape in shapes.items() if not (tied and name == "lm_head.weight")}
    names = ("vocab_size", "hidden_size", "num_hidden_layers")
    vocab, hidden, layers = (_config_int(folder, config, name) for name in names)
    total = sum(counted.values())
    return ModelSize(total, total if tied else total - vocab * hidden, layers, hidden, vocab)


def safetensors_files(folder: Path) -> list[Path]:
    """The weight files of a Hugging Face folder, sorted. Raises InputError without any; pickles are not read."""
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    pickled = sorted(path.name for path in folder.glob("*.bin"))
    found = f"only {pickled[0]}, a pickle, which can run code when it is read" if pickled else "none"
    raise InputError(
        f"{folder}: expected safetensors weights; found {found}. Save it with transformers' `save_pretrained`."
    )


def tensor_shapes(path: Path) -> dict[str, list[int]]:
    """Tensor name → shape, from the header of one safetensors file. Raises InputError if the header is broken."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(min(length, HEADER_LIMIT_BYTES)))
        return {name: [int(n) for n in entry["shape"]] for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: is not a readable safetensors file ({error}). Copy it again.") from error


def flops_per_token(size: ModelSize, sequence_length: int) -> float:
    """Forward and backward FLOPs for one trained token."""
    return 6.0 * size.multiplied + 6.0 * size.layers * size.hidden_size * sequence_length


def gpu_hours(tokens: int, flops_each: float) -> float:
    """Hours of one H100 for `tokens` trained tokens, under COST_ASSUMPTION."""
    return tokens * flops_each / (H100_FLOPS_PER_S * ASSUMED_UTILISATION) / 3600


def _config_int(folder: Path, config: dict[str, Any], name: str) -> int:
    value = config.get(name)
    if not isinstance(value, int) or value < 1:
        raise InputError(f"{folder / 'config.json'}: {name} is {value!r}; expected a positive number.")
    return value
