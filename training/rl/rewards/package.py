"""The reward as a package of its own, octo_reward, for an interpreter without OctoCorpus: verl's.

FOLDER/octo_reward/
    __init__.py      compute_score; its import fails where the package is damaged or math-verify missing: at the start
    reward.json      the terms and the revisions of rewards and answer checker
    answers/         classifiers/answers
    rewards/         training/rl/rewards
    digests.json     every file's digest
It needs the standard library and math-verify alone, reads no file outside of itself, and is named to verl as
`pkg://octo_reward`, with FOLDER on PYTHONPATH.
"""

import ast
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import classifiers.answers
from classifiers.answers.check import REVISION as ANSWERS_REVISION
from manifests.errors import TrainingError
from manifests.records import explain_os_error, read_record
from training.rl.rewards.compose import REVISION, Reward

NAME = "octo_reward"
DIGESTS = "digests.json"
_PARTS = {"classifiers.answers": "answers", "training.rl.rewards": "rewards"}
_FOLDERS = {"answers": Path(classifiers.answers.__file__).parent, "rewards": Path(__file__).parent}
_STAYS = Path(__file__).name  # writes packages; no package needs it
_ENTRY = '''"""The reward of an OctoCorpus run, one response at a time: `compute_score`. Written by octo."""

from .rewards.entry import compute_score, require

__all__ = ["compute_score"]

require()
'''


def write_reward_package(folder: Path, terms: Sequence[Mapping[str, Any]]) -> Path:
    """Writes FOLDER/octo_reward for these terms of a manifest, and returns it. The same terms give the same bytes.

    Replaces a package that octo wrote; one that is equal stays as it is. Raises ValueError for terms that no manifest
    would hold, TrainingError where something else has the name or the disk refuses.
    """
    Reward(terms)
    files = {**_sources(), "reward.json": _json(_record(terms))}
    files[DIGESTS] = _json({name: _digest(content) for name, content in sorted(files.items())})
    target = folder / NAME
    _refuse_foreign(target)
    if not _holds(target, files):
        _place(target, files)
    return target


def package_digest(folder: Path) -> str:
    """The digest of FOLDER/octo_reward: which reward a run used.

    Raises InputError where there is none, TrainingError if a file is not as it was written, or was added.
    """
    package = folder / NAME
    written = read_record(package / DIGESTS)
    found = {name: _digest(path.read_bytes()) for name, path in _files(package) if name != DIGESTS}
    if changed := sorted(name for name in written.keys() | found.keys() if written.get(name) != found.get(name)):
        raise TrainingError(
            f"{package}: {', '.join(changed[:5])} changed after octo wrote it; expected the reward of the run. "
            "Delete the folder and launch the run again, which writes it anew."
        )
    return _digest(_json(found))


def _sources() -> dict[str, bytes]:
    """Path in the package → content of every module, importing its neighbours by relative names."""
    files = {"__init__.py": _ENTRY.encode()}
    for part, folder in _FOLDERS.items():
        for path in sorted(folder.glob("*.py")):
            if path.name != _STAYS or part != "rewards":
                files[f"{part}/{path.name}"] = with_relative_imports(path.read_text("utf-8")).encode()
    return files


def with_relative_imports(source: str) -> str:
    """A module's source in which `from classifiers.answers.check import …` reads `from ..answers.check import …`."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            line = node.lineno - 1
            lines[line] = lines[line].replace(f"from {node.module} ", f"from {_inside(node.module)} ", 1)
    return "".join(lines)


def _inside(module: str) -> str:
    """The module's relative name in the package, or its own where it is none of ours."""
    for ours, part in _PARTS.items():
        if module == ours or module.startswith(f"{ours}."):
            return f"..{part}{module.removeprefix(ours)}"
    return module


def _record(terms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "revisions": {"rewards": REVISION, "answers": ANSWERS_REVISION},
        "terms": [{key: value for key, value in term.items() if value is not None} for term in terms],
    }


def _refuse_foreign(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not (target / DIGESTS).is_file()):
        raise TrainingError(
            f"{target}: is in the way and was not written by octo; expected no such path, or a reward package. "
            "Move it elsewhere."
        )


def _holds(target: Path, files: Mapping[str, bytes]) -> bool:
    return target.exists() and {name: path.read_bytes() for name, path in _files(target)} == files


def _files(package: Path) -> Iterator[tuple[str, Path]]:
    """Every file of a package with its path in it; what Python compiled is left out."""
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.parent.name != "__pycache__":
            yield path.relative_to(package).as_posix(), path


def _place(target: Path, files: Mapping[str, bytes]) -> None:
    """Writes the package beside its place and moves it there whole."""
    new, old = (target.with_name(f".{NAME}.{os.getpid()}.{state}") for state in ("new", "old"))
    try:
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if target.exists():
            target.rename(old)
        new.rename(target)
    except OSError as error:
        raise explain_os_error(target, error) from error
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _json(record: Any) -> bytes:
    return (json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
