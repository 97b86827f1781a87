"""What commands share: the options every verb has, and one way to print rows as a table, CSV or JSON."""

import csv
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from manifests.layout import DataFolder

MINUTE_S = 60.0


def _data_folder(ctx: click.Context, param: click.Parameter, value: str | None) -> DataFolder:
    return DataFolder(Path(value or os.environ.get("OCTO_DATA") or "octo-data").absolute())


data_option = click.option(
    "--data", metavar="DIR", callback=_data_folder, help="The data folder [default: $OCTO_DATA or ./octo-data]."
)
format_option = click.option(
    "--format", "output", type=click.Choice(["table", "csv", "json"]), default="table", help="How rows are printed."
)
replace_option = click.option(
    "--replace", is_flag=True, help="Discard an existing version that was made from another recipe."
)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], output: str = "table") -> None:
    """Prints rows to stdout: `csv` and `json` (a list of objects, one a line) stream, `table` is for people.

    When whoever reads our output has gone, as in `octo query … | head`, the command ends well.
    """
    try:
        _print(columns, rows, output)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _print(columns: Sequence[str], rows: Iterable[Sequence[Any]], output: str) -> None:
    if output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif output == "json":
        _print_json(columns, rows)
    else:
        _print_table(columns, rows)


def _print_json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    separator = "["
    for row in rows:
        record = json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=str)
        sys.stdout.write(f"{separator}\n{record}")
        separator = ","
    sys.stdout.write("[]\n" if separator == "[" else "\n]\n")


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    kept = [list(row) for row in rows]
    for index, name in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | None) for row in kept)
        table.add_column(Text(str(name)), justify="right" if numeric else "left", overflow="fold")
    for row in kept:
        table.add_row(*[Text(_cell(value)) for value in row])  # Text: a page's words must never be read as markup
    Console(width=None if sys.stdout.isatty() else 10_000, soft_wrap=not sys.stdout.isatty()).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in str(value))


def say(message: str) -> None:
    """One line for the person, on stderr, so that stdout stays data."""
    click.echo(message, err=True)


class Progress:
    """A progress line on stderr: live on a terminal, one line a minute elsewhere."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self._live = sys.stderr.isatty()
        self._started = self._last = time.monotonic()

    def show(self, done: int, note: str = "") -> None:
        """Shows how far the work is, at most ten times a second on a terminal."""
        now = time.monotonic()
        if now - self._last < (0.1 if self._live else MINUTE_S):
            return
        self._last = now
        self._write(done, note, now)

    def finish(self, done: int, note: str = "") -> None:
        """The last state, which stays on the screen."""
        self._write(done, note, time.monotonic())
        if self._live:
            sys.stderr.write("\n")

    def _write(self, done: int, note: str, now: float) -> None:
        share = f"{done / self.total:4.0%} " if self.total else ""
        amount = f"{done:,}/{self.total:,} {self.unit}" if self.total else f"{done:,} {self.unit}"
        line = f"{self.label:<12} {share}{amount}  {now - self._started:,.0f} s  {note}".rstrip()
        sys.stderr.write(f"\r\x1b[2K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()
