"""Where a model lies that a manifest names: shipped with OctoCorpus, trained in the data folder, or any file."""

import difflib
from pathlib import Path

from classifiers.fasttext_model import card_path
from manifests.errors import NotFound
from manifests.layout import DataFolder
from manifests.records import read_record

SHIPPED = Path(__file__).parent / "models"
MODEL_FILE = "model.ftz"


def shipped_models() -> dict[str, Path]:
    """Name → file of each model that ships with OctoCorpus."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.ftz"))}


def find_model(name: str, folder: Path, data: DataFolder) -> Path:
    """The model file that `name` means in a manifest that lies in `folder`.

    A shipped name (`math-web`, or with its version `math-web@1`), a trained `NAME@VERSION` of the data folder, which
    goes before a shipped one, or a path relative to `folder`. Raises NotFound with what there is.
    """
    trained = {reference: data.classifier(reference) / MODEL_FILE for reference in data.versions("classifiers")}
    trained = {reference: path for reference, path in trained.items() if path.is_file()}
    shipped = shipped_models()
    known = shipped | {_identity(path): path for path in shipped.values()} | trained
    if name in known:
        return known[name]
    if (folder / name).is_file():
        return folder / name
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise NotFound(
        f"{name}: no model of this name{hint}, and no such file in {folder}; expected a path or one of "
        f"{', '.join(sorted(known))}. Train one with `octo classifier train`."
    )


def _identity(model: Path) -> str:
    card = card_path(model)
    return str(read_record(card).get("identity", model.stem)) if card.exists() else model.stem
