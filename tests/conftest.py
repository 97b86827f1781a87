"""What all tests share: the data too large or too foreign to ship, found through one environment variable."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pages and benchmarks: OCTO_TEST_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get("OCTO_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set OCTO_TEST_DATA to a folder that holds it")
    return folder


@pytest.fixture
def recipes() -> Path:
    """The recipes that ship with OctoCorpus."""
    return ROOT / "manifests" / "recipes"
