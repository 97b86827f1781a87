"""A plan that is being launched: its record, and the refusal of another recipe under the same name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import IdentityError
from manifests.fingerprint import changed_keys, fingerprint
from manifests.layout import DataFolder
from manifests.records import read_record
from training.jobs.job import Patience
from training.nanotron.checkpoints import read_config, section
from training.nanotron.launch_plan import Launch, LaunchPlan
from training.run_record import read_run, record_path, update_phase, update_run

BACKEND = "nanotron"


@dataclass(frozen=True)
class Run:
    """A plan that is being launched, and where its record lies."""

    plan: LaunchPlan
    plan_folder: Path
    data: DataFolder
    slurm: bool
    patience: Patience

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.data.run(self.plan.identity)

    def facts(self, phase: str) -> dict[str, Any]:
        """What the record says of a phase now."""
        recorded: dict[str, Any] = read_run(self.data, self.plan.identity)["phases"].get(phase, {})
        return recorded

    def publish(self, phase: str, **facts: Any) -> None:
        """Sets facts of a phase, in the record and in the catalog."""
        from manifests.catalog import register_run

        update_phase(self.folder, phase, **facts)
        register_run(self.data, self.plan.identity)


def open_run(run: Run) -> None:
    """Records the run. Raises IdentityError if another backend or dialect has begun it."""
    path = record_path(run.folder)
    recorded = read_record(path) if path.exists() else {}
    for name, mine in (("backend", BACKEND), ("dialect", run.plan.dialect)):
        if recorded.get(name, mine) != mine:
            raise IdentityError(
                f"{run.plan.identity}: was launched before with {name} {recorded[name]}, this plan has {mine}. "
                f"A version never changes: raise `version`, or remove {run.folder} if nobody needs it."
            )
    update_run(
        run.folder,
        identity=run.plan.identity,
        fingerprint=fingerprint(launch_recipe(run, run.plan.launches[0])),
        backend=BACKEND,
        dialect=run.plan.dialect,
        device=_device(run.plan.options),
        plan=str(run.plan_folder),
        options=run.plan.options,
    )


def launch_recipe(run: Run, launch: Launch) -> dict[str, Any]:
    """What a phase's weights rest on, whatever machines train it and wherever its files lie."""
    path = run.plan_folder / launch.config
    config = read_config(path)
    return {
        "dialect": run.plan.dialect,
        "model": section(path, config, "model", "model_config"),
        "optimizer": section(path, config, "optimizer"),
        "seed": section(path, config, "general").get("seed"),
        "mixture": launch.mixture,
        "order_digest": launch.order_digest,
        "lr_table_digest": launch.lr_table_digest,
        "steps": launch.steps,
        "batch_windows": launch.batch_windows,
    }


def refuse_changed_launch(run: Run, launch: Launch, recipe: dict[str, Any], facts: dict[str, Any]) -> None:
    """Raises IdentityError, naming the keys, if the phase was started from another recipe."""
    if (recorded := facts.get("recipe", recipe)) != recipe:
        listed = "\n".join(f"  {change}" for change in changed_keys(recorded, recipe, launch.phase))
        raise IdentityError(
            f"{run.plan.identity}: phase {launch.phase} was started from another recipe:\n{listed}\n"
            f"A version never changes: raise `version`, or remove {run.folder} if nobody needs it."
        )


def _device(options: dict[str, Any]) -> str:
    return f"{options.get('nodes', 1)} x {options.get('gpus_per_node', 1)} GPU"
