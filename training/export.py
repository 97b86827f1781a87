"""Hugging Face folders that load offline in transformers: weights, configuration, tokenizer, and a card of origin."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import NotFound, TrainingError
from manifests.layout import DataFolder
from training.folders import atomic_folder
from training.run_record import DONE, read_run

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Card:
    """What a model card says about where the weights come from."""

    identity: str
    phase: str
    parent: str
    recipe: dict[str, Any]  # of the phase
    fingerprint: str
    steps: int
    trained_tokens: int
    final_loss: float
    learning_rates: tuple[float, float]  # at the first and the last step
    precision: str


def write_export(
    model: "PreTrainedModel", mixture_folder: Path, lock: dict[str, Any], card: Card, target: Path
) -> None:
    """Writes the folder `target`: model.safetensors in the run's precision, config.json, tokenizer, README.md."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    weights = getattr(torch, card.precision)
    with atomic_folder(target) as temporary:
        unshared = dict(model.named_parameters())  # without a tied output embedding, which loading ties again
        state = {name: tensor.detach().to("cpu", weights) for name, tensor in unshared.items()}
        model.config.dtype = weights
        model.save_pretrained(temporary, state_dict=state)
        shutil.copyfile(mixture_folder / "tokenizer.json", temporary / "tokenizer.json")
        settings = tokenizer_settings(lock["end_of_text"]["token"], lock["sequence_length"])
        (temporary / "tokenizer_config.json").write_text(
            json.dumps(settings, indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
        (temporary / "README.md").write_text(model_card(card), "utf-8")


def tokenizer_settings(end_of_text: str, sequence_length: int) -> dict[str, Any]:
    """tokenizer_config.json: the class every release of transformers knows, and the length of the training windows."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": end_of_text,
        "model_max_length": sequence_length,
        "clean_up_tokenization_spaces": False,
    }


def model_card(card: Card) -> str:
    """README.md: mixture, digests, schedule, steps, parent."""
    schedule, (first, last) = card.recipe["schedule"], card.learning_rates
    rows = {
        "run": f"{card.identity}, phase {card.phase}",
        "starts from": card.parent,
        "mixture": card.recipe["mixture"],
        "order digest of the mixture": card.recipe["order_digest"],
        "steps": f"{card.steps:,}",
        "batch": f"{card.recipe['batch_windows']:,} windows of {card.recipe['sequence_length']:,} tokens",
        "trained tokens": f"{card.trained_tokens:,}",
        "learning rate": f"{schedule['style']}, {first:.4g} at the first step, {last:.4g} at the last",
        "training loss at the last step": f"{card.final_loss:.4f}",
        "weights": card.precision,
        "fingerprint": card.fingerprint,
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"---\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n# {card.identity} · {card.phase}\n\n"
        f"Trained with OctoCorpus.\n\n| | |\n|---|---|\n{table}\n"
    )


def copy_exports(data: DataFolder, reference: str, phase: str | None, target: Path) -> list[Path]:
    """Copies the finished checkpoint of `phase` to `target`, or of every finished phase to `target/PHASE`.

    Raises NotFound if the phase is unknown or not finished, TrainingError if a target exists already.
    """
    done = [name for name, facts in read_run(data, reference)["phases"].items() if facts["state"] == DONE]
    if (phase and phase not in done) or not done:
        problem = f"phase {phase} is not finished" if phase else "no phase is finished"
        raise NotFound(
            f"{reference}: {problem}; finished: {', '.join(done) or 'none'}. Run `octo train launch` to go on."
        )
    targets = {phase: target} if phase else {name: target / name for name in done}
    for name, place in targets.items():
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise TrainingError(f"{place}: exists already; expected a new or empty folder. Choose another --to.")
        with atomic_folder(place) as temporary:
            shutil.copytree(data.run(reference) / name / "export", temporary, dirs_exist_ok=True)
    return list(targets.values())
