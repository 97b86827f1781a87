"""The files of prompts: Parquet that verl reads and TRL loads unchanged, and what was left out, beside it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import InputError
from manifests.records import atomic_path, explain_os_error, write_record
from training.rl.prompts.facts import rows_digest
from training.rl.prompts.prepare import PromptSet
from training.rl.prompts.rows import Prompt, Removed

if TYPE_CHECKING:
    import pyarrow as pa

TRAIN_FILE, VALIDATION_FILE, REMOVED_FILE, FACTS_FILE = (
    "train.parquet", "validation.parquet", "removed.jsonl", "prompts.json",
)  # fmt: skip
GROUP_ROWS = 4096


def write_prompts(prompts: PromptSet, folder: Path) -> None:
    """Writes train.parquet, validation.parquet, removed.jsonl and, last, prompts.json, each whole or not at all.

    Without a validation set there is no validation.parquet, and one that an earlier plan left is removed.
    """
    _discard(folder / FACTS_FILE)  # while it is not there, the rest is not finished
    _write_rows(folder / TRAIN_FILE, prompts.train)
    if prompts.validation:
        _write_rows(folder / VALIDATION_FILE, prompts.validation)
    else:
        _discard(folder / VALIDATION_FILE)
    _write_removed(folder / REMOVED_FILE, prompts.removed)
    write_record(folder / FACTS_FILE, prompts.facts)


def read_prompt_rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Every row of a file, with these columns or all. Raises InputError where this program did not write it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if missing := set(columns or ()) - set(file.schema_arrow.names):
                raise KeyError(*sorted(missing))
            for batch in file.iter_batches(GROUP_ROWS, columns=columns):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise no_prompts(path, error) from error


def no_prompts(path: Path, error: Exception) -> InputError:
    """The error for a file that does not hold what write_prompts writes."""
    first = (str(error).splitlines() or [""])[0]
    return InputError(
        f"{path}: holds no prompts of this run ({type(error).__name__}: {first}). Remove the run's folder and launch "
        "again."
    )


def digest_of_rows(path: Path) -> str:
    """The digest of the rows that lie in a file, as prompts.json says it."""
    return rows_digest(read_prompt_rows(path))


def row_schema() -> "pa.Schema":
    """The columns of a row, as verl 0.9 names them. What must be there is not nullable; a level may be missing."""
    import pyarrow as pa

    def required(name: str, kind: pa.DataType) -> pa.Field:
        return pa.field(name, kind, nullable=False)

    text = pa.string()
    message = pa.struct([required("role", text), required("content", text)])
    extra = [required("index", pa.int64()), required("split", text), required("id", text), pa.field("level", text)]
    return pa.schema(
        [
            required("data_source", text),
            required("prompt", pa.list_(required("item", message))),
            required("ability", text),
            required("reward_model", pa.struct([required("style", text), required("ground_truth", text)])),
            required("extra_info", pa.struct([*extra, required("problem", text)])),
        ]
    )


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise explain_os_error(path, error) from error


def _write_rows(path: Path, prompts: Sequence[Prompt]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = row_schema()
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for start in range(0, len(prompts), GROUP_ROWS):
            rows = [prompt.row for prompt in prompts[start : start + GROUP_ROWS]]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _write_removed(path: Path, removed: Sequence[Removed]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(item.line, ensure_ascii=False) + "\n" for item in removed)
