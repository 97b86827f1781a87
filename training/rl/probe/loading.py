"""The checkpoint's model and tokenizer, ready to sample: from local files, no code from a folder."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from training.rl.prompts.tokenizer import write_policy_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_policy_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer that training would make of the one in a Hugging Face folder; nothing is written there.

    Raises InputError for a folder without a usable tokenizer.
    """
    from transformers import PreTrainedTokenizerFast

    with tempfile.TemporaryDirectory() as temporary:
        policy = Path(temporary) / "tokenizer"
        write_policy_tokenizer(folder, policy)
        tokenizer: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(policy, local_files_only=True)
    return tokenizer


def with_precision(model: "PreTrainedModel", precision: str) -> "PreTrainedModel":
    """The model itself with its parameters in this precision; buffers stay float32, as rotary positions need it."""
    import torch

    dtype: torch.dtype = getattr(torch, precision)
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
    return model
