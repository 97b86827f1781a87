"""What the prompt files of a run hold, as far as verl's outcome is proved with it."""

from collections import Counter
from pathlib import Path

from training.rl.prompts.files import read_prompt_rows
from training.rl.run import RlRun


def validation_problems(run: RlRun) -> dict[str, int]:
    """Validation set → its problems; empty where the manifest has none."""
    return problems_of(run.validation_file) if run.validation_file else {}


def problems_of(path: Path) -> dict[str, int]:
    """Set → rows of a prompt file."""
    return dict(Counter(row["data_source"] for row in read_prompt_rows(path, ["data_source"])))
