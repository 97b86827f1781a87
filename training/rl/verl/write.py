"""From an RL plan to a folder that verl can be started from."""

from pathlib import Path

from manifests.records import atomic_path
from training.rl.plan import RlPlan
from training.rl.prompts.tokenizer import write_policy_tokenizer
from training.rl.verl.given import Given
from training.rl.verl.launch_plan import FILE_NAME, Launch, LaunchPlan, write_launch_plan
from training.rl.verl.notes import launch_notes
from training.rl.verl.options import Options
from training.rl.verl.overrides import resume_settings, stage_settings, start_settings
from training.rl.verl.packages import write_packages
from training.rl.verl.refuse import refuse_impossible
from training.rl.verl.schema import verl_version
from training.rl.verl.scripts import (
    CLUSTERS,
    RESUME,
    START,
    WORDS,
    cluster_settings,
    command,
    environment,
    ray_script,
    run_script,
    slurm_script,
)
from training.rl.verl.stages import Stage
from training.rl.verl.validate import Validation, validate_words
from training.rl.verl.words import override_words

ENGINE = "engine.txt"


def write_launch(plan: RlPlan, options: Options, root: Path, python: str | None = None) -> LaunchPlan:
    """Writes everything that starts the plan with verl into `root`/verl, and returns launch_plan.json.

    `root` holds the prompts; the tokenizer is written beside them where it is not there yet. `python` is asked whether
    its verl takes the words. Raises TrainingError with everything that stands against it; then no launch_plan.json is
    there.
    """
    plan.require_complete()
    given = Given(plan, options, root)
    refuse_impossible(given)
    (given.folder / FILE_NAME).unlink(missing_ok=True)
    if not given.tokenizer.exists():
        write_policy_tokenizer(plan.checkpoint.path, given.tokenizer)
    write_packages(given)
    _write_scripts(given)
    for stage in given.stages:
        _write_words(given, stage)
    launches = _launch_plan(given, _validate(given, python))
    write_launch_plan(launches, given.folder)
    return launches


def word_files(given: Given, stage: Stage, resumed: bool) -> list[Path]:
    """The files of override words of a start, in the order in which run.sh reads them."""
    cluster = CLUSTERS[1] if given.options.ray_address else CLUSTERS[0]
    names = [WORDS, RESUME if resumed else START, f"{cluster}.txt"]
    return [*[stage.folder / name for name in names], given.folder / ENGINE]


def _write_scripts(given: Given) -> None:
    for name, text in {
        "run.sh": run_script(given), "run_ray.sh": ray_script(given), "run.sbatch": slurm_script(given),
    }.items():  # fmt: skip
        _write_text(given.folder / name, text)
    _write_lines(given.folder / ENGINE, list(given.options.engine_words))


def _write_words(given: Given, stage: Stage) -> None:
    settings = {
        WORDS: stage_settings(given, stage),
        START: start_settings(given, stage),
        RESUME: resume_settings(),
        **{f"{cluster}.txt": cluster_settings(given, stage, cluster) for cluster in CLUSTERS},
    }
    for name, values in settings.items():
        _write_lines(stage.folder / name, override_words(values))


def _validate(given: Given, python: str | None) -> Validation:
    """Every start of every stage, as one file of words each, kept for people."""
    whole = []
    for stage in given.stages:
        for name, resumed in ((START, False), (RESUME, True)):
            files = word_files(given, stage, resumed)
            path = stage.folder / f"all-{name}"
            _write_text(path, "".join(file.read_text("utf-8") for file in files))
            whole.append(path)
    return validate_words(whole, python, given.folder)


def _launch_plan(given: Given, validation: Validation) -> LaunchPlan:
    stages, options = given.stages, given.options
    before = [str(given.plan.checkpoint.path), *[str(stage.end) for stage in stages]]
    return LaunchPlan(
        given.plan.identity, verl_version(), options.rendering, options.record(), launch_notes(given), str(validation),
        validation.level,
        [_launch(given, stage, start) for stage, start in zip(stages, before, strict=False)],
    )  # fmt: skip


def _launch(given: Given, stage: Stage, starts_from: str) -> Launch:
    return Launch(
        stage=stage.name,
        first_rollout_step=stage.first,
        last_rollout_step=stage.last,
        width=stage.width,
        checkpoints=str(stage.checkpoints),
        starts_from=starts_from,
        words=[str(path) for path in word_files(given, stage, resumed=False)],
        command=command(given, stage),
        env=environment(given),
    )


def _write_lines(path: Path, lines: list[str]) -> None:
    _write_text(path, "".join(f"{line}\n" for line in lines))


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")
