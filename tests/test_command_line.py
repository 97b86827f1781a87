"""The command from outside: exit codes, help, and that every verb is documented."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import octo

ROOT = Path(__file__).parents[1]


def _octo(*words: str, data: Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OCTO_DATA": str(data)}
    command = [sys.executable, str(ROOT / "octo.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, env=environment, check=False)


def _verbs(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _verbs(inner, (*path, name))
    else:
        yield path, command


VERBS = list(_verbs(octo.octo))


@pytest.mark.parametrize("path", [path for path, _ in VERBS], ids=" ".join)
def test_every_verb_is_in_the_documentation(path: tuple[str, ...]) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"octo {' '.join(path)}" in page.read_text("utf-8") for page in pages)


@pytest.mark.parametrize(("path", "command"), VERBS, ids=[" ".join(path) for path, _ in VERBS])
def test_every_verb_and_option_explains_itself(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    unexplained = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert not unexplained


def test_exit_codes(tmp_path: Path) -> None:
    assert _octo("--help", data=tmp_path).returncode == 0
    assert _octo("corpus", "bild", data=tmp_path).returncode == 2
    failed = _octo("corpus", "list", data=tmp_path)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("error: ")
    assert "Traceback" not in failed.stderr


def test_mistakes_in_manifests_are_listed_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: eval\nname: a\nversion: 1\ntext: {}\n")
    (tmp_path / "b.yaml").write_text("kind: nothing\n")
    failed = _octo("check", str(tmp_path), data=tmp_path)
    assert failed.returncode == 1
    assert "3 mistakes in 2 of 2 manifests" in failed.stderr
    assert _octo("check", data=tmp_path).returncode == 0


def test_rows_stream_as_csv_and_json(tmp_path: Path) -> None:
    assert _octo("catalog", "rebuild", data=tmp_path).returncode == 0
    sql = "SELECT i AS n, 'a,b' AS t FROM range(3) r(i)"
    assert _octo("query", sql, "--format", "csv", data=tmp_path).stdout == 'n,t\n0,"a,b"\n1,"a,b"\n2,"a,b"\n'
    assert _octo("query", "SELECT 1 AS n", "--format", "json", data=tmp_path).stdout == '[\n{"n": 1}\n]\n'
    assert _octo("query", "SELECT 1 WHERE false", "--format", "json", data=tmp_path).stdout == "[]\n"


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    _octo("catalog", "rebuild", data=tmp_path)
    command = f"{sys.executable} {ROOT / 'octo.py'} query 'FROM range(1000000)' --format csv | head -1"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False,
        env=os.environ | {"OCTO_DATA": str(tmp_path)},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
