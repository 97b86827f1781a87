"""The two packages that verl's processes import: octo_reward, which judges, and octo_verl, which knows the lengths."""

import json
import shutil
from pathlib import Path
from typing import Any

from manifests.folders import atomic_folder
from training.rl.rewards.package import write_reward_package
from training.rl.verl.given import Given
from training.rl.verl.overrides import OWN_PACKAGE
from training.rl.verl.sampling import LOOP

_SOURCES = Path(__file__).parent / "foreign"
_MODULES = ("__init__.py", "settings.py", "reward_manager.py")
_TEXTS = {"agent_loop.py.txt": "agent_loop.py"}


def write_packages(given: Given) -> None:
    """Writes both into the run's `verl/`, which is verl's PYTHONPATH."""
    write_reward_package(given.folder, [term.model_dump() for term in given.manifest.reward])
    with atomic_folder(given.folder / OWN_PACKAGE) as folder:
        for source, target in {**{name: name for name in _MODULES}, **_TEXTS}.items():
            shutil.copyfile(_SOURCES / source, folder / target)
        _write_json(folder / "settings.json", own_settings(given))
        _write_json(
            folder / given.loops.name, [{"name": LOOP, "_target_": f"{OWN_PACKAGE}.agent_loop.LengthScheduleLoop"}]
        )


def own_settings(given: Given) -> dict[str, Any]:
    """What octo_verl must know of the run."""
    stages = given.manifest.rollout.length_schedule
    return {
        "stages": [[stage.from_rollout_step, stage.max_response_tokens] for stage in stages],
        "end_ids": given.end_ids,
    }


def _write_json(path: Path, value: Any) -> None:
    """JSON, which YAML 1.1 readers such as OmegaConf take too."""
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
