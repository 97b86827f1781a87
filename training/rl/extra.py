"""The one check that the libraries of the `rl` extra are here, before any of them is imported."""

from manifests.errors import MissingExtra
from training.extra import LIBRARIES as TRAIN_LIBRARIES
from training.extra import is_absent, require_train_extra

_RL_LIBRARIES = {"trl": "trl", "datasets": "datasets", "math_verify": "math-verify"}  # module → distribution
LIBRARIES = (*TRAIN_LIBRARIES, *_RL_LIBRARIES.values())


def require_rl_extra(purpose: str) -> None:
    """Raises MissingExtra, saying what to install, unless torch, transformers, TRL and math-verify can be imported."""
    require_train_extra(purpose)
    if missing := missing_rl_libraries():
        raise MissingExtra(
            f"{purpose}: needs {', '.join(missing)}, not installed here. Run: pip install 'octocorpus[rl]'."
        )


def missing_rl_libraries() -> list[str]:
    """The libraries of the `rl` extra, beyond those of `train`, that are not installed."""
    return [name for module, name in _RL_LIBRARIES.items() if is_absent(module)]
