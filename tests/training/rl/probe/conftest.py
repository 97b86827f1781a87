"""A tiny random Llama and tokenizers that differ in their beginning of text."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

PAD, BOS, EOS, OTHER_END = 0, 1, 2, 3
POSITIONS = 256
SUMS = [f"What is {a} + {b}? " + "Think. " * (a % 5) for a in range(12) for b in range(3)]


def make_tokenizer(adds_bos: bool = False, adds_eos: bool = False, chat_template: str | None = None) -> Any:
    """A byte-level BPE of some 270 tokens, trained here."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=270,
        special_tokens=["<pad>", "<bos>", "<eos>", "<other_end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(SUMS, trainer)
    if adds_bos or adds_eos:
        single = ("<bos> " if adds_bos else "") + "$A" + (" <eos>" if adds_eos else "")
        inner.post_processor = processors.TemplateProcessing(
            single=single, special_tokens=[("<bos>", BOS), ("<eos>", EOS)]
        )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>")
    tokenizer.chat_template = chat_template
    return tokenizer


def make_model(**changes: Any) -> "PreTrainedModel":
    """A Llama of two layers whose weights are large enough that its answers differ and end now and then."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(changes.pop("seed", 2))
    shape: dict[str, Any] = {
        "vocab_size": 270,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": POSITIONS,
        "initializer_range": 0.3,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
    }
    model = LlamaForCausalLM(LlamaConfig(**(shape | changes))).eval()
    with torch.no_grad():
        model.lm_head.weight[EOS] *= 1.6  # found by trial: some responses to SUMS end within 30 tokens, some do not
    return model


@pytest.fixture(scope="session")
def new_tokenizer() -> Callable[..., Any]:
    """`new_tokenizer(adds_bos, adds_eos, chat_template)` makes one."""
    return make_tokenizer


@pytest.fixture(scope="session")
def new_model() -> Callable[..., Any]:
    """`new_model(**of_the_configuration)` makes one."""
    return make_model


@pytest.fixture(scope="session")
def tokenizer() -> "PreTrainedTokenizerFast":
    """Without a beginning of text."""
    return make_tokenizer()


@pytest.fixture(scope="session")
def model() -> "PreTrainedModel":
    """To be read, not changed."""
    return make_model()


@pytest.fixture(scope="session")
def sums() -> list[str]:
    """Prompts of different lengths."""
    return SUMS
