"""The versions of the libraries that token files and windows came from; recorded, never part of a fingerprint."""

from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("duckdb", "numpy", "octocorpus", "pyarrow", "tokenizers")


def library_versions() -> dict[str, str]:
    """name → version; `source` for OctoCorpus run from a checkout that is not installed."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "source"
