"""How much is computed at once: facts of the machine, which stand in no fingerprint.

Results differ by rounding alone. The defaults follow from the manifest, so that a run on the CPU repeats itself bit for
bit whatever the machine has free.
"""

from dataclasses import dataclass

from manifests.errors import TrainingError
from manifests.kinds.rl import RlManifest

# Both chosen here. The first is what verl's examples give one GPU in an update; the second is 8.6 GB of bfloat16
# keys and values for Llama-3.2-1B.
UPDATE_TOKENS = 16_384
SAMPLING_TOKENS = 262_144


@dataclass(frozen=True)
class Fit:
    """What a user may set where the defaults do not fit the memory."""

    update_at_once: int | None = None  # responses in one forward and backward pass; a divisor of the mini-batch
    sample_at_once: int | None = None  # responses sampled side by side
    recompute: bool = False  # activations are computed again in the backward pass: less memory, about a third more work


def update_at_once(manifest: RlManifest, fit: Fit) -> int:
    """Responses in one pass of an update: a divisor of the mini-batch. Raises TrainingError for one that is none."""
    minibatch = manifest.policy.minibatch_prompts * manifest.rollout.responses_per_prompt
    if fit.update_at_once is None:
        longest = manifest.prompts.max_prompt_tokens + manifest.rollout.longest
        most = max(1, UPDATE_TOKENS // longest)
        return max(count for count in range(1, min(most, minibatch) + 1) if minibatch % count == 0)
    if minibatch % fit.update_at_once:
        raise TrainingError(
            f"{manifest.identity}: {fit.update_at_once} responses at once do not divide a mini-batch of {minibatch:,} "
            f"({manifest.policy.minibatch_prompts} prompts with {manifest.rollout.responses_per_prompt} responses); "
            "expected a divisor."
        )
    return fit.update_at_once


def sample_at_once(manifest: RlManifest, cap: int, fit: Fit) -> int:
    """Responses that are sampled together under a cap: whole groups where a group fits."""
    everything = manifest.rollout.prompts_per_step * manifest.rollout.responses_per_prompt
    if fit.sample_at_once is not None:
        return min(everything, max(1, fit.sample_at_once))
    fits = max(1, SAMPLING_TOKENS // (manifest.prompts.max_prompt_tokens + cap))
    group = manifest.rollout.responses_per_prompt
    return min(everything, fits - fits % group if fits > group else fits)
