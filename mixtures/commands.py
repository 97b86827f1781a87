"""The verbs over mixtures: `octo mixture plan`, `tokenize` and `show`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manifests.layout import DataFolder
from manifests.terminal import data_option, format_option, print_rows, replace_option, say

if TYPE_CHECKING:
    from mixtures.plan import Plan

PLAN_COLUMNS = (
    "source", "where", "weight", "windows", "trained_tokens", "available_tokens", "epochs", "max_epochs", "counts",
    "disk_bytes",
)  # fmt: skip
SHOWN_CHARS = 400


@click.group()
def mixture() -> None:
    """Plan mixtures and write them as token windows in training order."""


@mixture.command()
@click.argument("manifest")
@click.option("--write", "folder", type=click.Path(path_type=Path), help="Also write NAME@VERSION.plan.json into DIR.")
@data_option
@format_option
def plan(manifest: str, folder: Path | None, data: DataFolder, output: str) -> None:
    """Show the windows, tokens and epochs of each source, or everything that stands in the way.

    MANIFEST is a file or the name of a recipe. Counts are `exact` once the source was tokenized, else `estimated`.
    """
    from manifests.load import load_manifest
    from manifests.records import write_record
    from mixtures.feasible import require_feasible
    from mixtures.plan import plan_mixture

    planned = plan_mixture(load_manifest(manifest, "mixture"), data)
    require_feasible(planned)
    print_rows(PLAN_COLUMNS, [_plan_row(source) for source in planned.sources], output)
    _print_totals(planned, output)
    if folder:
        write_record(folder / f"{planned.identity}.plan.json", planned.record())


@mixture.command()
@click.argument("manifest")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that encode shards [default: one a core].")
@replace_option
@data_option
@format_option
def tokenize(manifest: str, workers: int | None, replace: bool, data: DataFolder, output: str) -> None:
    """Write the token files of every source, then the windows of the phase in training order.

    MANIFEST is a file or the name of a recipe. Token files are shared between mixtures and used again.
    """
    from manifests.catalog import register_mixture
    from manifests.load import load_manifest
    from manifests.windows import Windows
    from mixtures.compile import tokenize_mixture
    from mixtures.show import SOURCE_COLUMNS, source_rows

    loaded = load_manifest(manifest, "mixture")
    folder = tokenize_mixture(loaded, data, workers or _cores(), replace=replace)
    register_mixture(data, loaded.manifest.identity)
    print_rows(SOURCE_COLUMNS, source_rows(Windows(folder)), output)
    say(f"{loaded.manifest.identity} lies in {folder}")


@mixture.command()
@click.argument("reference", metavar="NAME@VERSION")
@click.option("--samples", type=click.IntRange(min=1), help="Print the text of so many windows instead.")
@data_option
@format_option
def show(reference: str, samples: int | None, data: DataFolder, output: str) -> None:
    """Show what a finished mixture holds, or the text of some of its windows as training sees it.

    A table shortens long texts; `--format csv` and `json` do not.
    """
    from manifests.windows import Windows
    from mixtures.show import SAMPLE_COLUMNS, SOURCE_COLUMNS, sample_rows, source_rows

    windows = Windows(data.mixture(reference))
    if samples is None:
        print_rows(SOURCE_COLUMNS, source_rows(windows), output)
        lock = windows.lock
        _print_size(reference, lock["steps"], lock["batch_windows"], lock["sequence_length"], output)
        _print_line(f"layout {lock['layout']}, order digest {lock['order_digest']}", output)
        return
    rows = sample_rows(windows, samples)
    shown = ([*row[:-1], _shortened(row[-1])] for row in rows) if output == "table" else rows
    print_rows(SAMPLE_COLUMNS, shown, output)


def _plan_row(source: Any) -> list[Any]:
    return [source.corpus, *(getattr(source, name) for name in PLAN_COLUMNS[1:])]


def _print_totals(planned: "Plan", output: str) -> None:
    manifest = planned.manifest
    _print_size(planned.identity, planned.steps, manifest.batch_windows, manifest.sequence_length, output)
    _print_line(
        f"disk: {planned.disk_bytes:,} bytes of windows, {planned.token_file_bytes:,} of token files to write", output
    )


def _print_size(identity: str, steps: int, batch_windows: int, sequence_length: int, output: str) -> None:
    from manifests.kinds.fields import format_count

    windows = steps * batch_windows
    trained = windows * sequence_length
    _print_line(
        f"{identity}: {steps:,} steps × {batch_windows:,} windows × {sequence_length:,} tokens = "
        f"{format_count(trained)} trained tokens ({trained:,}) in {windows:,} windows",
        output,
    )


def _print_line(line: str, output: str) -> None:
    """Words belong below a table; beside CSV and JSON they go to stderr."""
    if output == "table":
        click.echo(line)
    else:
        say(line)


def _shortened(text: str) -> str:
    rest = len(text) - SHOWN_CHARS
    shown = text[:SHOWN_CHARS].replace("\n", "⏎")  # a stretch stays on one line
    return f"{shown} … ({rest:,} more characters)" if rest > 0 else shown


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
