"""The prompts of a run as its files hold them: what is asked, and what is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.rl.prompts.files import no_prompts, read_prompt_rows

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
    try:
        return [_row(record) for record in read_prompt_rows(path, COLUMNS)]
    except (KeyError, IndexError, TypeError) as error:
        raise no_prompts(path, error) from error


def _row(record: Mapping[str, Any]) -> Row:
    (message,) = record["prompt"] if len(record["prompt"]) == 1 else ({},)
    return Row(
        id=record["extra_info"]["id"],
        text=message["content"],
        truth=record["reward_model"]["ground_truth"],
        source=record["data_source"],
    )
