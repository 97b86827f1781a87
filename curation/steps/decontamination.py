"""Decontamination: documents that share a run of words with a benchmark problem are removed, with the problem named.

MegaMath section 2.4 uses runs of 13 words. Problems shorter than a run are matched whole, down to a stated length;
those still shorter, and those of symbols alone, cannot be told from chance: they are counted as uncovered. Only a
document that is such a problem and nothing else is removed too: in a set of problems that is no chance.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xxhash
from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from curation.fates import FateSink, Verdict
from curation.stage import Stage
from curation.words import comparable_words
from manifests.errors import InputError
from manifests.kinds.corpus import Decontaminate
from manifests.records import open_unpacked, write_record

if TYPE_CHECKING:
    from numpy.typing import NDArray


# A run must hold four different words of three letters or more (chosen here, see DECISIONS.md).
TELLING_WORDS, TELLING_LETTERS = 4, 3
WHOLE_PROBLEMS = "whole.json"


class IndexBenchmarks(PipelineStep):
    """Writes the hashes of every run of the benchmarks' problems, and how many problems are too short to cover."""

    type, name = "octo", "benchmarks"

    def __init__(self, files: list[Path], options: Decontaminate, folder: Path) -> None:
        super().__init__()
        self.files, self.options, self.folder = files, options, folder

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields nothing: the index is the result."""
        self.folder.mkdir(parents=True, exist_ok=True)
        runs: dict[int, tuple[int, str]] = {}  # hash → (words in the run, problem)
        whole: dict[str, str] = {}  # digest of a whole problem → problem
        coverage = {file.name: self._index(file, runs, whole) for file in self.files}
        lengths = {length: [h for h, (n, _) in runs.items() if n == length] for length in {n for n, _ in runs.values()}}
        for length, hashes in lengths.items():
            np.save(self.folder / f"runs-{length:02d}.npy", np.sort(np.array(hashes, np.uint64)), allow_pickle=False)
        problems = {f"{value:016x}": problem for value, (_, problem) in runs.items()}
        write_record(self.folder / "problems.json", problems)
        write_record(self.folder / WHOLE_PROBLEMS, whole)
        write_record(self.folder / "coverage.json", coverage)
        yield from ()

    def _index(self, file: Path, runs: dict[int, tuple[int, str]], whole: dict[str, str]) -> dict[str, int]:
        coverage = {"problems": 0, "covered": 0, "too_short": 0, "too_plain": 0}
        for line, problem in read_problems(file, self.options.columns):
            found = comparable_words(problem)
            if found:  # a problem of signs alone has nothing to compare
                whole.setdefault(_whole_digest(found), f"{file.name}:{line}")
            length = min(len(found), self.options.ngram_words)
            hashes = _run_hashes(_word_hashes(found), length).tolist() if length >= self.options.min_words else []
            telling = [value for start, value in enumerate(hashes) if is_telling(found[start : start + length])]
            for value in telling:
                runs.setdefault(value, (length, f"{file.name}:{line}"))
            coverage["problems"] += 1
            coverage["covered" if telling else "too_plain" if hashes else "too_short"] += 1
        return coverage


class KeepUncontaminated(Stage):
    """Removes documents that hold a run of a benchmark's words, or are one of its problems and nothing else."""

    name = "decontaminate"

    def __init__(self, sink: FateSink, index: Path) -> None:
        super().__init__(sink)
        self.index = index
        self._runs: dict[int, NDArray[np.uint64]] = {}
        self._problems: dict[str, str] = {}
        self._whole: dict[str, str] = {}

    def prepare(self) -> None:
        """Loads the index, one sorted array for each length of run, and the whole problems."""
        files = sorted(self.index.glob("runs-*.npy"))
        self._runs = {int(path.stem.split("-")[1]): np.load(path, allow_pickle=False) for path in files}
        self._problems = json.loads((self.index / "problems.json").read_text("utf-8"))
        self._whole = json.loads((self.index / WHOLE_PROBLEMS).read_text("utf-8"))

    def judge(self, document: Document) -> Verdict | None:
        """None where no run is shared and the document is no problem."""
        found = comparable_words(document.text)
        if (problem := self._whole.get(_whole_digest(found))) is not None:
            return Verdict("benchmark_leak", f"{problem}: the whole text", float(len(found)))
        return self._shared_run(found)

    def _shared_run(self, found: list[str]) -> Verdict | None:
        hashes = _word_hashes(found)
        for length, known in self._runs.items():
            if (place := _first_shared(_run_hashes(hashes, length), known)) is not None:
                value = _run_hashes(hashes[place : place + length], length)[0]
                run = " ".join(found[place : place + length])
                return Verdict("benchmark_leak", f"{self._problems[f'{value:016x}']}: {run!r}", float(length))
        return None


def read_problems(file: Path, columns: list[str]) -> Iterator[tuple[int, str]]:
    """(line number, problem) of each row of a benchmark file. Raises InputError for a row without a problem."""
    with open_unpacked(file) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _problem_of(file, number, line, columns)


def is_telling(run: list[str]) -> bool:
    """Whether a run says anything: `1 2 3 … 13` or the definition of Fibonacci's numbers stands on any page."""
    return len({word for word in run if len(word) >= TELLING_LETTERS and word.isalpha()}) >= TELLING_WORDS


def _problem_of(file: Path, number: int, line: bytes, columns: list[str]) -> str:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{file}:{number}: is not JSON ({error}); expected one problem a line.") from error
    problem = next((row[name] for name in columns if isinstance(row, dict) and isinstance(row.get(name), str)), None)
    if problem is None:
        known = ", ".join(row) if isinstance(row, dict) else type(row).__name__
        raise InputError(f"{file}:{number}: has {known}; expected one of the columns {', '.join(columns)}.")
    return problem


def _whole_digest(found: list[str]) -> str:
    """Of the letters and digits alone: where one word ends and the next begins changes with the spelling, `log_82`."""
    return hashlib.blake2b("".join(found).encode(), digest_size=16).hexdigest()


def _word_hashes(found: list[str]) -> "NDArray[np.uint64]":
    return np.fromiter((xxhash.xxh3_64_intdigest(word.encode()) for word in found), np.uint64, len(found))


def _run_hashes(hashes: "NDArray[np.uint64]", length: int) -> "NDArray[np.uint64]":
    """A hash for each run of `length` words: a polynomial over the word hashes modulo 2^64, salted by the length."""
    count = max(len(hashes) - length + 1, 0)
    total = np.full(count, length, np.uint64)
    for index in range(length):
        total = total * np.uint64(0x9E3779B97F4A7C15) + hashes[index : index + count]
    return total ^ (total >> np.uint64(29))


def _first_shared(hashes: "NDArray[np.uint64]", known: "NDArray[np.uint64]") -> int | None:
    if not len(hashes) or not len(known):
        return None
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    shared = np.flatnonzero(known[places] == hashes)
    return int(shared[0]) if len(shared) else None
