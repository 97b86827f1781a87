"""Training with verl: its files are written, its stages started one after the other, followed, and proved."""

from collections.abc import Mapping
from typing import Any

from manifests.errors import IdentityError, MissingExtra, TrainingError
from manifests.terminal import say
from training.checks import failures
from training.jobs.job import Patience
from training.jobs.process import refuse_running
from training.local.stopping import Stop
from training.metrics import read_metrics
from training.rl.journal import Journal
from training.rl.run import RlRun
from training.rl.verl.attempt import Following, bring_to_end
from training.rl.verl.cli import PYTHON_VARIABLE
from training.rl.verl.export import write_export
from training.rl.verl.follow import Watch, is_told_whole, logged_steps
from training.rl.verl.given import Given
from training.rl.verl.jobs import lock_of
from training.rl.verl.options import Options
from training.rl.verl.outcome import check_verl
from training.rl.verl.resume import saved_step, step_back
from training.rl.verl.rows import validation_problems
from training.rl.verl.schema import verl_version
from training.rl.verl.stages import Stage
from training.rl.verl.validate import LEVELS
from training.rl.verl.write import write_launch

LAST_LEVEL = len(LEVELS)


def train(
    run: RlRun, options: Options, stop_on: str | None, stop: Stop, patience: Patience | None = None
) -> dict[str, Any]:
    """Trains from where the run stands to its last rollout step, proves it, and exports the policy.

    Returns the facts to record: rollout_step, reward and accuracy of the last rollout step, tokens, validation, export
    (relative to the data folder). Raises MissingExtra without verl's interpreter, Stopped where somebody or an alarm
    wanted an end, TrainingError where verl did not do what was planned.
    """
    python = _require_python(run, options)
    given = Given(run.plan, options, run.folder)
    _refuse_changed(run, given)
    refuse_running("verl", lock_of(run))
    if not run.facts.get("slurm_job"):
        _write(run, options, python)
    problems = validation_problems(run)
    done = max(_saved_and_told(run, stage, problems) for stage in given.stages)
    with Journal(run, min(done, _journaled(run)), stop_on) as journal:
        following = Following(run, given, Watch(run, journal, problems), journal, stop, patience or Patience())
        for stage in given.stages:
            _replay(following.watch, stage, done)
            bring_to_end(following, stage)
        journal.finish(following.watch.last)
    return _finish(run, given, python)


def _saved_and_told(run: RlRun, stage: Stage, problems: Mapping[str, int]) -> int:
    """How far a stage is; a checkpoint of a rollout step that verl never told of is set aside."""
    before = saved_step(stage)
    ours = stage.name in run.facts.get("stages_started", []) and before <= stage.last
    if run.facts.get("slurm_job") or not before or not ours:
        return before  # verl may be writing, or it is refused in a moment
    lines = logged_steps(stage)
    saved = step_back(
        stage, lambda step: step in lines and is_told_whole(run.plan.manifest, problems, stage, lines[step])
    )
    if saved != before:
        say(
            f"{run.identity}, {stage.name}: verl saved rollout step {before:,} and ended before it had logged it; its "
            f"checkpoint is set aside, and training goes on after rollout step {saved:,}"
        )
    return saved


def _write(run: RlRun, options: Options, python: str) -> None:
    launches = write_launch(run.plan, options, run.folder, python)
    for line in str(launches).splitlines():
        say(line)
    if launches.asked < LAST_LEVEL:
        raise TrainingError(f"{run.identity}: {launches.validated}; expected an interpreter that can train with verl.")


def _require_python(run: RlRun, options: Options) -> str:
    if options.python is None:
        raise MissingExtra(
            f"{run.identity}: --backend verl needs {PYTHON_VARIABLE}; expected the interpreter of an environment with "
            f"verl {verl_version()}, such as one after `pip install 'verl[vllm]=={verl_version()}' math-verify`."
        )
    return str(options.python)


def _refuse_changed(run: RlRun, given: Given) -> None:
    """Raises IdentityError where the run was begun in the other rendering: its checkpoints lie elsewhere."""
    begun = run.facts.get("rendering", given.options.rendering)
    if begun != given.options.rendering:
        raise IdentityError(
            f"{run.identity}: was begun with --rendering {begun}, this launch has {given.options.rendering}; expected "
            "the same. Use it again, or another version."
        )
    run.publish(rendering=begun)


def _journaled(run: RlRun) -> int:
    """The last rollout step that the journal tells without a gap."""
    steps = [line["rollout_step"] for line in read_metrics(run.grpo_folder / "metrics.jsonl")]
    return next((number for number, step in enumerate(steps) if step != number + 1), len(steps))


def _replay(watch: Watch, stage: Stage, done: int) -> None:
    """What earlier attempts logged up to a checkpoint while nobody followed; the last attempt counts."""
    lines = logged_steps(stage)
    watch.hear(stage, [lines[step] for step in sorted(lines) if step <= done], ended=True)


def _finish(run: RlRun, given: Given, python: str) -> dict[str, Any]:
    """The facts of a run that did what was planned, with its export written."""
    if wrong := failures(check_verl(run.folder)):
        listed = "\n".join(f"  {check.name}: {check.result}: {check.detail}" for check in wrong)
        raise TrainingError(
            f"{run.identity}: verl ended, but not as planned:\n{listed}\nNothing is exported. Mend the cause and "
            "launch it again under a new version."
        )
    lines = read_metrics(run.grpo_folder / "metrics.jsonl")
    validations = read_metrics(run.grpo_folder / "validation.jsonl")
    last = lines[-1]
    write_export(run, given.stages[-1].end, python, last)
    return {
        "rollout_step": last["rollout_step"],
        "reward": last["reward"],
        "accuracy": last["accuracy"],
        "tokens": last["tokens"],
        "validation": {
            line["set"]: line["accuracy"] for line in validations if line["rollout_step"] == last["rollout_step"]
        },
        "export": run.export.relative_to(run.plan.data.root).as_posix(),
    }
