"""The checkpoint that RL starts from: the finished phase of a run, or a Hugging Face folder beside the manifest."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from manifests.errors import NotFound
from manifests.kinds.fields import REFERENCE, SLUG
from manifests.layout import DataFolder
from manifests.load import Loaded
from manifests.records import read_record
from training.planning.recipe import model_digest
from training.planning.shapes import ModelSize
from training.planning.sizes import checkpoint_size


@dataclass(frozen=True)
class Checkpoint:
    """A Hugging Face folder, and what a person calls it; it may not be here yet."""

    label: str
    path: Path
    run: str | None  # of the training run it comes from
    phase: str | None

    @property
    def is_here(self) -> bool:
        """Whether there is a model in the folder."""
        return (self.path / "config.json").is_file()

    @property
    def positions(self) -> int | None:
        """The longest prompt and response together that the model knows, in tokens; None where it does not say."""
        stated = read_record(self.path / "config.json").get("max_position_embeddings")
        return stated if isinstance(stated, int) else None

    @cached_property
    def size(self) -> ModelSize:
        """Its parameters; raises InputError for a folder whose weights are not those of its config.json."""
        return checkpoint_size(self.path)

    @cached_property
    def digest(self) -> str:
        """The digest of its configuration and weights; reads all of them."""
        return model_digest(self.path)

    def require(self) -> None:
        """Raises NotFound unless the model is here."""
        if self.is_here:
            return
        if self.run:
            raise NotFound(
                f"{self.label}: this phase has no finished checkpoint in {self.path}. Run `octo train launch` for "
                f"{self.run} first; `octo train status {self.run}` says how far it is."
            )
        raise NotFound(
            f"{self.label}: {self.path} has no config.json; expected a local Hugging Face folder. Nothing is "
            "downloaded: put the model there."
        )


def find_checkpoint(loaded: Loaded, data: DataFolder) -> Checkpoint:
    """What the manifest's `checkpoint` means: RUN@VERSION/PHASE of the data folder, or a folder. Reads nothing."""
    text: str = loaded.manifest.checkpoint
    reference, _, phase = text.rpartition("/")
    if re.match(REFERENCE, reference) and re.match(SLUG, phase):
        return Checkpoint(text, data.run(reference) / phase / "export", reference, phase)
    return Checkpoint(text, data.find(text, loaded.folder), None, None)
