"""Response tokens per second of the sampler that probe, validation and local GRPO share, beside plain `generate`.

    python benchmarks/rl_sampling.py [--device cpu|cuda] [--at-once 1 8 32] [--cap 512] [--hidden 256] [--json OUT]

A random Llama draws nearly evenly from a small vocabulary, so lengths of responses are geometric: a long tail, as those
of real checkpoints have. `generate` is transformers' own sampling of the same prompts in batches of the same size and
order, which computes every sequence until the last one has ended. `computed` is how many sequence positions were
computed for each response token that was kept: 1 wastes nothing. Each way runs once to warm up and is then timed.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from manifests.terminal import print_rows
from training.local.model import choose_device, device_name
from training.rl.probe.encoding import prompt_ids
from training.rl.probe.generating import padded
from training.rl.probe.sampling import sample
from training.rl.probe.settings import Sampling

END = 256
WARM_UP_TOKENS = 4


@dataclass(frozen=True)
class Result:
    """What one way took at one batch size."""

    way: str
    at_once: int
    responses: int
    tokens: int
    tokens_per_s: float
    computed: float


def main() -> None:
    """Measures and prints a table."""
    options = _options()
    device = choose_device(options.device)
    model, tokenizer = _model(options).to(device), _tokenizer()  # type: ignore[arg-type]
    prompts = [f"What is {number} + {number}? " + "Think. " * (number % 9) for number in range(options.prompts)]
    results = [
        _measured(name, way, model, tokenizer, prompts, at_once, options)
        for at_once in options.at_once
        for name, way in (("sample", _by_sample), ("generate", _by_generate))
    ]
    print_rows(list(asdict(results[0])), [list(asdict(result).values()) for result in results])
    if options.json:
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        content = {"device": device_name(device), "parameters": model.num_parameters(), "cap": options.cap} | versions
        rows = [asdict(result) for result in results]
        options.json.write_text(json.dumps(content | {"results": rows}, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--at-once", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--cap", type=int, default=512)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _model(options: argparse.Namespace) -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": options.hidden, "intermediate_size": 3 * options.hidden, "vocab_size": END + 1}
    heads = {"num_hidden_layers": options.layers, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(**shape, **heads, max_position_embeddings=options.cap + 200, eos_token_id=END)
    return LlamaForCausalLM(config).eval()


def _tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")


def _measured(
    name: str,
    way: Callable[..., list[int]],
    model: Any,
    tokenizer: Any,
    prompts: list[str],
    at_once: int,
    options: argparse.Namespace,
) -> Result:
    way(model, tokenizer, prompts[:at_once], at_once, WARM_UP_TOKENS)
    computed: list[int] = []
    hook = model.lm_head.register_forward_hook(lambda _module, _inputs, output: computed.append(output.shape[0]))
    started = time.monotonic()
    lengths = way(model, tokenizer, prompts, at_once, options.cap)
    wall_s = time.monotonic() - started
    hook.remove()
    tokens = sum(lengths)
    return Result(name, at_once, len(lengths), tokens, tokens / wall_s, sum(computed) / tokens)


def _by_sample(model: Any, tokenizer: Any, prompts: list[str], at_once: int, cap: int) -> list[int]:
    settings = Sampling(cap, 1.0, 1.0, 1, at_once, 0)
    return [one.tokens for group in sample(model, tokenizer, prompts, settings) for one in group]


def _by_generate(model: Any, tokenizer: Any, prompts: list[str], at_once: int, cap: int) -> list[int]:
    torch.manual_seed(0)
    how = GenerationConfig(max_new_tokens=cap, do_sample=True, top_k=0, eos_token_id=END, pad_token_id=END)
    encoded = sorted(prompt_ids(tokenizer, prompts), key=len, reverse=True)
    lengths = []
    for first in range(0, len(encoded), at_once):
        ids, mask = padded(encoded[first : first + at_once], END)
        ids, mask = ids.to(model.device), mask.to(model.device)
        new = model.generate(ids, attention_mask=mask, generation_config=how)[:, ids.shape[1] :].tolist()
        lengths += [each.index(END) + 1 if END in each else len(each) for each in new]
    return lengths


if __name__ == "__main__":
    main()
