"""The README's tour, run as a newcomer would: its manifest, its commands, on the demo's WARC under another name."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def _block(mark: str) -> str:
    match = re.search(rf"<!-- tour: {re.escape(mark)} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert match, f"the README has no block marked {mark}"
    return match[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tour")
    (place / "my-web.yaml").write_text(_block("manifest my-web.yaml"))
    shutil.copy(ROOT / "manifests" / "recipes" / "demo" / "data" / "pages.warc.gz", place)
    return place


def _run(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line)
    assert words[0] == "octo"
    command = [sys.executable, str(ROOT / "octo.py"), *words[1:]]
    environment = {name: value for name, value in os.environ.items() if name != "OCTO_DATA"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_command_of_the_tour_works(folder: Path) -> None:
    for line in _block("commands").splitlines():
        ended = _run(folder, line)
        assert ended.returncode == 0, f"{line}\n{ended.stderr}"
        assert ended.stdout or ended.stderr


def test_a_changed_threshold_is_refused_and_a_new_version_can_be_compared(folder: Path) -> None:
    manifest = folder / "my-web.yaml"
    manifest.write_text(manifest.read_text().replace("threshold: 0.5", "threshold: 0.9"))
    refused = _run(folder, "octo corpus build my-web.yaml")
    assert refused.returncode == 1
    assert "classify.threshold: 0.5 → 0.9" in refused.stderr
    manifest.write_text(manifest.read_text().replace("version: 1", "version: 2"))
    assert _run(folder, "octo corpus build my-web.yaml").returncode == 0
    compared = _run(folder, "octo corpus diff my-web@1 my-web@2 --format csv")
    assert compared.stdout.startswith("documents,count,tokens\n")
    assert "recipe classify.threshold: 0.5 → 0.9" in compared.stderr


def test_the_commands_the_readme_lists_are_those_there_are() -> None:
    import click

    import octo

    section = README.partition("## Commands")[2].partition("```\n")[2].partition("```")[0]
    listed = {line.split()[1]: line for line in section.splitlines()}
    assert set(listed) == set(octo.COMMANDS)
    for name in octo.COMMANDS:
        command = octo.octo.get_command(click.Context(octo.octo), name)
        for verb in command.commands if isinstance(command, click.Group) else ():
            assert verb in listed[name], f"octo {name} {verb}"
