"""The one check that the libraries of the `rl` extra are here, before any of them is imported."""

import importlib.util

from manifests.errors import MissingExtra
from training.extra import LIBRARIES as TRAIN_LIBRARIES
from training.extra import require_train_extra

_RL_LIBRARIES = {"trl": "trl", "datasets": "datasets", "math_verify": "math-verify"}  # module → distribution
LIBRARIES = (*TRAIN_LIBRARIES, *_RL_LIBRARIES.values())


def require_rl_extra(purpose: str) -> None:
    """Raises MissingExtra, saying what to install, unless torch, transformers, TRL and math-verify can be imported."""
    require_train_extra(purpose)
    missing = [name for module, name in _RL_LIBRARIES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingExtra(
            f"{purpose}: needs {', '.join(missing)}, not installed here. Run: pip install 'octocorpus[rl]'."
        )
