"""`octo corpus …`: plan, build, follow and look into corpus versions."""

import os
from typing import Any

import click

from manifests.layout import DataFolder
from manifests.terminal import data_option, format_option, print_rows, replace_option, say

SMALL_INPUT_BYTES = 8_000_000  # below it, starting worker processes costs more than they save (measured, DECISIONS.md)


@click.group()
def corpus() -> None:
    """Build, list, sample and explain corpus versions."""


@corpus.command()
@click.argument("manifest")
@data_option
@format_option
def plan(manifest: str, data: DataFolder, output: str) -> None:
    """Show what a build would read and do, without writing anything."""
    from curation.plan import plan_build
    from curation.show import plan_rows
    from manifests.load import load_manifest

    found = plan_build(load_manifest(manifest, "corpus"), data)
    print_rows(["what", "value"], plan_rows(found, data), output)


@corpus.command()
@click.argument("manifest")
@click.option("--executor", type=click.Choice(["local", "ray", "slurm"]), default="local", help="What runs the tasks.")
@click.option("--tasks", type=click.IntRange(1), help="Tasks each block is cut into [default: 1, or one a core].")
@click.option("--workers", type=click.IntRange(1), help="Tasks that run at the same time [default: one a core].")
@click.option("--slurm-partition", default="", help="Slurm partition.")
@click.option("--slurm-time", default="12:00:00", show_default=True, help="Slurm time limit of a task.")
@replace_option
@data_option
def build(
    manifest: str,
    executor: Any,
    tasks: int | None,
    workers: int | None,
    slurm_partition: str,
    slurm_time: str,
    replace: bool,
    data: DataFolder,
) -> None:
    """Build a corpus version: every input record gets one fate, the rest becomes shards.

    The number of tasks and workers never changes the result. An interrupted build goes on where it stopped.
    """
    from curation.build import build_corpus
    from curation.executors import Machine
    from curation.plan import plan_build
    from curation.show import stage_rows, warnings
    from manifests.load import load_manifest

    found = plan_build(load_manifest(manifest, "corpus"), data)
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))
    default = 1 if found.size_bytes < SMALL_INPUT_BYTES else cores or 1
    machine = Machine(executor, tasks or default, workers or default, slurm_partition, slurm_time)
    record = build_corpus(found, data, machine, replace)
    print_rows(["stage", "input", "kept", "removed", "failed", "cpu_s"], stage_rows(record))
    counts = record["counts"]
    say(
        f"{record['identity']}: {counts['documents']:,} documents, {record['tokens']:,} tokens "
        f"({record['token_counter']}) from {counts['input_records']:,} records\n"
        f"  {data.corpus(record['identity'])}\n  digest {record['digest']}"
    )
    for line in warnings(record):
        say(line)


@corpus.command()
@click.argument("name")
@data_option
@format_option
def status(name: str, data: DataFolder, output: str) -> None:
    """Show how far a build is, finished or not."""
    from curation.show import status_rows

    print_rows(["version", "block", "state", "tasks_done", "records"], status_rows(data, name), output)


@corpus.command("list")
@data_option
@format_option
def list_versions(data: DataFolder, output: str) -> None:
    """List the finished corpus versions."""
    from manifests.catalog import reader

    with reader(data) as connection:
        connection.execute(
            "SELECT corpus, documents, tokens, formulas, size_bytes, shards, input_records, removed, failed, finished "
            "FROM corpora ORDER BY corpus"
        )
        print_rows([name for name, *_ in connection.description or []], connection.fetchall(), output)


@corpus.command()
@click.argument("name")
@click.option(
    "--table",
    type=click.Choice(["stages", "reasons", "shards", "inputs", "benchmarks", "scorecard"]),
    default="stages",
    help="Which part of the record is printed [default: stages].",
)
@data_option
@format_option
def show(name: str, table: str, data: DataFolder, output: str) -> None:
    """Show a version: what each stage did, why records went, its shards, its inputs."""
    from curation.show import summary
    from manifests.records import read_record
    from manifests.versions import newest

    record = read_record(data.corpus(newest(data, "corpora", name)) / "build.json")
    if output == "table":
        say("\n".join(summary(record)))
    rows = record[table]
    columns = list(rows[0]) if rows else []
    print_rows(columns, [[row[column] for column in columns] for row in rows], output)


@corpus.command()
@click.argument("name")
@click.option("-n", "count", type=click.IntRange(1, 1000), default=3, show_default=True, help="How many.")
@click.option("--removed-by", metavar="STAGE", help="Records that ended at this stage instead of kept documents.")
@data_option
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", help="How they are printed.")
def sample(name: str, count: int, removed_by: str | None, data: DataFolder, output: str) -> None:
    """Print some documents of a version, or some of the records a stage removed."""
    from curation.inspect import preview, sample_kept, sample_removed
    from manifests.versions import newest

    version = newest(data, "corpora", name)
    rows = sample_removed(data, version, removed_by, count) if removed_by else sample_kept(data, version, count)
    if output == "json":
        print_rows(list(rows[0]) if rows else [], [list(row.values()) for row in rows], "json")
        return
    for row in rows:
        facts = ", ".join(f"{key} {value}" for key, value in row.items() if key in _SHOWN and value is not None)
        click.echo(f"{row['url'] or row['id']}\n  {facts}")
        click.echo("\n".join(preview(row["text"])) + "\n")


_SHOWN = ("reason", "detail", "math_score", "num_formulas", "num_tokens")


@corpus.command()
@click.argument("name")
@click.argument("page")
@data_option
@format_option
def explain(name: str, page: str, data: DataFolder, output: str) -> None:
    """Say what happened to a page, given its URL or id (or a part of them)."""
    from curation.inspect import explain as explain_page
    from curation.show import explanation
    from manifests.versions import newest

    fates = explain_page(data, newest(data, "corpora", name), page)
    if output == "table":
        click.echo("\n".join(line for fate in fates for line in explanation(fate)))
    else:
        print_rows(list(fates[0]), [list(fate.values()) for fate in fates], output)


@corpus.command()
@click.argument("old")
@click.argument("new")
@click.option("--fates", is_flag=True, help="Show whose fate changed instead of counts of documents.")
@data_option
@format_option
def diff(old: str, new: str, fates: bool, data: DataFolder, output: str) -> None:
    """Compare two versions: the recipe's changed keys, and the documents added, removed and changed."""
    from curation.inspect import diff as diff_documents
    from curation.inspect import fate_changes
    from curation.show import score_changes
    from manifests.fingerprint import changed_keys
    from manifests.records import read_record
    from manifests.versions import newest

    a, b = (newest(data, "corpora", name) for name in (old, new))
    records = [read_record(data.corpus(name) / "build.json") for name in (a, b)]
    for change in changed_keys(*(record["recipe"] for record in records)):
        say(f"recipe {change}")
    for line in score_changes(*(record.get("scorecard", []) for record in records)):
        say(line)
    if fates:
        print_rows([f"fate in {a}", f"fate in {b}", "records"], fate_changes(data, a, b), output)
    else:
        print_rows(["documents", "count", "tokens"], diff_documents(data, a, b), output)


@corpus.command()
@click.argument("name")
@data_option
def verify(name: str, data: DataFolder) -> None:
    """Read every shard and fate of a version again and check them against its record."""
    from curation.verify import verify_corpus
    from manifests.versions import newest

    version = newest(data, "corpora", name)
    documents, fates = verify_corpus(data.corpus(version))
    say(f"{version}: {documents:,} documents and {fates:,} fates agree with build.json")


@corpus.command()
@click.argument("name")
@data_option
def prune(name: str, data: DataFolder) -> None:
    """Delete the intermediate files of a finished version; shards, fates and record stay."""
    from curation.show import prune_stages
    from manifests.versions import newest

    version = newest(data, "corpora", name)
    say(f"{version}: {prune_stages(data.corpus(version)):,} bytes of intermediate files deleted")
