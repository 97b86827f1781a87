"""The commit: sums are checked, fates gathered, build.json written, the catalog told. In that order."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from curation.digest import RowsDigest
from curation.executors import Machine
from curation.fates import FAILED, KEPT, REMOVED, Tally, check_tallies, read_counts
from curation.plan import BuildPlan
from curation.scorecards import lowered, scores_of
from manifests.errors import AccountingError
from manifests.layout import DataFolder
from manifests.libraries import library_versions
from manifests.records import now, read_record, write_record

COUNTED_BLOCKS = ("read", "exact", "extract", "shard")
LIBRARIES = (
    "datatrove", "duckdb", "fastwarc", "fasttext-numpy2-wheel", "lxml", "numpy", "octocorpus", "polars", "pyarrow",
    "resiliparse", "trafilatura",
)  # fmt: skip


def commit(plan: BuildPlan, data: DataFolder, machine: Machine, started: str, wall_s: float) -> dict[str, Any]:
    """The build record, after everything in it was checked and written."""
    from manifests.catalog import register_corpus

    folder = data.corpus(plan.manifest.identity)
    tallies, extras = _all_counts(folder / "stages")
    total = _gather_fates(folder)
    _check_total(tallies, total)
    record = (
        _record(plan, machine, tallies, extras, total, _coverage(folder / "stages"))
        | _scorecard(plan, folder)
        | {
            "started": started,
            "finished": now(),
            "wall_s": round(wall_s, 3),
        }
    )
    write_record(folder / "build.json", record)
    register_corpus(data, plan.manifest.identity)
    return record


def _all_counts(stages: Path) -> tuple[dict[str, Tally], dict[str, list[dict[str, Any]]]]:
    """The tally of every stage in order, and what the tasks of each block left beside it."""
    tallies: dict[str, Tally] = {}
    extras: dict[str, list[dict[str, Any]]] = {}
    for block in COUNTED_BLOCKS:
        tasks = json.loads((stages / block / "done.json").read_text("utf-8"))["tasks"]
        found, extras[block] = read_counts(stages / block, tasks)
        tallies |= found
    check_tallies({stage: tally.as_dict() for stage, tally in tallies.items()}, str(stages))
    return tallies, extras


def _gather_fates(folder: Path) -> pl.DataFrame:
    """Copies the fates of all blocks beside the shards; returns how many there are by stage, decision and reason."""
    target = folder / "fates"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for block in COUNTED_BLOCKS:
        for file in sorted((folder / "stages" / block).glob("fates-*.parquet")):
            shutil.copyfile(file, target / f"{block}-{file.name.removeprefix('fates-')}")
    grouped = pl.scan_parquet(target / "*.parquet").group_by("stage", "decision", "reason")
    return grouped.agg(pl.len().alias("records")).sort("stage", "decision", "reason").collect()


def _check_total(tallies: dict[str, Tally], fates: pl.DataFrame) -> None:
    """The fates on disk must be as many as the stages counted, stage by stage, and one for every input record."""
    for stage, tally in tallies.items():
        last = stage == "shard"
        for decision, expected in (
            (REMOVED, tally.removed),
            (FAILED, tally.failed),
            (KEPT, tally.kept if last else 0),
        ):
            mine = fates.filter((pl.col("stage") == stage) & (pl.col("decision") == decision))
            if (found := int(mine["records"].sum())) != expected:
                raise AccountingError(f"stage {stage}: {found} fates say {decision}; the stage counted {expected}.")
    records, total = next(iter(tallies.values())).input, int(fates["records"].sum())
    if total != records:
        raise AccountingError(f"fates: {total} for {records} input records; expected one fate a record.")


def _record(
    plan: BuildPlan,
    machine: Machine,
    tallies: dict[str, Tally],
    extras: dict[str, list[dict[str, Any]]],
    fates: pl.DataFrame,
    benchmarks: list[dict[str, Any]],
) -> dict[str, Any]:
    manifest = plan.manifest
    shards = [extra["shard"] for extra in extras["shard"]]
    digest = RowsDigest()
    for extra in extras["shard"]:
        digest.join(extra["digest"])
    return {
        "identity": manifest.identity,
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "licence": manifest.licence,
        "digest": f"rows-sha256:{digest.hex()}",
        "fingerprint": plan.fingerprint,
        "recipe": plan.recipe,
        "counts": {
            "input_records": next(iter(tallies.values())).input,
            "documents": tallies["shard"].kept,
            "removed": sum(tally.removed for tally in tallies.values()),
            "failed": sum(tally.failed for tally in tallies.values()),
        },
        "tokens": sum(shard["tokens"] for shard in shards),
        "token_counter": plan.token_counter,
        "text_bytes": sum(extra["text_bytes"] for extra in extras["shard"]),
        "bytes": sum(shard["size_bytes"] for shard in shards),
        "formulas": sum(shard["formulas"] for shard in shards),
        "shards": shards,
        "stages": [
            {"position": position, "stage": stage} | tally.as_dict()
            for position, (stage, tally) in enumerate(tallies.items())
        ],
        "reasons": fates.filter(pl.col("decision") != KEPT).to_dicts(),
        "inputs": _inputs(plan, extras["read"]),
        "benchmarks": benchmarks,
        "executor": machine.executor,
        "tasks": machine.tasks,
        "workers": machine.workers,
        "libraries": library_versions(LIBRARIES),
        "cpu_s_by_block": {block: round(sum(extra["cpu_s"] for extra in tasks), 3) for block, tasks in extras.items()},
        "cpu_s": round(sum(extra["cpu_s"] for tasks in extras.values() for extra in tasks), 3),
    }


def _coverage(stages: Path) -> list[dict[str, Any]]:
    """How many problems of each benchmark the decontamination could look for."""
    path = stages / "problems" / "coverage.json"
    return [{"file": file} | counts for file, counts in read_record(path).items()] if path.exists() else []


def _scorecard(plan: BuildPlan, folder: Path) -> dict[str, Any]:
    """What the extractor brings back of our own pages, and what the last version's brought back that it does not."""
    scores, before = scores_of(plan), read_record(folder / "stages" / "recipe.json").get("last_scores") or {}
    fallen = lowered(scores, before.get("scores", []))
    return {"scorecard": scores, "scores_lowered": fallen, "scores_against": before.get("version")}


def _inputs(plan: BuildPlan, extras: list[dict[str, Any]]) -> list[dict[str, Any]]:
    records = {file: count for extra in extras for file, count in extra["records"].items()}
    return [
        {
            "file": file.path,
            "format": file.format,
            "size_bytes": file.size_bytes,
            "digest": file.digest,
            "records": records[file.path],
        }
        for file in plan.inputs
    ]
