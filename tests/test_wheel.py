"""The wheel: it holds the product and its recipes, nothing else, and runs from another directory."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, timeout=300)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    top = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert top == {"octo.py", "classifiers", "curation", "manifests", "mixtures", "training"}
    assert {"manifests/recipes/demo/demo-web.yaml", "manifests/recipes/demo/data/pages.warc.gz"} <= names
    assert "classifiers/models/math-web.ftz" in names
    assert not [name for name in names if name.endswith((".pyc", ".tmp"))]
    assert wheel.stat().st_size < 6_000_000


def test_the_installed_wheel_runs_from_another_directory(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site"), "OCTO_DATA": str(tmp_path / "data")}
    for words in (["check"], ["corpus", "build", "demo-general"], ["query", "SELECT documents FROM corpora"]):
        command = [sys.executable, "-P", "-m", "octo", *words]
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
    where = "import curation; print(curation.__file__)"
    command = [sys.executable, "-P", "-c", where]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(str(tmp_path))
