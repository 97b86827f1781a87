"""The prompts of a run as its files hold them: what is asked, and what is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import InputError

COLUMNS = ["data_source", "prompt", "reward_model", "extra_info"]


@dataclass(frozen=True)
class Row:
    """One problem: `text` is the whole prompt, template included, as the model reads it."""

    id: str
    text: str
    truth: str
    source: str  # the corpus, or the name of the validation set


def read_rows(path: Path) -> list[Row]:
    """Every row of train.parquet or validation.parquet. Raises InputError where it is not as this program wrote it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=COLUMNS)
        return [_row(record) for record in table.to_pylist()]
    except (OSError, pa.ArrowException, KeyError, IndexError, TypeError) as error:
        raise InputError(
            f"{path}: holds no prompts of this run ({type(error).__name__}: {error}). Remove the run's folder and "
            "launch again."
        ) from error


def _row(record: Mapping[str, Any]) -> Row:
    (message,) = record["prompt"] if len(record["prompt"]) == 1 else ({},)
    return Row(
        id=record["extra_info"]["id"],
        text=message["content"],
        truth=record["reward_model"]["ground_truth"],
        source=record["data_source"],
    )
