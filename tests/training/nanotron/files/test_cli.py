"""The flags of the backend and the options they mean."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from manifests.errors import MissingExtra
from training.jobs.slurm import Slurm
from training.nanotron.cli import FLAGS, nanotron_options, read_options
from training.nanotron.options import Options


def _parse(*arguments: str) -> dict[str, Any]:
    @click.command()
    @nanotron_options
    def command(**flags: Any) -> dict[str, Any]:
        return flags

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.exception is None, result.exception
    flags: dict[str, Any] = result.return_value
    return flags


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTO_NANOTRON_CHECKOUT", "/opt/nanotron")
    monkeypatch.delenv("OCTO_NANOTRON_PYTHON", raising=False)
    flags = _parse()
    assert sorted(flags) == sorted(FLAGS)
    expected = Options(checkout=Path("/opt/nanotron"), python=Path("python3"), run_root=Path("/data/runs/a@1"))
    assert read_options(flags, Path("/data/runs/a@1")) == expected
    assert expected.data_parallel == 8


def test_every_flag_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTO_NANOTRON_PYTHON", "/opt/bin/python")
    text = (
        "--dialect head --checkout /c --nodes 2 --gpus-per-node 4 --dp 1 --tp 2 --pp 4 --micro-batch-windows 3 "
        "--checkpoint-every-steps 7 --base /b --accept-unscaled-rope --run-root /r --slurm-partition p "
        "--slurm-account a --slurm-time 1:00:00"
    )
    options = read_options(_parse(*text.split()), Path("/unused"))
    assert options == Options(
        Path("/c"), Path("/opt/bin/python"), Path("/r"), "head", 2, 4, 1, 2, 4, 3, 7, Path("/b"), True,
        Slurm("p", "a", "1:00:00"),
    )  # fmt: skip


def test_without_a_checkout_it_says_which_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCTO_NANOTRON_CHECKOUT", raising=False)
    with pytest.raises(MissingExtra, match="Clone it at commit dfce7f60984a11fa9c5cdf47015966c4dd60447d"):
        read_options(_parse(), Path("/unused"))
