"""Prints the flat schema of the verl of this interpreter, as training/rl/verl/schema.json holds it:

VERL_PYTHON tests/training/rl/verl/describe_verl.py > training/rl/verl/schema.json
"""

import dataclasses
import importlib
import json
import sys
import typing
from importlib.metadata import version
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

SECTIONS = (
    "actor_rollout_ref", "algorithm", "critic", "custom_reward_function", "data", "ray_kwargs", "reward",
    "reward_model", "sandbox_fusion", "trainer", "transfer_queue",
)  # fmt: skip
# Names that verl keeps in no table, but compares with; where it does is written beside them.
WRITTEN_DOWN = {
    "actor_rollout_ref.actor.kl_loss_type": [  # trainer/ppo/core_algos.py: kl_penalty_forward
        "abs", "full", "k1", "k2", "k3", "kl", "low_var_kl", "mse",
    ],
    "actor_rollout_ref.actor.loss_agg_mode": [  # workers/config/actor.py: ActorConfig.__post_init__
        "seq-mean-token-mean", "seq-mean-token-sum", "seq-mean-token-sum-norm", "token-mean", "token-sum",
    ],
    "actor_rollout_ref.actor.optim.lr_scheduler_type": ["constant", "cosine"],  # workers/config/optimizer.py
    "actor_rollout_ref.actor.strategy": ["fsdp", "fsdp2"],  # workers/config/engine.py
    "trainer.resume_mode": ["auto", "disable", "resume_path"],  # trainer/ppo/v1/trainer_base.py: _load_checkpoint
}  # fmt: skip
SCALARS = {bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict", tuple: "list"}


def flat_config() -> DictConfig:
    """The default configuration of `verl.trainer.main_ppo`."""
    import verl

    folder = Path(verl.__file__).parent / "trainer" / "config"
    with initialize_config_dir(str(folder), version_base=None):
        return compose(
            "ppo_trainer", overrides=["actor_rollout_ref.rollout.name=vllm", "reward.reward_model.rollout.name=vllm"]
        )


def keys_of(node: DictConfig, path: str = "", hints: dict | None = None):
    """(key, type) of every leaf; `hints` are the types of the dataclass that verl makes of the node."""
    hints = hints_of(node) or {}
    for name in sorted(map(str, node)):
        if name == "_target_":
            continue
        key = f"{path}.{name}" if path else name
        value = select(node, name)
        if isinstance(value, DictConfig) and len(value):
            yield from keys_of(value, key)
        else:
            yield key, kind_of(value, hints.get(name))


def select(node: DictConfig, name: str):
    try:
        return node[name]
    except Exception:  # an interpolation to what only another engine has
        return None


def hints_of(node: DictConfig) -> dict | None:
    target = OmegaConf.to_container(node, resolve=False).get("_target_")
    if not target:
        return None
    module, _, name = target.rpartition(".")
    return typing.get_type_hints(getattr(importlib.import_module(module), name))


def kind_of(value, hint) -> str:
    kinds = hinted(hint)
    if kinds is None:
        plain = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        kinds = {"any"} if plain is None else {SCALARS[type(plain)]}
    if value is None and "any" not in kinds:
        kinds.add("null")
    return "|".join(sorted(kinds))


def hinted(hint) -> set[str] | None:
    """The names of a type hint, None where it says nothing."""
    if hint is None or hint is typing.Any:
        return None
    if hint is type(None):
        return {"null"}
    origin = typing.get_origin(hint)
    if origin is typing.Union or str(origin) == "<class 'types.UnionType'>":
        parts = [hinted(part) for part in typing.get_args(hint)]
        return None if None in parts else set().union(*parts)
    plain = origin or hint
    if dataclasses.is_dataclass(plain):
        return {"dict"}
    return {SCALARS[plain]} if plain in SCALARS else None


def choices() -> dict[str, list[str]]:
    """What verl knows by name; it looks most of them up only after an hour of loading."""
    from verl.experimental.reward_loop.reward_manager.registry import REWARD_MANAGER
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY
    from verl.trainer.ppo.v1.trainer_base import TRAINER_REGISTRY
    from verl.utils.tracking import Tracking
    from verl.workers.rollout.base import _ROLLOUT_REGISTRY

    return {
        "algorithm.adv_estimator": sorted(ADV_ESTIMATOR_REGISTRY),
        "actor_rollout_ref.rollout.name": sorted({name for name, _ in _ROLLOUT_REGISTRY}),
        "reward.reward_manager.name": sorted(REWARD_MANAGER),
        "trainer.logger": sorted(Tracking.supported_backend),
        "trainer.v1.trainer_mode": sorted(TRAINER_REGISTRY),
        **WRITTEN_DOWN,
    }


def description() -> dict:
    config = flat_config()
    keys = {key: kind for section in SECTIONS for key, kind in keys_of(config[section], section)}
    return {"verl": version("verl"), "choices": choices(), "keys": keys}


if __name__ == "__main__":
    importlib.import_module("verl.experimental.reward_loop.reward_manager")  # fill the registries
    importlib.import_module("verl.trainer.ppo.v1")
    json.dump(description(), sys.stdout, indent=1, sort_keys=True)
    print()
