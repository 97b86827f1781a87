"""The base of every curation step: judge one document, count it, and record the fate of what ends here."""

import time
from abc import abstractmethod
from pathlib import Path

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from curation.fates import FAILED, FateSink, Tally, Verdict

HEARTBEAT_S = 0.5


class Stage(PipelineStep):
    """A datatrove step whose `judge` returns None to keep a document (perhaps changed) or a Verdict to let it go."""

    type = "octo"

    def __init__(self, sink: FateSink) -> None:
        super().__init__()
        self.sink = sink

    @abstractmethod
    def judge(self, document: Document) -> Verdict | None:
        """None keeps the document; a Verdict ends it here with that reason."""

    def add_cpu(self, document: Document, cpu_s: float) -> None:
        """Counts the CPU time that a child process spent on a document."""
        document.metadata["cpu_ms"] += cpu_s * 1000
        self.sink.tally(self.name).cpu_s += cpu_s
        self.sink.child_cpu_s += cpu_s

    def prepare(self) -> None:
        """Loads what the stage needs, once a task and only where it runs."""

    def close(self) -> None:
        """Ends what the stage started, such as a process."""

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields the documents that stay; the others' fates go to the sink.

        Not a generator itself: the executor calls the steps in order, so that the tallies stand in that order too.
        """
        self.sink.open(rank)
        return self._judge_all(data, self.sink.tally(self.name))

    def _judge_all(self, data: DocumentsPipeline, tally: Tally) -> DocumentsPipeline:
        self.prepare()
        try:
            for document in data:
                verdict = self._timed(document, tally)
                if verdict is None:
                    tally.kept += 1
                    yield document
                else:
                    self._end(document, verdict, tally)
        finally:
            self.close()

    def _timed(self, document: Document, tally: Tally) -> Verdict | None:
        tally.input += 1
        started = time.process_time()
        verdict = self.judge(document)
        cpu_s = time.process_time() - started
        tally.cpu_s += cpu_s
        document.metadata["cpu_ms"] = document.metadata.get("cpu_ms", 0.0) + cpu_s * 1000
        return verdict

    def _end(self, document: Document, verdict: Verdict, tally: Tally) -> None:
        tally.removed += verdict.decision != FAILED
        tally.failed += verdict.decision == FAILED
        self.stat_update(verdict.reason)
        self.sink.record(document, self.name, verdict)


class Heartbeat:
    """Tells the driver how far a task is, by the size of a small file; cheap, and safe to lose."""

    def __init__(self, folder: Path, rank: int) -> None:
        self._path = folder / f"progress-{rank:05d}"
        self._next = 0.0

    def beat(self, done: int, final: bool = False) -> None:
        """Says that `done` records have been worked on."""
        now = time.monotonic()
        if final or now >= self._next:
            self._next = now + HEARTBEAT_S
            self._path.write_text(str(done))
