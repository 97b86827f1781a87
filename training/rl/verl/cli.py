"""The flags of `--backend verl`, and what they add up to. Light: nothing is imported before a command runs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manifests.errors import InputError

if TYPE_CHECKING:
    from training.rl.verl.options import Options

PYTHON_VARIABLE = "OCTO_VERL_PYTHON"
Command = Callable[..., Any]

_OPTIONS = [
    click.option("--nodes", type=int, default=1, help="verl: machines [default: 1]."),
    click.option("--gpus-per-node", type=int, default=8, help="verl: GPUs of each [default: 8]."),
    click.option(
        "--engine", type=click.Choice(["vllm", "sglang"]), default="vllm", help="verl: what samples [default: vllm]."
    ),
    click.option("--tp", type=int, default=1, help="verl: GPUs that share each layer while sampling [default: 1]."),
    click.option(
        "--max-tokens-per-gpu", type=int,
        help="verl: tokens in one pass [default: the longest prompt and response, at least 16,384].",
    ),
    click.option(
        "--rendering", type=click.Choice(["one_run", "staged"]), default="one_run",
        help="verl: the length schedule inside one run, or as a chain of runs that resume [default: one_run].",
    ),
    click.option("--ray-address", metavar="HOST:PORT", help="verl: a Ray cluster that runs already."),
    click.option("--slurm", "slurm_job", is_flag=True, help="verl: launch submits run.sbatch to Slurm."),
    click.option("--slurm-partition", help="verl: a line of run.sbatch."),
    click.option("--slurm-account", help="verl: a line of run.sbatch."),
    click.option("--slurm-time", help="verl: a line of run.sbatch, such as 24:00:00."),
    click.option(
        "--verl-set", "extra", multiple=True, metavar="KEY=VALUE",
        help="verl: a setting of machines, memory or speed; repeatable. A wrong KEY lists those there are.",
    ),
]  # fmt: skip
FLAGS = (
    "nodes", "gpus_per_node", "engine", "tp", "max_tokens_per_gpu", "rendering", "ray_address", "slurm_job",
    "slurm_partition", "slurm_account", "slurm_time", "extra",
)  # fmt: skip


def verl_options(command: Command) -> Command:
    """The command with every flag of this backend; their values arrive under the names in FLAGS."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_options(flags: dict[str, Any]) -> "Options":
    """The options that the flags mean. Raises InputError for a --verl-set without `=`."""
    from training.jobs.slurm import Slurm
    from training.rl.verl.options import Options

    given = {name: flags[name] for name in FLAGS}
    slurm = Slurm(*(given.pop(f"slurm_{name}") for name in ("partition", "account", "time")))
    extra = dict(map(_setting, given.pop("extra")))
    python = os.environ.get(PYTHON_VARIABLE)
    return Options(python=Path(python) if python else None, slurm=slurm, extra=extra, **given)


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--verl-set {text}: has no `=`; expected KEY=VALUE, such as reward.num_workers=4.")
    return key, _value(value)


def _value(text: str) -> Any:
    """A bool, a number or null where it looks like one, as verl would read it; else the text."""
    words = {"true": True, "false": False, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
