"""What the prompt files of a run hold, as far as verl's outcome is proved with it."""

from collections import Counter
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from training.rl.run import RlRun


def validation_problems(run: RlRun) -> dict[str, int]:
    """Validation set → its problems; empty where the manifest has none."""
    return problems_of(run.validation_file) if run.validation_file else {}


def problems_of(path: Path) -> dict[str, int]:
    """Set → rows of a prompt file."""
    return dict(Counter(row["data_source"] for row in read_rows(path, ["data_source"])))


def read_rows(path: Path, columns: list[str]) -> list[dict[str, Any]]:
    """Some columns of every row. Raises InputError if the file cannot be read."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        rows: list[dict[str, Any]] = read_table(path, columns=columns).to_pylist()
    except (OSError, ArrowException, KeyError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: cannot be read ({first}); expected the prompts of a run. Plan it again.") from error
    return rows
