"""One batch of responses with transformers' `generate`: left padding, cache on, ended sequences leave the batch.

`generate` computes every sequence until the last one has ended, and lengths of responses have long tails. So each time
half of the sequences have ended they are taken out of the batch and of the cache, and `generate` goes on with the rest.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import (
    Cache,
    GenerationConfig,
    LogitsProcessorList,
    PreTrainedModel,
    StoppingCriteria,
    StoppingCriteriaList,
)

from manifests.errors import TrainingError
from training.rl.probe.drawing import Choice, numbers_for
from training.rl.probe.settings import Sampling

_NO_MEMORY = ("allocate memory", "ALLOC_FAILED")  # of the CPU's allocator; of cuBLAS


@dataclass(frozen=True)
class Wanted:
    """One response that is to be generated."""

    prompt: int  # index of the prompt in the list
    response: int  # index among the responses to it
    ids: Sequence[int]


class HalfEnded(StoppingCriteria):
    """Stops the whole batch as soon as half of its sequences have ended."""

    def __init__(self, ends: torch.Tensor) -> None:
        self._ends = ends
        self._ended: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
        """bool [rows]: all true where half have ended."""
        ended = torch.isin(input_ids[:, -1], self._ends)
        self._ended = ended if self._ended is None else self._ended | ended
        return self._ended | (self._ended.sum() * 2 >= len(self._ended))


def generate_batch(
    model: PreTrainedModel, batch: Sequence[Wanted], settings: Sampling, ends: Sequence[int]
) -> list[list[int]]:
    """The new ids of each response, up to its end of text and with it; without one, as many as the cap.

    Raises TrainingError where the memory is too small or the model's logits are no numbers.
    """
    with _explained(model, batch, settings), ready_to_generate(model, settings.precision):
        return _generate(model, batch, settings, ends)


def _generate(
    model: PreTrainedModel, batch: Sequence[Wanted], settings: Sampling, ends: Sequence[int]
) -> list[list[int]]:
    numbers = _numbers(batch, settings, model.device)
    going = _Going(batch, settings.max_response_tokens, ends, model.device)
    finished: dict[int, list[int]] = {}
    while len(going.rows):
        of_rows = None if numbers is None else numbers[going.rows]
        choice = Choice(of_rows, going.prompt_width, settings.temperature, settings.top_p)
        going.go_on(model, choice)
        _refuse_broken(choice, model)
        finished |= going.take_out_finished()
    return [finished[row] for row in range(len(batch))]


class _Going:
    """The sequences of a batch that have not ended: their rows in the batch, their ids, and what the cache holds."""

    def __init__(self, batch: Sequence[Wanted], cap: int, ends: Sequence[int], device: torch.device) -> None:
        ids, mask = padded([wanted.ids for wanted in batch], ends[0])
        self.prompt_width = ids.shape[1]
        self.rows = torch.arange(len(batch), device=device)
        self._ids, self._mask = ids.to(device), mask.to(device)
        self._cap, self._ends, self._end_ids = cap, list(ends), torch.tensor(ends, device=device)
        self._cache: Cache | None = None

    def go_on(self, model: PreTrainedModel, choice: Choice) -> None:
        """Generates until half of the sequences have ended or the cap is reached."""
        width = self._ids.shape[1]
        output = model.generate(  # type: ignore[operator]
            self._ids,
            attention_mask=self._mask,
            past_key_values=self._cache,
            generation_config=_how(self._ends, self._cap - (width - self.prompt_width)),
            logits_processor=LogitsProcessorList([choice]),
            stopping_criteria=StoppingCriteriaList([HalfEnded(self._end_ids)]),
        )
        self._ids, self._cache = output.sequences, output.past_key_values
        self._mask = torch.nn.functional.pad(self._mask, (0, self._ids.shape[1] - width), value=1)

    def take_out_finished(self) -> dict[int, list[int]]:
        """Row → new ids of the sequences that have ended or reached the cap; they are gone afterwards."""
        new = self._ids[:, self.prompt_width :]
        finished = torch.isin(new, self._end_ids).any(1) | (new.shape[1] >= self._cap)
        taken = zip(self.rows[finished].tolist(), new[finished].tolist(), strict=True)
        self._keep((~finished).nonzero()[:, 0])
        return {row: _until_end(tokens, set(self._ends)) for row, tokens in taken}

    def _keep(self, places: torch.Tensor) -> None:
        self.rows, self._ids, self._mask = self.rows[places], self._ids[places], self._mask[places]
        if len(places):
            assert self._cache is not None  # use_cache
            self._cache.batch_select_indices(places)


def padded(sequences: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """int64 ids and mask [rows, width], padded on the left."""
    width = max(map(len, sequences))
    ids = torch.tensor([[pad] * (width - len(each)) + list(each) for each in sequences])
    mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in sequences])
    return ids, mask


def _numbers(batch: Sequence[Wanted], settings: Sampling, device: torch.device) -> torch.Tensor | None:
    if settings.temperature == 0:
        return None
    places = [(wanted.prompt, wanted.response) for wanted in batch]
    return numbers_for(settings.seed, places, settings.max_response_tokens).to(device)


def _how(ends: Sequence[int], max_new_tokens: int) -> GenerationConfig:
    """Greedy, since `Choice` has chosen; padding is never looked at, so any id will do."""
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=list(ends),
        pad_token_id=ends[0],
        use_cache=True,
        return_dict_in_generate=True,
    )


def _until_end(tokens: list[int], ends: set[int]) -> list[int]:
    end = next((place for place, token in enumerate(tokens) if token in ends), len(tokens) - 1)
    return tokens[: end + 1]


def _refuse_broken(choice: Choice, model: PreTrainedModel) -> None:
    if choice.met_unusable_logits:
        raise TrainingError(
            f"sampling: the model's logits are no numbers in {str(model.dtype).removeprefix('torch.')}; expected "
            "finite ones. The weights are broken, or too large for this precision: try float32."
        )


@contextlib.contextmanager
def ready_to_generate(model: PreTrainedModel, precision: str) -> Iterator[None]:
    """The model in evaluation mode, without what its generation_config.json asks for; afterwards as it was.

    `generate` fills whatever a call leaves open from that file: repetition penalties, top-k and other settings that
    instruction-tuned checkpoints ship and training does not sample with.
    """
    training, own_settings = model.training, model.generation_config
    model.eval()
    model.generation_config = GenerationConfig()
    try:
        with torch.no_grad(), torch.autocast(model.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            yield
    finally:
        model.generation_config = own_settings
        model.train(training)


@contextlib.contextmanager
def _explained(model: PreTrainedModel, batch: Sequence[Wanted], settings: Sampling) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one, but only for the memory that torch manages itself
        if not isinstance(error, torch.OutOfMemoryError) and not any(words in str(error) for words in _NO_MEMORY):
            raise
        fewer = f"Sample {len(batch) // 2} at once (--sample-at-once, --probe-at-once) or lower"
        lower = fewer if len(batch) > 1 else "Lower"
        raise TrainingError(
            f"sampling: {len(batch)} sequences at once, of up to {settings.max_response_tokens:,} tokens after prompts "
            f"of {max(len(wanted.ids) for wanted in batch):,}, do not fit into the memory of {model.device}; expected "
            f"fewer or shorter ones. {lower} the longest response."
        ) from error
