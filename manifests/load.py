"""Manifests from files: all mistakes at once, each with file, line, path, what was expected, and "did you mean"."""

import difflib
import re
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from manifests.errors import ManifestError, NotFound
from manifests.kinds import KINDS, Manifest
from manifests.yaml import Mistake, Parsed, dotted, parse_yaml

RECIPES = Path(__file__).parent / "recipes"
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Loaded:
    """A valid manifest and the file it came from; relative paths in it start at `folder`."""

    manifest: Any
    path: Path

    @property
    def folder(self) -> Path:
        """The folder relative paths of the manifest start from."""
        return self.path.parent


def load_manifest(name_or_path: str | Path, kind: str | None = None) -> Loaded:
    """The manifest in a file, or the recipe of that bare name; `kind` refuses any other kind.

    Raises ManifestError with every mistake of the file, NotFound where there is no such file or recipe.
    """
    path = find_manifest(str(name_or_path))
    manifest, mistakes = read_manifest(path)
    if not mistakes and kind and manifest is not None and manifest.kind != kind:
        mistakes = [Mistake(1, "kind", f"is {manifest.kind!r}; expected {kind!r} for this command")]
    if mistakes:
        raise ManifestError(describe(path, mistakes))
    return Loaded(manifest, path)


def describe(path: Path, mistakes: list[Mistake]) -> str:
    """One line a mistake, as `file:line: path: what is wrong; what was expected.`"""
    return "\n".join(
        f"{path}:{mistake.line}: {mistake.path + ': ' if mistake.path else ''}{mistake.message}"
        for mistake in sorted(mistakes)
    )


def find_manifest(name_or_path: str) -> Path:
    """The file a user means: a path, or the bare name of a recipe that ships with OctoCorpus."""
    path = Path(name_or_path)
    if path.suffix in SUFFIXES or path.exists():
        if not path.is_file():
            raise NotFound(f"{path}: there is no such file; expected a manifest. `octo check` lists the recipes.")
        return path.resolve()
    recipes = {recipe.stem: recipe for recipe in recipe_files()}
    if name_or_path in recipes:
        return recipes[name_or_path]
    raise NotFound(f"{name_or_path}: no file and no recipe has this name{_closest(name_or_path, recipes)}.")


def recipe_files() -> list[Path]:
    """Every manifest that ships with OctoCorpus, sorted."""
    return sorted(path for path in RECIPES.rglob("*") if path.suffix in SUFFIXES)


def find_reference(kind: str, reference: str, near: Path) -> Loaded:
    """The manifest of `kind` whose identity is `reference`, among the files of the folder `near`, then the recipes."""
    paths = [*_manifests_in(near), *recipe_files()]
    name = reference.partition("@")[0]
    for path in paths:
        if not _may_be_called(path, name):
            continue
        manifest, mistakes = read_manifest(path)
        if not mistakes and manifest is not None and manifest.kind == kind and manifest.identity == reference:
            return Loaded(manifest, path.resolve())
    raise NotFound(
        f"{reference}: no {kind} manifest of this identity in {near} or among the recipes"
        f"{_closest(reference, _identities(kind, paths))}. Put its file beside the manifest that names it."
    )


def _may_be_called(path: Path, name: str) -> bool:
    """Whether a manifest can have this name: most cannot, and parsing one takes milliseconds."""
    try:
        return re.search(rb"name[\"']?\s*:\s*[\"']?" + re.escape(name.encode()), path.read_bytes()) is not None
    except OSError:
        return False


def _identities(kind: str, paths: list[Path]) -> list[str]:
    found = [read_manifest(path) for path in paths]
    return [manifest.identity for manifest, wrong in found if not wrong and manifest and manifest.kind == kind]


def siblings(kind: str, near: Path) -> list[Loaded]:
    """Every valid manifest of `kind` in the folder `near`, sorted by file name."""
    found = [(path, *read_manifest(path)) for path in _manifests_in(near)]
    return [Loaded(manifest, path.resolve()) for path, manifest, wrong in found if not wrong and manifest.kind == kind]


def _manifests_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())


def read_manifest(path: Path) -> tuple[Any, list[Mistake]]:
    """The manifest in `path` and the mistakes found; with a mistake the manifest is None."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [Mistake(1, "", f"is not UTF-8 at byte {error.start}; expected UTF-8 text. Save it as UTF-8.")]
    except OSError as error:
        return None, [Mistake(1, "", f"cannot be read: {error.strerror}; expected a manifest file.")]
    parsed = parse_yaml(text)
    if parsed.value is None and parsed.mistakes:
        return None, parsed.mistakes
    model = _model_of(parsed)
    if model is None:
        return None, parsed.mistakes
    try:
        manifest = model.model_validate(parsed.value)
    except ValidationError as error:
        return None, parsed.mistakes + [_mistake(issue, model, parsed) for issue in error.errors()]
    return (None if parsed.mistakes else manifest), parsed.mistakes


def _model_of(parsed: Parsed) -> type[Manifest] | None:
    kinds = ", ".join(KINDS)
    if not isinstance(parsed.value, dict):
        parsed.mistakes.append(Mistake(1, "", f"is not a mapping; expected `kind:` ({kinds}) and its keys."))
        return None
    kind = parsed.value.get("kind")
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    stated = f"is {kind!r}" if "kind" in parsed.value else "is missing"
    message = f"{stated}{_closest(str(kind), KINDS)}; expected one of {kinds}. Nothing else was checked."
    parsed.mistakes.append(Mistake(parsed.line_of(("kind",)), "kind", message))
    return None


def _mistake(issue: Any, model: type[BaseModel], parsed: Parsed) -> Mistake:
    path = tuple(part for part in issue["loc"])
    line = parsed.line_of(path)
    if issue["type"] == "extra_forbidden":
        return Mistake(line, dotted(path), _unknown_key(path, model))
    expected = _field_description(path, model)
    if issue["type"] == "missing":
        return Mistake(line, dotted(path), f"is missing; expected: {expected}")
    message = issue["msg"].removeprefix("Value error, ")
    if issue["type"] == "value_error":
        return Mistake(line, dotted(path), f"{message}.")
    choices = _choice_hint(issue)
    return Mistake(line, dotted(path), f"is {_shown(issue['input'])}{choices}; {_lower(message)}. Expected: {expected}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _choice_hint(issue: Any) -> str:
    if issue["type"] != "literal_error":
        return ""
    choices = [part.strip(" '") for part in issue["ctx"]["expected"].replace(" or ", ", ").split(",")]
    return _closest(str(issue["input"]), choices)


def _unknown_key(path: tuple[Any, ...], model: type[BaseModel]) -> str:
    owner = _model_at(path[:-1], model)
    known = list(owner.model_fields) if owner else []
    return f"is not a known key{_closest(str(path[-1]), known)}; expected one of {', '.join(known)}."


def _field_description(path: tuple[Any, ...], model: type[BaseModel]) -> str:
    names = [index for index, part in enumerate(path) if isinstance(part, str)]
    for index in reversed(names):  # a list item is described by its list
        owner = _model_at(path[:index], model)
        if owner and path[index] in owner.model_fields:
            described = owner.model_fields[path[index]].description or "see `octo check --explain`"
            return " ".join(described.split())  # one mistake is one line
    return "see `octo check --explain`"


def _model_at(path: tuple[Any, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    """The model whose fields stand at `path`, found by walking the annotations."""
    annotation: Any = model
    for part in path:
        owner = _model_in(annotation)
        if owner is not None and part in owner.model_fields:
            annotation = owner.model_fields[part].annotation
        elif owner is not None:
            return None
        else:
            annotation = typing.get_args(annotation)[-1] if typing.get_args(annotation) else None
    return _model_in(annotation) or next(filter(None, map(_model_in, typing.get_args(annotation))), None)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model of `X`, `X | None` or `Annotated[X, …]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, dict):
        return None
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)


def _closest(word: str, known: typing.Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
