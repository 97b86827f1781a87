"""The responses of a rollout step as TRL wants them: ids of prompts and of what the policy answers.

They are drawn by the sampler that the readiness check and validation use too, each response with random numbers of its
own; TRL's own sampling would draw others for every number of responses at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manifests.kinds.rl import RlManifest
from training.rl.grpo.fit import Fit, sample_at_once
from training.rl.grpo.order import seed_of
from training.rl.probe.settings import Sampling
from training.rl.schedule import cap_at

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Drawn:
    """Ids of prompts and responses, one of each a response, the responses to a prompt side by side."""

    prompts: list[list[int]]
    responses: list[list[int]]  # an end of text included

    def for_trl(self) -> dict[str, Any]:
        """What a `rollout_func` returns; without log-probabilities, TRL takes the policy's own."""
        return {"prompt_ids": self.prompts, "completion_ids": self.responses, "logprobs": None}


def sampling_of(manifest: RlManifest, rollout_step: int, fit: Fit) -> Sampling:
    """How the responses of one rollout step are drawn."""
    cap = cap_at(manifest.rollout.length_schedule, rollout_step)
    return Sampling(
        max_response_tokens=cap,
        temperature=manifest.rollout.temperature,
        top_p=manifest.rollout.top_p,
        responses=manifest.rollout.responses_per_prompt,
        sequences_at_once=sample_at_once(manifest, cap, fit),
        seed=seed_of(manifest.seed, rollout_step),
        precision=manifest.precision,
    )


def draw(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[str],
    settings: Sampling,
    ends: Sequence[int],
) -> Drawn:
    """Responses to `texts`, in which every prompt stands `settings.responses` times, one after the other.

    Raises TrainingError where the memory is too small or the policy's logits are no numbers.
    """
    from training.rl.probe.encoding import prompt_ids
    from training.rl.probe.generating import Wanted, generate_batch

    group = settings.responses
    encoded = prompt_ids(tokenizer, texts[::group])
    wanted = [Wanted(prompt, response, ids) for prompt, ids in enumerate(encoded) for response in range(group)]
    responses = [
        ids
        for first in range(0, len(wanted), settings.sequences_at_once)
        for ids in generate_batch(model, wanted[first : first + settings.sequences_at_once], settings, ends)
    ]
    return Drawn([list(item.ids) for item in wanted], responses)
