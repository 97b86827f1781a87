"""What goes into the model and when it ends: the ids of prompts, the ids of an end of text, and whether all of it fits.

A prompt is plain text: the beginning of text, where the tokenizer puts one before texts, and the ids of the text,
whatever chat template the tokenizer came with. These are the ids that `apply_chat_template` gives with the policy
tokenizer, whose template passes the text through.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from manifests.errors import InputError, TrainingError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def prompt_ids(tokenizer: "PreTrainedTokenizerBase", prompts: Sequence[str]) -> list[list[int]]:
    """The ids of each prompt, with one beginning of text if the tokenizer adds it, without any end of text.

    Raises TrainingError for a prompt that has no token: a model goes on from something.
    """
    begin = [tokenizer.bos_token_id] if adds_bos(tokenizer) else []
    encoded = [begin + _ids(tokenizer, prompt, False) for prompt in prompts]
    for number, ids in enumerate(encoded, start=1):
        if not ids:
            raise TrainingError(
                f"prompt {number} of {len(prompts)}: is empty and its tokenizer puts no beginning of text before it; "
                "expected at least one token. Remove it or use a template with words."
            )
    return encoded


def adds_bos(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Whether the tokenizer puts its beginning of text before a plain text."""
    begin = tokenizer.bos_token_id
    return begin is not None and _ids(tokenizer, "1", True)[:1] == [begin]


def end_ids(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Every id that ends a response, sorted: those of the tokenizer, of generation_config.json and of config.json.

    Raises InputError where there is none, or one that the model cannot give.
    """
    settings = (tokenizer, model.generation_config, model.config.get_text_config())
    found = {id_ for holder in settings for id_ in _as_list(getattr(holder, "eos_token_id", None))}
    if not found:
        raise InputError(
            "the checkpoint: names no end of text in its tokenizer, generation_config.json or config.json, so no "
            "response would ever end; expected an eos_token. Set it in the tokenizer's tokenizer_config.json."
        )
    refuse_unknown_ids(model, [sorted(found)], "the end of text")
    return sorted(found)


def refuse_too_long(model: "PreTrainedModel", encoded: Sequence[Sequence[int]], max_response_tokens: int) -> None:
    """Raises TrainingError where a prompt and the longest response need more positions than the model has."""
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    number, longest = max(enumerate(map(len, encoded), start=1), key=lambda each: each[1], default=(0, 0))
    if positions is not None and longest + max_response_tokens > positions:
        raise TrainingError(
            f"prompt {number} of {len(encoded)}: its {longest:,} tokens and a response of {max_response_tokens:,} need "
            f"{longest + max_response_tokens:,} positions, the model has {positions:,}; expected at most as many. "
            "Lower the length of responses, or max_prompt_tokens in the manifest."
        )


def refuse_unknown_ids(model: "PreTrainedModel", encoded: Sequence[Sequence[int]], what: str) -> None:
    """Raises InputError for ids that have no embedding in the model; `what` is what has them."""
    size = len(cast("torch.nn.Embedding", model.get_input_embeddings()).weight)
    largest = max((max(ids) for ids in encoded), default=0)
    if largest >= size:
        raise InputError(
            f"the tokenizer: gives {what} the id {largest:,}, the model knows {size:,} tokens; expected the tokenizer "
            "the model was trained with. Put that one into the checkpoint's folder."
        )


def _ids(tokenizer: "PreTrainedTokenizerBase", text: str, special: bool) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=special, truncation=False, verbose=False)["input_ids"]
    return ids


def _as_list(ids: Any) -> list[int]:
    if ids is None:
        return []
    return [int(id_) for id_ in ids] if isinstance(ids, list | tuple) else [int(ids)]
