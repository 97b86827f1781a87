"""Hugging Face folders that load offline in transformers: weights, configuration, tokenizer, and a card of origin."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import NotFound, OctoError, TrainingError
from manifests.fingerprint import file_digest
from manifests.layout import DataFolder
from manifests.lock import source_names
from manifests.records import read_record
from training.folders import atomic_folder
from training.run_record import DONE, read_run

if TYPE_CHECKING:
    from transformers import PreTrainedModel


UNKNOWN = "not stated"


@dataclass(frozen=True)
class Corpus:
    """One source of the mixture, as the card lists it."""

    name: str  # with its condition, where the corpus is there twice
    share: float | None  # of the windows
    digest: str
    licence: str


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
    final_loss: float | None  # None: not recorded
    learning_rates: tuple[float, float]  # at the first and the last step
    precision: str
    lock_digest: str = UNKNOWN  # of the mixture's lock.json
    corpora: tuple[Corpus, ...] = ()
    notes: tuple[str, ...] = ()  # what a user of the weights should know


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
        card = replace(card_of_mixture(card, mixture_folder, lock), notes=(*card.notes, *_rope_notes(model)))
        (temporary / "README.md").write_text(model_card(card), "utf-8")


def tokenizer_settings(end_of_text: str, sequence_length: int) -> dict[str, Any]:
    """tokenizer_config.json: the class every release of transformers knows, and the length of the training windows."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": end_of_text,
        "model_max_length": sequence_length,
        "clean_up_tokenization_spaces": False,
    }


def card_of_mixture(card: Card, mixture_folder: Path, lock: dict[str, Any]) -> Card:
    """The card with what a mixture of a data folder says in its lock, and its corpora in their records."""
    data = DataFolder(mixture_folder.parents[1])
    corpora = tuple(
        Corpus(
            name,
            source.get("share", source.get("weight")),
            source.get("corpus_digest") or UNKNOWN,
            _licence(data, source),
        )
        for name, source in zip(source_names(lock), lock["sources"], strict=True)
    )
    return replace(card, lock_digest=file_digest(mixture_folder / "lock.json"), corpora=corpora)


def _licence(data: DataFolder, source: Mapping[str, Any]) -> str:
    """The licence in the corpus' record, if it is here and of the same rows: no card is worth failing a run for."""
    try:
        record = read_record(data.corpus(source["corpus"]) / "build.json")
    except OctoError:
        return f"{UNKNOWN}: the record of the corpus is not here"
    if record.get("digest") != source.get("corpus_digest"):
        return f"{UNKNOWN}: the corpus that is here has another digest"
    return record.get("licence") or UNKNOWN


def _rope_notes(model: "PreTrainedModel") -> list[str]:
    rope = getattr(model.config, "rope_parameters", None) or {}
    kind = rope.get("rope_type", "default")
    return [f"The rotary embedding is scaled ({kind}), in training as here."] if kind != "default" else []


def model_card(card: Card) -> str:
    """README.md: run, mixture, digests, schedule, steps, parent, corpora and their licences, notes."""
    schedule, (first, last) = card.recipe["schedule"], card.learning_rates
    rows = {
        "run": f"{card.identity}, phase {card.phase}",
        "starts from": card.parent,
        "mixture": card.recipe["mixture"],
        "digest of the mixture's lock": card.lock_digest,
        "order digest of the mixture": card.recipe["order_digest"],
        "steps": f"{card.steps:,}",
        "batch": f"{card.recipe['batch_windows']:,} windows of {card.recipe['sequence_length']:,} tokens",
        "trained tokens": f"{card.trained_tokens:,}",
        "learning rate": f"{schedule['style']}, {first:.4g} at the first step, {last:.4g} at the last",
        "training loss at the last step": UNKNOWN if card.final_loss is None else f"{card.final_loss:.4f}",
        "weights": card.precision,
        "fingerprint": card.fingerprint,
    }
    return card_text(f"{card.identity} · {card.phase}", "Trained with OctoCorpus.", rows, card.corpora, card.notes)


def converted_card(facts: Mapping[str, str], notes: Sequence[str]) -> str:
    """README.md of a checkpoint of nanotron whose run is not known here."""
    origin = "Converted by OctoCorpus from a checkpoint of nanotron, bit for bit. Which data it saw is not known here."
    return card_text("A converted checkpoint", origin, facts, (), notes)


def card_text(
    title: str, origin: str, rows: Mapping[str, Any], corpora: Sequence[Corpus] = (), notes: Sequence[str] = ()
) -> str:
    """README.md: a title, a sentence of origin, the facts as a table, the corpora, the notes."""
    text = f"---\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n# {title}\n\n{origin}\n"
    text += _table(["", ""], rows.items())
    if corpora:
        cells = ((item.name, _share(item.share), item.digest, item.licence) for item in corpora)
        text += "\n## Data\n" + _table(["corpus", "share of the windows", "digest", "licence"], cells)
    if notes:
        text += "\n## Notes\n\n" + "".join(f"- {note}\n" for note in notes)
    return text


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.2%}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table after an empty line."""
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n" + "".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in line)}|\n" for line in lines)


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


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
