"""An RL run on disk: opened once from a complete plan, then kept true by whatever trains it.

runs/NAME@VERSION/run.json plan.json
    prompts/     train.parquet, validation.parquet, removed.jsonl, prompts.json
    tokenizer/   the checkpoint's tokenizer with a chat template that passes the prompt through
    grpo/        metrics.jsonl, validation.jsonl, health.jsonl, responses/, checkpoints/, export/
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import IdentityError
from manifests.fingerprint import fingerprint, refuse_changed
from manifests.folders import discard
from manifests.records import now, read_record
from training.rl.plan import RlPlan, write_plan
from training.rl.prompts.files import write_prompts
from training.rl.prompts.tokenizer import write_policy_tokenizer
from training.rl.recipe import rl_recipe
from training.run_record import DONE, RUNNING, hold_phase, record_path, update_phase, update_run

KIND = "rl"
PHASE = "grpo"


@dataclass(frozen=True)
class RlRun:
    """A run whose folder holds all that a backend needs."""

    plan: RlPlan

    @property
    def identity(self) -> str:
        """`name@version`."""
        return self.plan.identity

    @property
    def folder(self) -> Path:
        """Where everything of the run lies."""
        return self.plan.data.run(self.identity)

    @property
    def prompts_file(self) -> Path:
        """The prompts, one row each."""
        return self.folder / "prompts" / "train.parquet"

    @property
    def validation_file(self) -> Path | None:
        """The validation problems, one row each; None where the manifest has none."""
        return self.folder / "prompts" / "validation.parquet" if self.plan.manifest.validation else None

    @property
    def tokenizer_folder(self) -> Path:
        """The tokenizer for training."""
        return self.folder / "tokenizer"

    @property
    def grpo_folder(self) -> Path:
        """What training writes: logs, responses, checkpoints."""
        return self.folder / PHASE

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of the local backend."""
        return self.grpo_folder / "checkpoints"

    @property
    def export(self) -> Path:
        """The finished model as a Hugging Face folder."""
        return self.grpo_folder / "export"

    @property
    def verl_folder(self) -> Path:
        """What the verl adapter writes."""
        return self.folder / "verl"

    @property
    def facts(self) -> dict[str, Any]:
        """What the record says of the training now."""
        facts: dict[str, Any] = read_record(record_path(self.folder))["phases"].get(PHASE, {})
        return facts

    def publish(self, **facts: Any) -> None:
        """Sets facts of the training, keeping the rest, in the record and in the catalog."""
        from manifests.catalog import register_run

        update_phase(self.folder, PHASE, **facts)
        register_run(self.plan.data, self.identity)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps the run to this process. Raises TrainingError if another one trains it."""
        with hold_phase(self.folder, PHASE):
            yield


def open_run(plan: RlPlan, backend: str, device: str, libraries: Mapping[str, str], replace: bool) -> RlRun:
    """The run, with its record, prompts and tokenizer written; what is there already must be of the same recipe.

    Raises NotFound where checkpoint or corpus are missing, IdentityError where the folder holds another run.
    """
    plan.require_complete()
    run, recipe = RlRun(plan), rl_recipe(plan)
    _make_room(run, recipe, backend, replace)
    update_run(
        run.folder,
        identity=plan.identity,
        kind=KIND,
        fingerprint=fingerprint(recipe),
        recipe=recipe,
        backend=backend,
        device=device,
        libraries=dict(libraries),
        checkpoint=plan.checkpoint.label,
        checkpoint_run=plan.checkpoint.run,
        checkpoint_phase=plan.checkpoint.phase,
        prompts=plan.manifest.prompts.corpus,
        prompts_digest=read_record(plan.data.corpus(plan.manifest.prompts.corpus) / "build.json").get("digest"),
        template=plan.manifest.prompts.template,
        rollout_steps=plan.manifest.rollout_steps,
    )
    if not run.facts:
        write_plan(plan, run.folder)
        write_prompts(plan.require_prompts(), run.folder / "prompts")
        write_policy_tokenizer(plan.checkpoint.path, run.tokenizer_folder)
    return run


def start(run: RlRun) -> None:
    """Records that training begins or goes on."""
    run.publish(
        steps=run.plan.optimizer_steps,
        state=RUNNING,
        error=None,
        parent=run.plan.checkpoint.label,
        started=run.facts.get("started", now()),
    )


def is_done(run: RlRun) -> bool:
    """Whether training has reached its end."""
    return bool(run.facts.get("state") == DONE)


def _make_room(run: RlRun, recipe: dict[str, Any], backend: str, replace: bool) -> None:
    """Refuses what does not belong together, or discards it where the user asked for that."""
    path = record_path(run.folder)
    if not path.exists():
        return
    record = read_record(path)
    if record.get("kind") != KIND:
        raise IdentityError(
            f"{run.identity}: {run.folder} holds a training run of this name and version; expected none. Give the "
            "reinforcement learning another name or version."
        )
    if replace and record.get("fingerprint") != fingerprint(recipe):
        with run.held():
            discard(run.folder)
        return
    refuse_changed(run.identity, path, recipe)
    _refuse_other_backend(run, record, backend)


def _refuse_other_backend(run: RlRun, record: dict[str, Any], backend: str) -> None:
    if record["backend"] != backend and record["phases"].get(PHASE):
        raise IdentityError(
            f"{run.identity}: was begun with the {record['backend']} backend; expected it again, since {backend} "
            "cannot go on from its checkpoints. Use another version, or delete the run's folder."
        )
