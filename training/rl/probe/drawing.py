"""Which token comes next: the most likely one, or one drawn with a number that belongs to its sequence and position.

Every response has a row of numbers in [0, 1) of its own, made from the seed and its place alone, on the CPU. A token is
drawn by inversion: the first whose cumulative probability passes the number. So a response does not depend on the
responses that are generated beside it, on their count, or on the device, as far as the logits do not.
"""

import hashlib
from collections.abc import Sequence

import torch
from transformers import LogitsProcessor, TopPLogitsWarper

LARGEST_SEED = 2**63  # of torch's generators


def numbers_for(seed: int, places: Sequence[tuple[int, int]], count: int) -> torch.Tensor:
    """float64 [places, count] in [0, 1); a place is the index of a prompt and of a response to it."""
    return torch.stack([torch.rand(count, dtype=torch.float64, generator=_generator(seed, *at)) for at in places])


def _generator(seed: int, prompt: int, response: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{prompt}/{response}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") % LARGEST_SEED)


class Choice(LogitsProcessor):
    """Makes the chosen token the one with the highest score, for a `generate` that takes the most likely one.

    `numbers` is [rows, positions]; None takes the most likely token. `prompt_width` is the length of the padded
    prompts: where position 0 lies.
    """

    def __init__(self, numbers: torch.Tensor | None, prompt_width: int, temperature: float, top_p: float) -> None:
        self._numbers, self._prompt_width, self._temperature = numbers, prompt_width, temperature
        self._keep_likely = TopPLogitsWarper(top_p) if top_p < 1 else None
        self._unusable: torch.Tensor | None = None

    @property
    def met_unusable_logits(self) -> bool:
        """Whether the logits were no numbers at some position; asked once at the end, so that no step waits for it."""
        return self._unusable is not None and bool(self._unusable)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The scores, float32 [rows, vocabulary], with infinity at the token that was drawn."""
        highest = scores.amax(-1, keepdim=True)
        unusable = ~highest.isfinite().all()
        self._unusable = unusable if self._unusable is None else self._unusable | unusable
        if self._numbers is None:
            return scores
        tempered = (scores - highest).double() / self._temperature
        if self._keep_likely is not None:
            tempered = self._keep_likely(input_ids, tempered)
        drawn = draw(tempered, self._numbers[:, input_ids.shape[1] - self._prompt_width])
        return scores.scatter(1, drawn[:, None], torch.inf)


def draw(logits: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """int64 [rows]: the token that each number in [0, 1) means, of float64 logits [rows, vocabulary]."""
    cumulative = logits.softmax(-1).cumsum(-1)
    points = numbers * cumulative[:, -1]  # in float64 always below the last, so that some token passes it
    found = torch.searchsorted(cumulative, points[:, None], right=True)[:, 0]
    return found.clamp(max=logits.shape[1] - 1)  # only logits that are no numbers find none
