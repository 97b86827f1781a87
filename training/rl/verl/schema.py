"""What verl 0.9.1 takes, as facts: schema.json says what values each key may have, without verl.

    {"verl": "0.9.1", "choices": {"trainer.logger": ["console", …]},
     "keys": {"data.seed": "any", "actor_rollout_ref.model.lora_rank": "int", "reward.custom_reward_function.path":
     "null|str"}}

A type is `any`, `bool`, `int`, `float`, `str`, `list`, `dict`, `null`, or several of them joined by `|`. It is read off
the installed verl by tests/training/rl/verl/describe_verl.py, and an engine test asserts that it still is.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from training.rl.verl.options import ALLOWED_EXTRA

# What verl would take although its configuration does not have it: `+` forces any key in, also a misspelt one.
NEW_KEYS = frozenset(
    [
        *(key for key in ALLOWED_EXTRA if key.startswith("+")),
        *(
            f"+actor_rollout_ref.{role}.fsdp_config.mixed_precision.{part}_dtype"
            for role in ("actor", "ref")
            for part in ("param", "reduce", "buffer")
        ),
        "+ray_kwargs.ray_init.address",
        "+ray_kwargs.ray_init.runtime_env.env_vars.PYTHONPATH",
        "+ray_kwargs.ray_init.runtime_env.env_vars.VERL_FILE_LOGGER_PATH",
    ]
)
# Keys that verl's configuration still has and its trainer never reads, and what took their place.
DEAD = {
    "reward_model.reward_manager": "reward.reward_manager.name",
    "reward_model.reward_loop_source": "reward.reward_manager.source",
    "reward_model.reward_loop_module_path": "reward.reward_manager.module.path",
    "reward_model.reward_loop_class_name": "reward.reward_manager.name",
    "reward_model.num_workers": "reward.num_workers",
    "reward_model.model.path": "reward.reward_model.model_path",
    "actor_rollout_ref.actor.grad_clip": "actor_rollout_ref.actor.optim.clip_grad",
}
DEAD_SECTIONS = {
    "custom_reward_function.": "reward.custom_reward_function.",
    "reward_model.": "reward.reward_model.",
    "reward_manager.": "reward.reward_manager.",
    "sandbox_fusion.": "reward.sandbox_fusion.",
}
_SCALARS: dict[str, type] = {"bool": bool, "int": int, "str": str, "dict": dict}
_HYDRA = "hydra."


def schema_mistakes(settings: Mapping[str, Any]) -> list[str]:
    """What verl would not take, or not read, each as `key: what; what was expected`."""
    return [mistake for key, value in settings.items() for mistake in _mistakes(key, value)]


def verl_version() -> str:
    """The version of verl that the schema is of."""
    return str(_schema()["verl"])


@cache
def _schema() -> dict[str, Any]:
    text = (Path(__file__).parent / "schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _mistakes(key: str, value: Any) -> Iterator[str]:
    if key.startswith(_HYDRA) or key in NEW_KEYS:
        return
    if replaced := _replacement(key):
        yield f"{key}: is a key of older verl, which {verl_version()} takes and never reads; expected {replaced}"
    elif key.startswith("+"):
        yield f"{key}: would be forced in, whether verl reads it or not; expected a key of verl without `+`"
    elif key not in _schema()["keys"]:
        yield f"{key}: is no key of verl {verl_version()}; {_nearest(key)}"
    else:
        yield from _value_mistakes(key, value)


def _replacement(key: str) -> str | None:
    bare = key.lstrip("+")
    moved = [new + bare.removeprefix(old) for old, new in DEAD_SECTIONS.items() if bare.startswith(old)]
    return DEAD.get(bare) or (moved[0] if moved else None)


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, _schema()["keys"], n=3)
    return f"did you mean {' or '.join(near)}?" if near else "expected one of its own"


def _value_mistakes(key: str, value: Any) -> Iterator[str]:
    kind, choices = _schema()["keys"][key], _schema()["choices"].get(key)
    if not any(_fits(value, name) for name in kind.split("|")):
        yield f"{key}: is {value!r}; expected {kind.replace('|', ' or ')}"
    elif choices and value is not None and not _is_custom_manager(key):
        unknown = [item for item in (value if isinstance(value, list) else [value]) if item not in choices]
        yield from (f"{key}: is {item!r}; expected one of {', '.join(choices)}" for item in unknown)


def _is_custom_manager(key: str) -> bool:
    """With `source=importlib`, which is all we write, the name is that of our class."""
    return key == "reward.reward_manager.name"


def _fits(value: Any, name: str) -> bool:
    """A whole number is a float too; a bool is no number."""
    if name == "any":
        return True
    if name == "null":
        return value is None
    if name == "float":
        return type(value) in (int, float)
    if name == "list":
        return isinstance(value, list | tuple)
    return type(value) is _SCALARS[name]
