"""Builds a corpus version: block after block, each checked before the next, the record written last.

A version is finished when its build.json exists. A killed build leaves the finished blocks and tasks behind; the same
command goes on from there and gives the same digest.
"""

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from curation.commit import commit
from curation.executors import Machine, executor_for, run_to_end
from curation.fates import read_counts
from curation.pipeline import Block, blocks
from curation.plan import BuildPlan
from curation.scorecards import last_scores
from manifests.fingerprint import refuse_changed
from manifests.folders import only_writer
from manifests.layout import DataFolder
from manifests.records import now, read_record, write_record
from manifests.terminal import Progress, say

WATCH_S = 0.2
READING_BLOCKS = ("read", "extract", "shard")  # those whose tasks say how many records they have read


def build_corpus(plan: BuildPlan, data: DataFolder, machine: Machine, replace: bool = False) -> dict[str, Any]:
    """The build record of the finished version; built now, or as it was when the recipe is unchanged."""
    with only_writer(data.corpus(plan.manifest.identity)):
        return _build(plan, data, machine, replace)


def _build(plan: BuildPlan, data: DataFolder, machine: Machine, replace: bool) -> dict[str, Any]:
    folder = data.corpus(plan.manifest.identity)
    record = folder / "build.json"
    if record.exists() and not replace:
        refuse_changed(plan.manifest.identity, record, plan.recipe)
        say(f"{plan.manifest.identity}: already built from this recipe, nothing to do")
        return read_record(record)
    _prepare(folder, plan, data)
    started, clock = now(), time.monotonic()
    for block in blocks(plan, folder / "stages", folder / "shards", machine.tasks):
        _run_block(block, folder / "stages" / block.name, machine)
    return commit(plan, data, machine, started, time.monotonic() - clock)


def _prepare(folder: Path, plan: BuildPlan, data: DataFolder) -> None:
    """Keeps the unfinished work of the same recipe and discards anything else in the version's folder."""
    mark = folder / "stages" / "recipe.json"
    unfinished = mark.exists() and not (folder / "build.json").exists()
    if unfinished and read_record(mark).get("fingerprint") == plan.fingerprint:
        say(f"{plan.manifest.identity}: going on with the unfinished build")
        return
    before = last_scores(data, plan.manifest.identity)
    if folder.exists():
        if unfinished:
            say(f"{plan.manifest.identity}: an unfinished build of another recipe is discarded")
        discard(folder, plan.manifest.identity, data)
    write_record(mark, {"fingerprint": plan.fingerprint, "started": now(), "last_scores": before})


def discard(folder: Path, identity: str, data: DataFolder) -> None:
    """Removes a version: first its record, so that it never looks finished while it goes, then its rows and files."""
    from manifests.catalog import unregister

    (folder / "build.json").unlink(missing_ok=True)
    if data.catalog.exists():
        unregister(data, "corpora", identity)
    shutil.rmtree(folder)


def _run_block(block: Block, folder: Path, machine: Machine) -> None:
    """Runs what is left of a block and checks that its sums close."""
    if (folder / "done.json").exists():
        return
    _forget_other_cut(folder, block.tasks)
    with _Watch(block, folder):
        run_to_end(executor_for(machine, block.steps, block.tasks, folder / "log"))
    if block.counted:
        read_counts(folder, block.tasks)
    write_record(folder / "done.json", {"tasks": block.tasks})


def _forget_other_cut(folder: Path, tasks: int) -> None:
    """Half a block cut into another number of tasks cannot be gone on with: its files would be mixed silently."""
    mark = folder / "tasks.json"
    if mark.exists() and json.loads(mark.read_text("utf-8"))["tasks"] == tasks:
        return
    if folder.exists():
        shutil.rmtree(folder)
    write_record(mark, {"tasks": tasks})


class _Watch:
    """Shows the progress of a block from the small files its tasks write."""

    def __init__(self, block: Block, folder: Path) -> None:
        self.folder = folder
        self.progress = Progress(block.name, 0, "records" if block.name in READING_BLOCKS else "tasks")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._stop.set()
        self._thread.join()
        self.progress.finish(self._done(), "stopped" if kind else "done")

    def _watch(self) -> None:
        while not self._stop.wait(WATCH_S):
            self.progress.show(self._done())

    def _done(self) -> int:
        beats = [path.read_text() for path in self.folder.glob("progress-*")]
        counted = sum(int(beat) for beat in beats if beat.isdigit())
        return counted or sum(1 for _ in (self.folder / "log" / "completions").glob("*"))
