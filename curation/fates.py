"""One fate for every input record: what each stage decided, written as it happens, and the sums that must close."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datatrove.data import Document

from curation.staged import StagedWriter
from manifests.errors import AccountingError
from manifests.records import write_record
from manifests.schemas import FATE

KEPT, REMOVED, FAILED = "kept", "removed", "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a stage lets a document go. `failed` means it could not be judged; `removed`, that it was not wanted."""

    reason: str
    detail: str | None = None
    score: float | None = None
    kept_id: str | None = None
    decision: str = REMOVED


@dataclass(slots=True)
class Tally:
    """What one stage did to the records of one task."""

    input: int = 0
    kept: int = 0
    removed: int = 0
    failed: int = 0
    cpu_s: float = 0.0

    def add(self, other: dict[str, Any]) -> None:
        """Adds another task's numbers."""
        for name in ("input", "kept", "removed", "failed", "cpu_s"):
            setattr(self, name, getattr(self, name) + other[name])

    def as_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return {name: getattr(self, name) for name in ("input", "kept", "removed", "failed", "cpu_s")}


@dataclass
class FateSink:
    """Collects the fates and tallies of one task. All steps of a pipeline share one; its last step closes it."""

    folder: Path
    rank: int = -1
    tallies: dict[str, Tally] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    child_cpu_s: float = 0.0
    _writer: StagedWriter | None = None
    _started_cpu_s: float = 0.0

    def open(self, rank: int) -> None:
        """Starts the task `rank`; every step calls it, the first call counts."""
        if self.rank != rank:
            self.rank, self.tallies, self.extra, self._writer = rank, {}, {}, None
            self._started_cpu_s, self.child_cpu_s = time.process_time(), 0.0

    def tally(self, stage: str) -> Tally:
        """The running numbers of a stage, in the order stages first ask."""
        return self.tallies.setdefault(stage, Tally())

    def record(self, document: Document, stage: str, verdict: Verdict | None) -> None:
        """Writes the fate of a document that ends here; None means it was kept to the end."""
        self.write(fate_row(document, stage, verdict))

    def write(self, row: dict[str, Any]) -> None:
        """Adds one row of manifests.schemas.FATE; a task that ends no record leaves no file."""
        if self._writer is None:
            self._writer = StagedWriter(self.folder / f"fates-{self.rank:05d}.parquet", FATE)
            self._writer.open()
        self._writer.write(row)

    def close(self) -> None:
        """Puts the fates in place, then the counts and `extra`, whose presence says that the task is whole."""
        if self._writer:
            self._writer.close()
        counts = {stage: tally.as_dict() for stage, tally in self.tallies.items()}
        check_tallies(counts, f"task {self.rank} of {self.folder.name}")
        cpu_s = time.process_time() - self._started_cpu_s + self.child_cpu_s
        record = {"stages": counts, "cpu_s": cpu_s} | self.extra
        write_record(self.folder / f"counts-{self.rank:05d}.json", record)


def fate_row(document: Document, stage: str, verdict: Verdict | None) -> dict[str, Any]:
    """The fate of a document, from the provenance it carries in its metadata."""
    origin = document.metadata
    return {
        "id": document.id,
        "url": origin.get("url"),
        "decision": verdict.decision if verdict else KEPT,
        "stage": stage,
        "reason": verdict.reason if verdict else None,
        "detail": verdict.detail if verdict else None,
        "score": verdict.score if verdict else None,
        "kept_id": verdict.kept_id if verdict else None,
        "kind": origin["kind"],
        "http_status": origin.get("http_status"),
        "crawl_date": origin.get("crawl_date"),
        "file": origin["file"],
        "offset": origin["offset"],
        "length_bytes": origin["length_bytes"],
        "cpu_ms": origin.get("cpu_ms", 0.0),
    }


def check_tallies(tallies: dict[str, dict[str, Any]], where: str) -> None:
    """Raises AccountingError unless each stage's sums close and each stage got what the one before it kept."""
    expected: int | None = None
    for stage, tally in tallies.items():
        out = tally["kept"] + tally["removed"] + tally["failed"]
        if tally["input"] != out:
            raise AccountingError(f"{where}: stage {stage} got {tally['input']} records and accounts for {out}.")
        if expected is not None and tally["input"] != expected:
            raise AccountingError(f"{where}: stage {stage} got {tally['input']} records; {expected} were handed to it.")
        expected = tally["kept"]


def read_counts(folder: Path, tasks: int) -> tuple[dict[str, Tally], list[dict[str, Any]]]:
    """The summed tallies of all tasks of a block, by stage, and each task's own extras. Raises if a task is missing."""
    total: dict[str, Tally] = {}
    extras: list[dict[str, Any]] = []
    for rank in range(tasks):
        path = folder / f"counts-{rank:05d}.json"
        if not path.exists():
            raise AccountingError(f"{folder}: task {rank} of {tasks} left no counts; expected one file a task.")
        counts = json.loads(path.read_text("utf-8"))
        for stage, tally in counts.pop("stages").items():
            total.setdefault(stage, Tally()).add(tally)
        extras.append(counts)
    check_tallies({stage: tally.as_dict() for stage, tally in total.items()}, str(folder))
    return total, extras
