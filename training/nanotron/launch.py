"""Starting the launches of a plan, one after the other, and following each to its proven end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manifests.errors import NotFound, OctoError, TrainingError
from manifests.fingerprint import fingerprint
from manifests.layout import DataFolder
from manifests.records import now
from manifests.terminal import say
from training.checks import failures
from training.jobs.job import Patience
from training.local.stopping import Stop, stop_on_signals
from training.metrics import read_metrics
from training.nanotron.attempt import attempt_launch
from training.nanotron.checkpoints import read_checkpoint, read_config
from training.nanotron.evidence import expected_rates
from training.nanotron.follow import METRICS, NotFollowed
from training.nanotron.launch_plan import Launch, LaunchPlan, read_launch_plan
from training.nanotron.outcome import check_launch
from training.nanotron.run import Run, launch_recipe, open_run, refuse_changed_launch
from training.planning.plan import STABLE
from training.run_record import DONE, FAILED, RUNNING, STOPPED, hold_phase


def launch_with_nanotron(
    plan_folder: Path,
    data: DataFolder,
    wanted: Sequence[str] = (),
    slurm: bool = False,
    patience: Patience | None = None,
) -> str:
    """Trains the wanted phases (all, if none is named) of the plan in `plan_folder`; returns the run's identity.

    Finished phases are skipped. `slurm` submits run.sbatch also where one node is enough. Raises TrainingError, with
    the end of the log and what to do, where a phase does not end as planned; what comes after it is not started then.
    """
    plan = read_launch_plan(plan_folder)
    chosen = _chosen(plan, wanted)
    run = Run(plan, plan_folder.absolute(), data, slurm, patience or Patience())
    open_run(run)
    with stop_on_signals() as stop:
        for launch in chosen:
            with hold_phase(run.folder, launch.phase):
                _bring_to_end(run, launch, stop)
            if stop and launch is not chosen[-1]:
                raise NotFollowed(
                    f"{plan.identity}: stopped by {stop.name} after phase {launch.phase}. Launch it again to go on."
                )
    return plan.identity


def _chosen(plan: LaunchPlan, wanted: Sequence[str]) -> list[Launch]:
    known = [launch.phase for launch in plan.launches]
    for name in wanted:
        if name not in known:
            raise NotFound(f"{plan.identity}: has no phase {name!r}; phases of its plan: {', '.join(known)}.")
    return [launch for launch in plan.launches if launch.phase == STABLE or not wanted or launch.phase in wanted]


def _bring_to_end(run: Run, launch: Launch, stop: Stop) -> None:
    """One phase, from where it stands to its proven end, with its record kept true on the way."""
    facts, recipe = run.facts(launch.phase), launch_recipe(run, launch)
    refuse_changed_launch(run, launch, recipe, facts)
    if facts.get("state") == DONE:
        say(f"{launch.phase}: finished already, {launch.steps:,} steps")
        return
    path = run.plan_folder / launch.config
    rates = expected_rates(launch, path, read_config(path))
    parent = _require_parent(run, launch)
    _record_start(run, launch, facts, recipe, parent)
    try:
        attempt_launch(run, launch, rates, facts, stop)
        final = _prove(run, launch)
    except NotFollowed as error:
        run.publish(launch.phase, state=STOPPED, error=str(error))
        raise
    except OctoError as error:
        run.publish(launch.phase, state=FAILED, error=str(error))
        raise
    run.publish(launch.phase, state=DONE, finished=now(), error=None, **final)


def _require_parent(run: Run, launch: Launch) -> str:
    """What the phase starts from. Raises TrainingError if the phase before it has not left its last checkpoint."""
    if launch.depends_on is None:
        return launch.resume_checkpoint_path or "the model of the plan"
    before = next(item for item in run.plan.launches if item.phase == launch.depends_on)
    folder = Path(before.checkpoints_path) / str(before.expected_last_step)
    try:
        whole = read_checkpoint(folder).is_complete
    except NotFound:
        whole = False
    if not whole:
        raise TrainingError(
            f"{run.plan.identity} phase {launch.phase}: starts from {folder}, which is not a finished checkpoint; "
            f"expected the end of phase {launch.depends_on}. Launch {launch.depends_on} first."
        )
    return f"{run.plan.identity}/{launch.depends_on} step {before.expected_last_step}"


def _record_start(run: Run, launch: Launch, facts: dict[str, Any], recipe: dict[str, Any], parent: str) -> None:
    run.publish(
        launch.phase,
        mixture=launch.mixture,
        recipe=recipe,
        fingerprint=fingerprint({"recipe": recipe, "parent": parent}),
        order_digest=launch.order_digest,
        lr_table_digest=launch.lr_table_digest,
        steps=launch.steps,
        trained_tokens=launch.trained_tokens,
        checkpoints=launch.checkpoints_path,
        parent=parent,
        state=RUNNING,
        error=None,
        started=facts.get("started", now()),
    )


def _prove(run: Run, launch: Launch) -> dict[str, Any]:
    """The facts of a phase that did what was planned. Raises TrainingError with every check that does not hold."""
    wrong = failures(check_launch(run.plan, launch, run.plan_folder, run.folder))
    if wrong:
        listed = "\n".join(f"  {check.name}: {check.result}: {check.detail}" for check in wrong)
        raise TrainingError(
            f"{run.plan.identity} phase {launch.phase}: nanotron ended, but not as planned:\n{listed}\nNothing after "
            "it is started. Mend the cause, move its checkpoints away, and launch it again under a new version."
        )
    return {"final_loss": _final_loss(run, launch), "saved_step": launch.expected_last_step}


def _final_loss(run: Run, launch: Launch) -> float | None:
    lines = read_metrics(run.folder / launch.phase / METRICS)
    loss: float | None = lines[-1]["loss"] if lines else None
    return loss
