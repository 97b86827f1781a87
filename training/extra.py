"""The one check that the libraries of the `train` extra are here, before any of them is imported."""

import importlib.util
import os

from manifests.errors import MissingExtra

LIBRARIES = ("torch", "transformers", "safetensors")


def missing_libraries() -> list[str]:
    """The libraries of the `train` extra that are not installed."""
    return [name for name in LIBRARIES if _absent(name)]


def require_train_extra(purpose: str) -> None:
    """Raises MissingExtra, saying what to install, unless torch, transformers and safetensors can be imported.

    Also asks OpenMP, which torch starts, to let waiting threads sleep: spinning ones make small models ten times
    slower as soon as anything else runs on the machine (measured). The results are the same.
    """
    missing = missing_libraries()
    if missing:
        raise MissingExtra(
            f"{purpose}: needs {', '.join(missing)}, not installed here. Run: pip install 'octocorpus[train]' "
            "(for a CUDA or CPU build of torch, install torch first as pytorch.org says)."
        )
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _absent(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is None
    except ValueError:  # a module put aside as `sys.modules[name] = None`
        return True
