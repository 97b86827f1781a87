"""The flags of `--backend verl`, and the options they become."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from manifests.errors import InputError
from training.jobs.slurm import Slurm
from training.rl.verl.cli import FLAGS, read_options, verl_options
from training.rl.verl.options import Options


def _options(*words: str) -> Options:
    """What the command line becomes."""
    found: list[Options] = []

    @click.command()
    @verl_options
    def command(**flags: Any) -> None:
        assert set(flags) == set(FLAGS)
        found.append(read_options(flags))

    done = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return found[0]


def test_without_flags_there_is_one_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCTO_VERL_PYTHON", raising=False)
    assert _options() == Options(python=None)


def test_every_flag_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTO_VERL_PYTHON", "/v/bin/python")
    words = (
        "--nodes 4 --gpus-per-node 2 --engine sglang --tp 2 --max-tokens-per-gpu 9 --rendering staged "
        "--ray-address h:1 --slurm --slurm-partition p --slurm-account a --slurm-time 1:00"
    )
    assert _options(*words.split()) == Options(
        Path("/v/bin/python"), 4, 2, "sglang", 2, 9, "staged", "h:1", Slurm("p", "a", "1:00"), True
    )


def test_settings_become_values() -> None:
    given = ["a=1", "b=0.5", "c=true", "d=null", "e=eager", "f=x=y", "g="]
    words = [word for setting in given for word in ("--verl-set", setting)]
    assert _options(*words).extra == {"a": 1, "b": 0.5, "c": True, "d": None, "e": "eager", "f": "x=y", "g": ""}


def test_a_setting_without_a_value_is_told() -> None:
    flags = dict.fromkeys(FLAGS) | {"extra": ("reward.num_workers",)}
    with pytest.raises(InputError, match=r"--verl-set reward.num_workers: has no `=`; expected KEY=VALUE"):
        read_options(flags)


def test_words_for_an_engine_have_no_flag() -> None:
    assert "engine_words" not in FLAGS and _options().engine_words == ()


def test_options_can_be_recorded() -> None:
    record = Options(Path("/p"), extra={"reward.num_workers": 2}).record()
    assert record["python"] == "/p" and record["extra"] == {"reward.num_workers": 2} and record["slurm"]["time"] is None
