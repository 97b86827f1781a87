"""The policy that verl saved last as a Hugging Face folder: its weights, and all else as the checkpoint had it.

verl writes the training tokenizer, whose chat template passes prompts through, and a config.json that says bfloat16
whatever the weights are: neither belongs into what others load.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from manifests.errors import InputError, TrainingError
from manifests.records import read_record, write_record
from training.convert.tensors import NAMES, read_tensor_file
from training.folders import atomic_folder
from training.planning.sizes import safetensors_files, tensor_shapes
from training.rl.grpo.checkpoint import GENERATION, TOKENIZER_FILES, State
from training.rl.grpo.export import rl_card
from training.rl.run import RlRun
from training.run_record import record_path

MERGE_TIMEOUT_S = 3_600.0  # 8B parameters from a network file system take minutes; chosen here
INDEX = "model.safetensors.index.json"


def write_export(run: RlRun, checkpoint: Path, python: str, last: dict[str, Any]) -> None:
    """Writes the run's export from the last checkpoint of verl; `last` is the last line of metrics.jsonl.

    Raises TrainingError if the weights are not those of a policy of this run.
    """
    with atomic_folder(run.export) as temporary:
        _copy_weights(checkpoint / "actor", temporary, python)
        _require_same_shapes(run.plan.checkpoint.path, temporary, run.identity)
        _write_companions(run.plan.checkpoint.path, temporary)
        (temporary / "README.md").write_text(_card(run, temporary, last), "utf-8")


def _copy_weights(actor: Path, target: Path, python: str) -> None:
    """The weights that verl wrote for Hugging Face, or, where there are none, its shards merged by verl itself."""
    saved = actor / "huggingface"
    if not any(saved.glob("*.safetensors")):
        _merge(actor, target / "merged", python)
        saved = target / "merged"
    for path in [*safetensors_files(saved), saved / INDEX]:
        if path.exists():
            shutil.copyfile(path, target / path.name)
    shutil.rmtree(target / "merged", ignore_errors=True)


def _merge(actor: Path, target: Path, python: str) -> None:
    words = ["merge", "--backend", "fsdp", "--local_dir", str(actor), "--target_dir", str(target)]
    try:
        done = subprocess.run(
            [python, "-m", "verl.model_merger", *words],
            capture_output=True, text=True, errors="replace", timeout=MERGE_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TrainingError(f"{actor}: its shards could not be merged by verl ({error}).") from error
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:500]
        raise TrainingError(f"{actor}: its shards could not be merged by verl ({why}).")


def _require_same_shapes(origin: Path, target: Path, where: str) -> None:
    """An output embedding that is shared with the input may be there once or twice."""
    wanted, found = _shapes(origin), _shapes(target)
    tied = bool(read_record(origin / "config.json").get("tie_word_embeddings"))
    differing = sorted(
        name
        for name in wanted.keys() | found.keys()
        if wanted.get(name) != found.get(name) and not (tied and name == "lm_head.weight")
    )
    if differing:
        raise TrainingError(
            f"{where}: the saved policy has {differing[0]} as {found.get(differing[0])}, the checkpoint has "
            f"{wanted.get(differing[0])}, and {len(differing) - 1:,} more differ; expected the same parameters."
        )


def _shapes(folder: Path) -> dict[str, list[int]]:
    return {name: shape for path in safetensors_files(folder) for name, shape in tensor_shapes(path).items()}


def _write_companions(origin: Path, target: Path) -> None:
    stated = read_record(origin / "config.json")
    stated.pop("torch_dtype", None)  # the old name
    write_record(target / "config.json", stated | {"dtype": stored_dtype(safetensors_files(target)[0])})
    for name in (GENERATION, *TOKENIZER_FILES):
        if (origin / name).is_file():
            shutil.copyfile(origin / name, target / name)


def stored_dtype(path: Path) -> str:
    """The type of the weights in a safetensors file, as transformers names it. Raises InputError for several."""
    tensors, _ = read_tensor_file(path)
    found = {tensor.dtype for tensor in tensors.values()}
    if len(found) != 1:
        raise InputError(
            f"{path}: holds weights of type {', '.join(sorted(found))}; expected one of {', '.join(NAMES)}."
        )
    return NAMES[found.pop()]


def _card(run: RlRun, folder: Path, last: dict[str, Any]) -> str:
    state = State(
        run.identity, read_record(record_path(run.folder))["fingerprint"], last["rollout_step"], last["step"],
        last["tokens"], last["reward"], last["accuracy"],
    )  # fmt: skip
    stored = stored_dtype(safetensors_files(folder)[0])
    return rl_card(run, state, {}) + f"\nTrained with verl; the weights are stored as {stored}, as verl saved them.\n"
