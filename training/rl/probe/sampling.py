"""Responses of a model to prompts: batched, in order, the same for the same seed however many are generated at once."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from training.rl.probe.encoding import end_ids, prompt_ids, refuse_too_long, refuse_unknown_ids
from training.rl.probe.settings import Sampled, Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from training.rl.probe.generating import Wanted

SORTED_BATCHES = 8  # sorted by length together, chosen here: little padding, and the first responses come soon

__all__ = ["Sampled", "Sampling", "sample"]


def sample(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompts: Sequence[str], settings: Sampling
) -> Iterator[list[Sampled]]:
    """One list of `settings.responses` responses a prompt, in the order of the prompts, as they become ready.

    Prompts are plain texts (see `encoding`). Sampling ends at any end of text that the tokenizer or the model's
    configuration names, and with temperature and top-p alone: nothing else in the checkpoint's generation_config.json
    counts. The drawn numbers belong to a prompt's place in the list, a response's place among its responses and the
    seed; the other sequences of a batch change the logits by rounding only. The model is used as it is, on its device,
    and left in the mode it was in.

    Raises TrainingError or InputError at once for prompts that do not fit, TrainingError later where memory is short.
    """
    encoded = prompt_ids(tokenizer, prompts)
    ends = end_ids(model, tokenizer)
    refuse_unknown_ids(model, encoded, "a prompt")
    refuse_too_long(model, encoded, settings.max_response_tokens)
    return _sample(model, tokenizer, encoded, settings, ends)


def _sample(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    encoded: list[list[int]],
    settings: Sampling,
    ends: list[int],
) -> Iterator[list[Sampled]]:
    from training.rl.probe.generating import generate_batch

    for window in _windows(encoded, settings):
        generated = {}
        for batch in _batches(window, settings.sequences_at_once):
            for wanted, ids in zip(batch, generate_batch(model, batch, settings, ends), strict=True):
                generated[wanted.prompt, wanted.response] = _sampled(tokenizer, ids, ends)
        for prompt in dict.fromkeys(wanted.prompt for wanted in window):
            yield [generated[prompt, response] for response in range(settings.responses)]


def _windows(encoded: list[list[int]], settings: Sampling) -> Iterator[list["Wanted"]]:
    """Runs of prompts whose responses fill SORTED_BATCHES batches."""
    from training.rl.probe.generating import Wanted

    size = max(1, SORTED_BATCHES * settings.sequences_at_once // settings.responses)
    for first in range(0, len(encoded), size):
        prompts = range(first, min(first + size, len(encoded)))
        yield [Wanted(at, response, encoded[at]) for at in prompts for response in range(settings.responses)]


def _batches(window: list["Wanted"], size: int) -> Iterator[list["Wanted"]]:
    """The longest prompts first, so that a memory that is too small shows at the beginning."""
    ordered = sorted(window, key=lambda wanted: -len(wanted.ids))
    for first in range(0, len(ordered), size):
        yield ordered[first : first + size]


def _sampled(tokenizer: "PreTrainedTokenizerBase", ids: list[int], ends: list[int]) -> Sampled:
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Sampled(str(text), len(ids), ids[-1] not in ends)
