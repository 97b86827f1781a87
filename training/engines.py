"""Which executors and training engines this machine can use, and what is missing."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from training.extra import missing_libraries

COLUMNS = ["kind", "engine", "ready", "found", "to_get_it"]
PROBE_TIMEOUT_S = 60.0
Row = tuple[str, str, bool, str, str]


def engine_rows() -> list[Row]:
    """One row an engine: kind, name, whether it can be used, what was found, and how to get what is missing."""
    return [
        ("executor", "local", True, f"{os.cpu_count()} CPU cores", ""),
        _ray(),
        _slurm(),
        _local(),
        _foreign("nanotron", "OCTO_NANOTRON_PYTHON", "training"),
        _local_rl(),
        _foreign("verl", "OCTO_VERL_PYTHON", "reinforcement learning"),
    ]


def _ray() -> Row:
    ready = find_spec("ray") is not None
    found = "the Python package ray" if ready else "no Python package ray"
    return "executor", "ray", ready, found, "" if ready else "pip install 'octocorpus[ray]'"


def _slurm() -> Row:
    path = shutil.which("sbatch")
    missing = "" if path else "run octo on a login node of a Slurm cluster"
    return "executor", "slurm", path is not None, path or "no sbatch on PATH", missing


def _local() -> Row:
    missing = missing_libraries()
    if missing:
        return "training", "local", False, f"not installed: {', '.join(missing)}", "pip install 'octocorpus[train]'"
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device, trains on the CPU"
    return "training", "local", True, f"torch {torch.__version__}, {device}", ""


def _local_rl() -> Row:
    from training.rl.extra import missing_rl_libraries

    missing = missing_libraries() + missing_rl_libraries()
    found = f"not installed: {', '.join(missing)}" if missing else "TRL and math-verify"
    return "reinforcement learning", "local", not missing, found, "pip install 'octocorpus[rl]'" if missing else ""


def _foreign(engine: str, variable: str, kind: str) -> Row:
    """An engine that lives in its own interpreter, which the user names in an environment variable."""
    python = os.environ.get(variable)
    if not python:
        return kind, engine, False, f"{variable} is not set", f"set {variable} to a Python that can import {engine}"
    if not Path(python).is_file():
        return kind, engine, False, f"{variable}={python}: no such file", f"set {variable} to a Python interpreter"
    problem = _import_problem(python, engine)
    if problem:
        return kind, engine, False, f"{python}: {problem}", f"install {engine} for this interpreter"
    return kind, engine, True, python, ""


def _import_problem(python: str, module: str) -> str:
    """Why `module` cannot be imported by `python`, or an empty text."""
    try:
        probe = subprocess.run(
            [python, "-c", f"import {module}"], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if probe.returncode == 0:
        return ""
    return (probe.stderr.strip().splitlines() or [f"exit {probe.returncode}"])[-1]
