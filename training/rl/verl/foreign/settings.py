"""The settings of a run, from the settings.json beside this file, and the length schedule they hold.

    {"stages": [[0, 2048], [100, 4096]], "end_ids": [128001]}

Standard library alone: this file is copied into a package that verl's interpreter imports.
"""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("settings.json")


@functools.cache
def settings() -> dict[str, Any]:
    """The settings. Raises OSError or ValueError where the file is damaged, which stops verl at its start."""
    read: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return read


def cap_at(stages: Sequence[Sequence[int]], rollout_step: int) -> int:
    """The longest response of a rollout step, in tokens. A stage `[100, 4096]` begins with rollout step 101.

    Step 0, the validation before training, has the first cap.
    """
    return [cap for start, cap in stages if start < max(rollout_step, 1)][-1]
