"""The problems of a finished corpus version, in the order of their ids, with what the corpus says of itself."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import InputError, NotFound
from manifests.kinds.rl import Prompts
from manifests.layout import DataFolder
from manifests.records import read_record
from training.rl.prompts.rows import Problem, Removed, read_problem

COLUMNS = ["id", "text", "metadata"]
BATCH_ROWS = 4096


@dataclass(frozen=True)
class CorpusProblems:
    """What a corpus gives: its usable problems and the others, each by rising id."""

    reference: str
    record: dict[str, Any]  # build.json
    problems: list[Problem]
    removed: list[Removed]

    @property
    def benchmarks(self) -> list[str] | None:
        """The digests of the files it was decontaminated against; None if it was not."""
        options = (self.record.get("recipe") or {}).get("decontaminate")
        return [str(digest) for digest in options.get("benchmarks", [])] if isinstance(options, dict) else None


def read_problems(data: DataFolder, prompts: Prompts) -> CorpusProblems:
    """The problems of `prompts.corpus` with their answers and levels.

    Raises NotFound if it is not built, InputError if it cannot be read, lost a shard or has no such columns.
    """
    folder = data.corpus(prompts.corpus)
    record = _read_record(data, prompts.corpus, folder)
    documents = sorted(_documents(folder / "shards"), key=lambda document: document[0])
    expected = (record.get("counts") or {}).get("documents")
    if len(documents) != expected:
        raise InputError(
            f"{folder / 'shards'}: holds {len(documents):,} documents; expected the {expected} of build.json. A shard "
            "was lost or changed: build the corpus again."
        )
    _require_columns(prompts, documents)
    found = [_problem(prompts, *document) for document in documents]
    problems = [item for item in found if isinstance(item, Problem)]
    return CorpusProblems(prompts.corpus, record, problems, [item for item in found if isinstance(item, Removed)])


def _read_record(data: DataFolder, reference: str, folder: Path) -> dict[str, Any]:
    if (folder / "build.json").is_file():
        return read_record(folder / "build.json")
    name = reference.partition("@")[0]
    state = "is not finished" if folder.exists() else "is not"
    raise NotFound(
        f"prompts.corpus: {reference} {state} in {data.root}; expected a finished version. "
        f"Run `octo corpus build {name}`."
    )


def _documents(folder: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(id, text, the other columns of its row) of every document, shard after shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("*.parquet")):
        try:
            with pq.ParquetFile(path) as shard:
                for batch in shard.iter_batches(BATCH_ROWS, columns=COLUMNS):
                    for name, text, metadata in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                        yield name, text, _columns(f"{path}: {name}", metadata)
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise InputError(f"{path}: cannot be read ({error}); expected a shard. Build the corpus again.") from error


def _columns(where: str, metadata: Any) -> dict[str, Any]:
    try:
        columns = json.loads(metadata)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: its metadata is not JSON ({error}); expected an object.") from error
    if not isinstance(columns, dict):
        raise InputError(f"{where}: its metadata is {type(columns).__name__}; expected a JSON object.")
    return columns


def _require_columns(prompts: Prompts, documents: list[tuple[str, str, dict[str, Any]]]) -> None:
    """A column that no row has is a mistake of the manifest; one that some rows lack is a matter of those rows."""
    names = sorted({name for _, _, columns in documents for name in columns})
    for key, column in (("answers.column", prompts.answers.column), ("level_column", prompts.level_column)):
        if documents and column is not None and column not in names:
            raise InputError(
                f"prompts.{key}: no row of {prompts.corpus} has {column!r}; the columns beside its text are "
                f"{', '.join(names) or 'none'}. Name one of them."
            )


def _problem(prompts: Prompts, name: str, text: str, columns: dict[str, Any]) -> Problem | Removed:
    level = columns.get(prompts.level_column) if prompts.level_column else None
    if isinstance(level, bool) or not isinstance(level, str | int | float | None):
        raise InputError(
            f"prompts.level_column: {prompts.level_column} of {name} holds {type(level).__name__}; expected text or a "
            "number."
        )
    return read_problem(prompts.corpus, name, text, columns, prompts.answers, None if level is None else str(level))
