"""Checkpoints: a Hugging Face folder for each saved step, which appears whole or not at all, and holds no pickle.

step-0000040/config.json, model.safetensors, tokenizer files   the policy, float32, ready to be loaded and evaluated
             optimizer.safetensors                             Adam's moments and step counters by parameter name
             state.json                                        how far the run is

Nothing random is saved: every rollout step draws from a seed of its own.
"""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import InputError, TrainingError
from manifests.records import read_record, write_record
from training.folders import atomic_folder
from training.local.checkpoint import checkpoints_in, keep_newest, load_optimizer

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

__all__ = ["State", "checkpoints_in", "keep_newest", "load_optimizer", "read_state", "save_checkpoint", "write_model"]
GENERATION = "generation_config.json"
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    "tokenizer.model", "vocab.json", "merges.txt",
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """Where a run stands at a checkpoint."""

    identity: str
    fingerprint: str
    rollout_step: int
    step: int  # optimizer steps
    tokens: int  # of all responses so far
    reward: float  # of the last rollout step, as is accuracy
    accuracy: float


def write_model(model: "PreTrainedModel", origin: Path, folder: Path, dtype: "torch.dtype") -> None:
    """Writes weights in `dtype` into `folder`, and beside them configuration and tokenizer as `origin` has them."""
    unshared = dict(model.named_parameters())  # without a tied output embedding, which loading ties again
    model.save_pretrained(folder, state_dict={name: item.detach().to("cpu", dtype) for name, item in unshared.items()})
    stated = read_record(origin / "config.json")
    stated.pop("torch_dtype", None)  # the old name
    write_record(folder / "config.json", stated | {"dtype": str(dtype).removeprefix("torch.")})
    (folder / GENERATION).unlink(missing_ok=True)
    for name in (GENERATION, *TOKENIZER_FILES):
        if (origin / name).is_file():
            shutil.copyfile(origin / name, folder / name)


def save_checkpoint(
    folder: Path, model: "PreTrainedModel", optimizer: "torch.optim.Optimizer", state: State, origin: Path
) -> Path:
    """Writes `folder/step-NNNNNNN`; the older ones stay. `origin` is the checkpoint that the run started from."""
    import torch
    from safetensors.torch import save_file

    target = folder / f"step-{state.step:07d}"
    with atomic_folder(target) as temporary:
        write_model(model, origin, temporary, torch.float32)
        save_file(_moments(model, optimizer), temporary / "optimizer.safetensors")
        write_record(temporary / "state.json", asdict(state))
    return target


def _moments(model: "PreTrainedModel", optimizer: "torch.optim.Optimizer") -> dict[str, "torch.Tensor"]:
    return {
        f"{name}/{key}": value.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state[parameter].items()
    }


def read_state(checkpoint: Path, identity: str, fingerprint: str) -> State:
    """Where the run stood. Raises InputError for a state.json that is not ours, TrainingError for another recipe's."""
    record: dict[str, Any] = read_record(checkpoint / "state.json")
    try:
        state = State(**record)
    except TypeError as error:
        raise InputError(f"{checkpoint / 'state.json'}: is not the state of a checkpoint ({error}).") from error
    if state.fingerprint != fingerprint:
        raise TrainingError(
            f"{checkpoint}: was saved by another recipe ({state.identity}); expected {identity}. Remove "
            f"{checkpoint.parent} to train anew."
        )
    return state
