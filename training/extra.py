"""The one check that the libraries of the `train` extra are here, before any of them is imported."""

import ctypes
import importlib.util
import os

from manifests.errors import MissingExtra

LIBRARIES = ("torch", "transformers", "safetensors")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGEST_BLOCK_BYTES = 1 << 30  # larger ones go back at once


def missing_libraries() -> list[str]:
    """The libraries of the `train` extra that are not installed."""
    return [name for name in LIBRARIES if is_absent(name)]


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
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Asks glibc to reuse large blocks that torch frees instead of giving each back to the kernel.

    The kernel then need not clear the same pages again in every step: reinforcement learning of a small model on the
    CPU takes half the time (measured). Elsewhere than on glibc nothing happens.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_TRIM_THRESHOLD, _LARGEST_BLOCK_BYTES)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK_BYTES)


def is_absent(name: str) -> bool:
    """Whether a module cannot be imported here; it is not imported to find out."""
    try:
        return importlib.util.find_spec(name) is None
    except ValueError:  # a module put aside as `sys.modules[name] = None`
        return True
