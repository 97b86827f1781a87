"""Whether verl will take the override words of a launch: asked of the user's own verl, in its interpreter."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import TrainingError
from training.rl.verl.schema import verl_version

TIMEOUT_S = 300.0  # importing torch, ray and verl from a network file system takes minutes; chosen here
LEVELS = ("its configuration has every key", "its types", "its cross-checks", "every name it looks up")
_SCRIPT = Path(__file__).parent / "foreign" / "ask_verl.py.txt"


@dataclass(frozen=True)
class Validation:
    """How far verl itself was asked: `level` of 4 (0: not at all), and why not further."""

    level: int
    reason: str | None

    def __str__(self) -> str:
        ours = f"validated: keys, types and sizes for verl {verl_version()}"
        theirs = f", and by verl itself: {', '.join(LEVELS[: self.level])}" if self.level else ""
        return ours + theirs + (f"; not further, because {self.reason}" if self.reason else "")


def validate_words(files: Sequence[Path], python: str | None, path: Path) -> Validation:
    """Asks verl about every file of words; `path` holds our packages, which verl must be able to import.

    Raises TrainingError with everything that verl refuses.
    """
    if not python:
        return Validation(0, "OCTO_VERL_PYTHON is not set")
    told = _ask(python, files, path)
    if isinstance(told, str):
        return Validation(0, told)
    refused = [f"{file}: verl refuses it: {problem}" for file, answer in told.items() for problem in answer["problems"]]
    if refused:
        raise TrainingError("\n".join(refused))
    level = min((answer["level"] for answer in told.values()), default=0)
    return Validation(level, None if level == len(LEVELS) else f"{python} has no torch")


def _ask(python: str, files: Sequence[Path], path: Path) -> dict[str, dict[str, Any]] | str:
    """verl's answer for each file, or why there is none."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), *_python_path()]), "HF_HUB_OFFLINE": "1"}
    try:
        probe = subprocess.run(
            [python, "-c", _SCRIPT.read_text("utf-8"), *map(str, files)],
            capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{python} cannot be asked: {error}"
    answer = _answer(probe.stdout)
    if answer is None:
        why = (probe.stderr.strip().splitlines() or [f"exit {probe.returncode}"])[-1][:300]
        return f"{python} cannot tell: {why}"
    if answer["verl"] != verl_version():
        raise TrainingError(
            f"{python}: has verl {answer['verl']}; expected {verl_version()}, whose keys and habits this was written "
            f"for. Install it: pip install 'verl=={verl_version()}'."
        )
    files_told: dict[str, dict[str, Any]] = answer["files"]
    return files_told


def _python_path() -> list[str]:
    return [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]


def _answer(output: str) -> dict[str, Any] | None:
    """The last line of what was printed; None if that is no answer."""
    try:
        answer = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return None
    return answer if isinstance(answer, dict) and {"verl", "files"} <= answer.keys() else None
