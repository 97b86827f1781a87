"""Everything that stands against a launch with verl: what it could not run, or would run otherwise than planned."""

import re
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import TrainingError
from training.rl.verl.given import Given
from training.rl.verl.options import ALLOWED_EXTRA
from training.rl.verl.overrides import stage_settings
from training.rl.verl.schema import schema_mistakes
from training.rl.verl.stages import ONE_RUN, Stage
from training.rl.verl.words import Settings

_SLURM_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:,+-]*\Z")
_ADDRESS = re.compile(r"[A-Za-z0-9_.-]+:[0-9]{1,5}\Z|\[[0-9A-Fa-f:]+\]:[0-9]{1,5}\Z")
_UNFIT = {
    ":": "ends a path in PYTHONPATH",
    "${": "is a reference to verl",
    **dict.fromkeys("*?[]", "is a pattern to the library that reads Parquet for verl"),
}


def refuse_impossible(given: Given) -> None:
    """Raises TrainingError with everything that stands against the launch."""
    mistakes = [*_machine_mistakes(given), *_extra_mistakes(given), *_path_mistakes(given), *_rule_mistakes(given)]
    for stage in given.stages:
        mistakes += [f"{stage.name}: {mistake}" for mistake in stage_mistakes(given, stage)]
    if mistakes:
        raise TrainingError("\n".join(f"rl {given.plan.identity}: {mistake}" for mistake in dict.fromkeys(mistakes)))


def _machine_mistakes(given: Given) -> Iterator[str]:
    options = given.options
    sizes = {"--nodes": options.nodes, "--gpus-per-node": options.gpus_per_node, "--tp": options.tp}
    yield from (f"{name} is {value}; expected at least 1" for name, value in sizes.items() if value < 1)
    if options.tp > 0 and options.gpus % options.tp:
        yield f"--tp {options.tp} does not divide the {options.gpus} GPUs; expected whole sampling engines"
    if options.ray_address is not None and not _ADDRESS.match(options.ray_address):
        yield f"--ray-address is {options.ray_address!r}; expected HOST:PORT"
    for name in ("partition", "account", "time"):
        value = getattr(options.slurm, name)
        if value is not None and not _SLURM_VALUE.match(value):
            yield f"--slurm-{name} is {value!r}; expected letters, digits and _ . : , + - alone"


def _extra_mistakes(given: Given) -> Iterator[str]:
    """--verl-set: keys that are not for users, and values that verl would not take."""
    extra = given.options.extra
    refused = [key for key in extra if key not in ALLOWED_EXTRA]
    for key in refused:
        yield (
            f"--verl-set {key}: cannot be set here; what decides what is learned comes from the manifest. Expected "
            f"one of {', '.join(ALLOWED_EXTRA)}."
        )
    allowed = {key: value for key, value in extra.items() if key not in refused}
    yield from (f"--verl-set {mistake}" for mistake in schema_mistakes(allowed))


def _path_mistakes(given: Given) -> Iterator[str]:
    for name, path in (("data folder", given.root.absolute()), ("checkpoint", given.plan.checkpoint.path.absolute())):
        yield from _unfit(name, path)


def _unfit(name: str, path: Path) -> Iterator[str]:
    text = str(path)
    for mark, why in _UNFIT.items():
        if mark in text:
            yield f"the {name} {text!r} has `{mark}` in its path, which {why}; expected a path without it"
    if any(not char.isprintable() for char in text):
        yield f"the {name} {text!r} has control characters in its path; expected a path that fits on a line"


def _rule_mistakes(given: Given) -> Iterator[str]:
    """Settings of the manifest that verl does not follow."""
    policy, stages = given.manifest.policy, given.manifest.rollout.length_schedule
    caps = {stage.max_response_tokens for stage in stages}
    if policy.loss_aggregation == "fixed_length" and len(caps) > 1 and given.options.rendering == ONE_RUN:
        yield (
            "loss_aggregation is fixed_length, which divides by the cap of the rollout step; inside one run verl "
            "divides by one number. Use --rendering staged."
        )
    each = policy.minibatch_prompts * given.manifest.rollout.responses_per_prompt
    ranks = given.options.gpus // max(1, _sequence_parallel(given))
    if ranks > 0 and each % ranks:
        yield (
            f"an optimizer step has {policy.minibatch_prompts} prompts · {given.manifest.rollout.responses_per_prompt} "
            f"responses = {each:,}, shared by {ranks} GPUs; expected a multiple, since verl fills the rest with empty "
            "responses. Use another number of GPUs."
        )


def _sequence_parallel(given: Given) -> int:
    size = given.options.extra.get("actor_rollout_ref.actor.fsdp_config.ulysses_sequence_parallel_size", 1)
    return size if isinstance(size, int) else 1


def stage_mistakes(given: Given, stage: Stage) -> Iterator[str]:
    """What stands against the settings of one stage, engine words aside, which verl alone may judge."""
    settings = stage_settings(given, stage)
    yield from schema_mistakes(settings)
    yield from _size_mistakes(given, stage, settings)


def _size_mistakes(given: Given, stage: Stage, settings: Settings) -> Iterator[str]:
    prompt, width = given.manifest.prompts.max_prompt_tokens, stage.width
    if (given.options.max_tokens_per_gpu or prompt + width) < prompt + width:
        yield (
            f"--max-tokens-per-gpu is {given.options.max_tokens_per_gpu:,}, a prompt and a response have up to "
            f"{prompt:,} + {width:,} = {prompt + width:,} tokens; expected at least as many"
        )
    positions, needed = given.plan.checkpoint.positions, given.context(stage)
    if positions is not None and needed > positions:
        yield (
            f"sampling needs {needed:,} positions ({prompt:,} of a prompt, {width:,} of a response), "
            f"{given.plan.checkpoint.label} has {positions:,}; expected at most as many. Lower max_prompt_tokens or "
            "the length schedule."
        )
    batched = settings["actor_rollout_ref.rollout.max_num_batched_tokens"]
    if isinstance(batched, int) and batched < needed and not _chunked(settings):
        yield (
            f"max_num_batched_tokens is {batched:,} and chunked prefill is off; expected {needed:,} or more, the "
            "longest prompt and response"
        )


def _chunked(settings: Settings) -> bool:
    return settings.get("actor_rollout_ref.rollout.enable_chunked_prefill", True) is not False
