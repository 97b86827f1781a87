"""What a person must know of a launch with verl before its numbers are read."""

from collections.abc import Iterator

from training.rl.verl.given import Given
from training.rl.verl.stages import ONE_RUN


def launch_notes(given: Given) -> list[str]:
    """Every note that holds for this launch."""
    return list(_notes(given))


def _notes(given: Given) -> Iterator[str]:
    caps = sorted({span.cap for span in given.plan.spans})
    if given.options.rendering == ONE_RUN and len(caps) > 1:
        yield (
            f"one run: memory is needed for {caps[-1]:,} tokens a response from the start, and verl's own "
            f"response_length/clip_ratio counts against {caps[-1]:,}; truncation is counted anew against the cap of "
            "each rollout step"
        )
    elif len(caps) > 1:
        yield "a chain of runs: each resumes weights, optimizer and order of prompts from the end of the one before"
    if given.manifest.validation:
        yield (
            "validation after a rollout step is sampled with the cap of that step, before training with the first "
            f"cap, {given.plan.spans[0].cap:,}"
        )
    else:
        yield "the manifest has no validation; verl needs a file all the same and is given the prompts, unused"
    if given.manifest.policy.kl_coefficient > 0:
        yield "a KL loss keeps a second, frozen copy of the checkpoint in memory"
    if given.options.nodes > 1 or given.options.ray_address:
        yield f"every node must see {given.root.absolute()} and the checkpoint under the same paths: verl writes there"
    yield (
        "verl multiplies minibatch_prompts by the responses of a prompt itself; its global_steps are rollout steps, of "
        f"{given.manifest.optimizer_steps_per_rollout} optimizer steps each"
    )
