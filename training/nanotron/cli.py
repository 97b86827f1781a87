"""The flags of `--backend nanotron`, and what they add up to. Light: nothing is imported before a command runs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manifests.errors import MissingExtra

if TYPE_CHECKING:
    from training.nanotron.options import Options

PYTHON_VARIABLE = "OCTO_NANOTRON_PYTHON"
CHECKOUT_VARIABLE = "OCTO_NANOTRON_CHECKOUT"
Command = Callable[..., Any]

_folder = click.Path(path_type=Path, file_okay=False)
_OPTIONS = [
    click.option(
        "--dialect", type=click.Choice(["nanoset", "head"]), default="nanoset",
        help="nanotron: how it reads data [default: nanoset].",
    ),
    click.option(
        "--checkout", type=_folder, envvar=CHECKOUT_VARIABLE,
        help=f"nanotron: its sources [default: ${CHECKOUT_VARIABLE}].",
    ),
    click.option("--nodes", type=int, default=1, help="nanotron: machines [default: 1]."),
    click.option("--gpus-per-node", type=int, default=8, help="nanotron: GPUs of each [default: 8]."),
    click.option("--dp", type=int, help="nanotron: replicas of the model [default: the GPUs that tp and pp leave]."),
    click.option("--tp", type=int, default=1, help="nanotron: GPUs that share each layer [default: 1]."),
    click.option("--pp", type=int, default=1, help="nanotron: stages the layers are divided into [default: 1]."),
    click.option("--micro-batch-windows", type=int, help="nanotron: windows in one pass [default: the manifest's]."),
    click.option("--checkpoint-every-steps", type=int, help="nanotron: [default: the manifest's]."),
    click.option("--base", type=_folder, help="nanotron: the checkpoint of the manifest, converted."),
    click.option("--accept-unscaled-rope", is_flag=True, help="nanotron: train without the base's rotary scaling."),
    click.option("--run-root", type=_folder, help="nanotron: where checkpoints go [default: the run's folder]."),
    click.option("--slurm-partition", help="nanotron: a line of run.sbatch."),
    click.option("--slurm-account", help="nanotron: a line of run.sbatch."),
    click.option("--slurm-time", help="nanotron: a line of run.sbatch, such as 24:00:00."),
]  # fmt: skip
FLAGS = (
    "dialect", "checkout", "nodes", "gpus_per_node", "dp", "tp", "pp", "micro_batch_windows", "checkpoint_every_steps",
    "base", "accept_unscaled_rope", "run_root", "slurm_partition", "slurm_account", "slurm_time",
)  # fmt: skip


def nanotron_options(command: Command) -> Command:
    """The command with every flag of this backend; their values arrive under the names in FLAGS."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_options(flags: dict[str, Any], run_folder: Path) -> "Options":
    """The options that the flags mean. Raises MissingExtra without a checkout of nanotron."""
    from training.jobs.slurm import Slurm
    from training.nanotron.options import COMMITS, Options

    given = dict(flags)
    slurm = Slurm(*(given.pop(f"slurm_{name}") for name in ("partition", "account", "time")))
    checkout, run_root = given.pop("checkout"), given.pop("run_root") or run_folder
    if checkout is None:
        raise MissingExtra(
            "--backend nanotron: --checkout is not given; expected the sources of nanotron, which has no usable "
            f"release. Clone it at commit {COMMITS[given['dialect']]} and set {CHECKOUT_VARIABLE}."
        )
    python = Path(os.environ.get(PYTHON_VARIABLE) or "python3")
    return Options(checkout=checkout, python=python, run_root=run_root, slurm=slurm, **given)
