"""The verbs over training: `octo train …`, `octo eval …`, `octo engines`."""

from pathlib import Path

import click

from manifests.layout import DataFolder
from manifests.terminal import data_option, format_option, print_rows, replace_option, say

device_option = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where to compute [default: auto]."
)


@click.group()
def train() -> None:
    """Plan and launch the stable phase and its decay branches."""


@train.command()
@click.argument("manifest", metavar="M")
@click.option(
    "--write", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Write plan.json and lr_table.csv."
)
@data_option
@format_option
def plan(manifest: str, folder: Path | None, data: DataFolder, output: str) -> None:
    """Show phases, steps, tokens, learning rates and cost of the train manifest M, without training anything.

    M may also be a mixture of it. Needs neither windows nor torch, and finds everything that would stop the launch.
    Writes nothing without --write.
    """
    from training.plan import COLUMNS, plan_rows, plan_training, summary, write_plan
    from training.select import select_training

    planned = plan_training(select_training(manifest, []).loaded, data)
    for line in summary(planned):
        say(line)
    print_rows(COLUMNS, plan_rows(planned), output)
    if folder:
        write_plan(planned, folder)
        say(f"wrote {folder / 'plan.json'} and {folder / 'lr_table.csv'}")


@train.command()
@click.argument("manifest", metavar="M")
@click.option("--branch", "branches", multiple=True, metavar="NAME", help="Run this branch; repeatable [default: all].")
@click.option("--backend", type=click.Choice(["local"]), default="local", help="What trains [default: local].")
@device_option
@replace_option
@data_option
@format_option
def launch(
    manifest: str, branches: tuple[str, ...], backend: str, device: str, replace: bool, data: DataFolder, output: str
) -> None:
    """Train the stable phase of M if it is unfinished, then its branches, each from the last stable checkpoint.

    M is a train manifest, or a mixture manifest: then the phase that trains on this mixture is run. Finished phases
    are skipped and an interrupted one goes on from its newest checkpoint, so launching again is always safe.
    """
    from training.launch import launch as launch_training
    from training.select import select_training
    from training.status import COLUMNS, status_rows

    selection = select_training(manifest, list(branches))
    run = launch_training(selection.loaded, data, selection.phases, device, replace)
    say(f"{run.identity}: {run.folder}")
    print_rows(COLUMNS, status_rows(data, run.identity), output)


@train.command()
@click.argument("run", metavar="NAME[@VERSION]")
@data_option
@format_option
def status(run: str, data: DataFolder, output: str) -> None:
    """Show how far each phase of a run is: step, loss, speed, what is saved, why it stopped."""
    from manifests.versions import newest
    from training.status import COLUMNS, status_rows

    print_rows(COLUMNS, status_rows(data, newest(data, "runs", run)), output)


@train.command()
@click.argument("run", metavar="NAME[@VERSION]")
@click.option(
    "--phase", metavar="PHASE", help="`stable` or a branch [default: every finished phase, each in DIR/PHASE]."
)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, metavar="DIR", help="A new folder.")
@data_option
def export(run: str, phase: str | None, target: Path, data: DataFolder) -> None:
    """Copy finished checkpoints as Hugging Face folders: weights, configuration, tokenizer, card."""
    from manifests.versions import newest
    from training.export import copy_exports

    for folder in copy_exports(data, newest(data, "runs", run), phase, target):
        say(f"wrote {folder}")


@click.group(name="eval")
def evaluation() -> None:
    """Measure checkpoints on held-out text."""


@evaluation.command()
@click.argument("manifest", metavar="M")
@click.option(
    "--checkpoint", "checkpoints", multiple=True, required=True, metavar="RUN@V/PHASE|FOLDER",
    help="A finished phase, or a Hugging Face folder; repeatable.",
)  # fmt: skip
@device_option
@replace_option
@data_option
@format_option
def run(manifest: str, checkpoints: tuple[str, ...], device: str, replace: bool, data: DataFolder, output: str) -> None:
    """Measure the loss of checkpoints on every domain of the eval manifest M, and record it."""
    from manifests.load import load_manifest
    from training.evaluate import run_evaluation

    loaded = load_manifest(manifest, "eval")
    records = [run_evaluation(loaded, checkpoint, data, device, replace) for checkpoint in checkpoints]
    _print_evaluations(records, output)


@evaluation.command()
@click.argument("name", metavar="NAME[@VERSION]")
@data_option
@format_option
def show(name: str, data: DataFolder, output: str) -> None:
    """Show every recorded result of an evaluation, the newest version if none is named."""
    from training.evaluate import find_records

    _print_evaluations(find_records(name, data), output)


def _print_evaluations(records: list[Path], output: str) -> None:
    """People get the losses side by side; csv and json get every number, a row a domain and checkpoint."""
    from training.evaluate import COLUMNS, evaluation_rows, loss_by_checkpoint

    columns, rows = loss_by_checkpoint(records) if output == "table" else (COLUMNS, evaluation_rows(records))
    print_rows(columns, rows, output)


@click.command()
@format_option
def engines(output: str) -> None:
    """Say which executors and training engines this machine can use, and how to get what is missing."""
    from training.engines import COLUMNS, engine_rows

    print_rows(COLUMNS, engine_rows(), output)
