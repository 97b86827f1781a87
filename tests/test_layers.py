"""The rule of the house as a test: who may import whom, and what stays out of the modules every command loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "manifests": set(),
    "classifiers": {"manifests"},
    "curation": {"manifests", "classifiers"},
    "mixtures": {"manifests"},
    "training": {"manifests", "classifiers"},
}
ENGINES = {"nanotron", "verl", "vllm"}
HEAVY = {
    "torch", "transformers", "trl", "datatrove", "duckdb", "fasttext", "polars", "pyarrow", "resiliparse", "fastwarc",
    "lxml", "tokenizers", "numpy", "pandas", "rich", "safetensors",
}  # fmt: skip


def _imports(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_folders_import_only_what_their_layer_may(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        found = _imports(ast.parse(path.read_text("utf-8")))
        sideways = (found & MAY_IMPORT.keys()) - MAY_IMPORT[folder] - {folder}
        assert not sideways, f"{path} imports {sideways}"
        assert not found & ENGINES, f"{path} imports an engine: {found & ENGINES}"


def test_importing_every_commands_module_loads_nothing_heavy() -> None:
    modules = ", ".join(f"{folder}.commands" for folder in MAY_IMPORT if (ROOT / folder / "commands.py").exists())
    code = f"import sys, octo, {modules}; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(loaded.stdout.split())


def test_only_octo_sees_every_folder() -> None:
    seen = {path.name: _imports(ast.parse(path.read_text("utf-8"))) & MAY_IMPORT.keys() for path in ROOT.glob("*.py")}
    assert set(seen) == {"octo.py"}
