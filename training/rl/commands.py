"""The verbs over reinforcement learning: `octo rl …`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manifests.layout import DataFolder
from manifests.terminal import data_option, format_option, print_rows, replace_option, say
from training.commands import device_option
from training.rl.verl.cli import PYTHON_VARIABLE, verl_options

if TYPE_CHECKING:
    from training.rl.plan import RlPlan
    from training.rl.probe.subject import Options

backend_option = click.option(
    "--backend", type=click.Choice(["local", "verl"]), default="local", help="What trains [default: local, TRL]."
)


@click.group()
def rl() -> None:
    """Plan, launch and watch reinforcement learning from a checkpoint."""


@rl.command()
@click.argument("manifest", metavar="M")
@click.option("--probe", is_flag=True, help="Sample the checkpoint on some prompts and say whether it is ready.")
@click.option("--probe-prompts", type=click.IntRange(min=1), default=32, help="Prompts of the probe [default: 32].")
@click.option("--probe-tokens", type=click.IntRange(min=1), help="Longest response of the probe [default: the cap].")
@click.option(
    "--probe-at-once", type=click.IntRange(min=1), default=32, help="Responses sampled together [default: 32]."
)
@click.option("--template", "templates", multiple=True, help="Probe this template beside M's; repeatable.")
@click.option("--write", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Write the plan's files there.")
@backend_option
@device_option
@verl_options
@data_option
@format_option
def plan(
    manifest: str,
    probe: bool,
    probe_prompts: int,
    probe_tokens: int | None,
    probe_at_once: int,
    templates: tuple[str, ...],
    folder: Path | None,
    backend: str,
    device: str,
    data: DataFolder,
    output: str,
    **flags: Any,
) -> None:
    """Show prompts, steps, response lengths and cost of the RL manifest M, without training anything.

    Needs no GPU and, without --probe, no torch; finds everything that would stop the launch. Writes nothing without
    --write: then plan.json and the prompts, and for verl its overrides, scripts and reward package.
    """
    from manifests.load import load_manifest
    from training.rl.plan import COLUMNS, plan_rl, plan_rows, summary

    planned = plan_rl(load_manifest(manifest, "rl"), data)
    for line in summary(planned):
        say(line)
    print_rows(COLUMNS, plan_rows(planned), output)
    if folder:
        _write(planned, folder, backend, flags)
    if probe:
        from training.rl.probe.subject import Options

        options = Options(probe_prompts, 8, probe_tokens, templates, device, probe_at_once)
        _probe(planned, options, folder, output)


@rl.command()
@click.argument("manifest", metavar="M")
@click.option(
    "--stop-on", type=click.Choice(["collapse", "warning"]),
    help="End the run at an alarm: `collapse` at one that says the run is lost, `warning` at any [default: only tell].",
)  # fmt: skip
@click.option("--update-at-once", type=click.IntRange(min=1), help="local: responses in one pass of an update.")
@click.option("--sample-at-once", type=click.IntRange(min=1), help="local: responses sampled together.")
@click.option("--recompute", is_flag=True, help="local: compute activations again to save memory.")
@backend_option
@device_option
@replace_option
@verl_options
@data_option
@format_option
def launch(
    manifest: str,
    stop_on: str | None,
    update_at_once: int | None,
    sample_at_once: int | None,
    recompute: bool,
    backend: str,
    device: str,
    replace: bool,
    data: DataFolder,
    output: str,
    **flags: Any,
) -> None:
    """Train by GRPO as M says; interrupted, the same command goes on from the newest checkpoint."""
    from manifests.load import load_manifest
    from training.rl.launch import launch_locally, launch_with_verl
    from training.rl.status import COLUMNS, status_rows

    loaded = load_manifest(manifest, "rl")
    if backend == "verl":
        from training.rl.verl.cli import read_options

        run = launch_with_verl(loaded, data, read_options(flags), stop_on, replace)
    else:
        from training.rl.grpo.fit import Fit

        fit = Fit(update_at_once, sample_at_once, recompute)
        run = launch_locally(loaded, data, device, stop_on, replace, fit)
    say(f"{run.identity}: {run.folder}")
    print_rows(COLUMNS, status_rows(data, run.identity), output)


@rl.command()
@click.argument("run", metavar="NAME[@VERSION]")
@data_option
@format_option
def status(run: str, data: DataFolder, output: str) -> None:
    """Show how far a run is: rollout step, reward, accuracy, lengths, alarms, why it stopped."""
    from manifests.versions import newest
    from training.rl.status import COLUMNS, status_rows

    print_rows(COLUMNS, status_rows(data, newest(data, "runs", run)), output)


@rl.command()
@click.argument("where", metavar="RUN_OR_FILE")
@click.option(
    "--length-schedule", "schedules", multiple=True, metavar="[RUN=]0:2048,100:4096",
    help="The response caps by rollout step, for logs that do not say them; with RUN= for the runs of that name.",
)  # fmt: skip
@data_option
@format_option
def health(where: str, schedules: tuple[str, ...], data: DataFolder, output: str) -> None:
    """Look for the ways RL runs die, in a run, a folder of logs, verl's logs, or a CSV of curves.

    Alarms have two levels: `warn`, look at the run, and `stop`, it is lost; with the latter the command fails.
    """
    from manifests.errors import TrainingError
    from training.rl.health.alarm import STOP
    from training.rl.health.offline import COLUMNS, details, health_of

    found = health_of(where, data, schedules)
    print_rows(COLUMNS, [item.row for item in found], output)
    if told := details(found):
        say(told)
    if lost := [item.run for item in found if item.verdict == STOP]:
        raise TrainingError(f"{where}: {len(lost)} of {len(found)} runs are lost: {', '.join(lost)}.")


@rl.command()
@click.argument("run", metavar="NAME[@VERSION]")
@data_option
@format_option
def check(run: str, data: DataFolder, output: str) -> None:
    """Check that a run did what was planned: steps, response caps, responses, learning rate, reward, prompts, export.

    Fails on any difference, and where something cannot be checked.
    """
    from manifests.errors import TrainingError
    from manifests.versions import newest
    from training.checks import COLUMNS, failures
    from training.rl.outcome import check_rl

    reference = newest(data, "runs", run)
    checks = check_rl(data, reference)
    print_rows(COLUMNS, [item.row for item in checks], output)
    if wrong := failures(checks):
        raise TrainingError(f"{reference}: {len(wrong)} of {len(checks)} checks do not hold; expected all of them.")


def _write(planned: "RlPlan", folder: Path, backend: str, flags: dict[str, Any]) -> None:
    from training.rl.plan import write_plan
    from training.rl.prompts.files import write_prompts

    write_plan(planned, folder)
    say(f"wrote {folder / 'plan.json'}")
    if planned.prompts is not None:
        write_prompts(planned.prompts, folder / "prompts")
        say(f"wrote {folder / 'prompts'}")
    if backend == "verl":
        from training.rl.verl.cli import read_options
        from training.rl.verl.write import write_launch

        say(str(write_launch(planned, read_options(flags), folder, os.environ.get(PYTHON_VARIABLE))))


def _probe(planned: "RlPlan", options: "Options", folder: Path | None, output: str) -> None:
    from manifests.records import write_record
    from training.rl.extra import require_rl_extra
    from training.rl.probe.readiness import probe
    from training.rl.probe.report import COLUMNS, probe_lines, probe_record, probe_rows
    from training.rl.probe.subject import Subject

    planned.require_complete()
    require_rl_extra(f"rl plan {planned.identity} --probe")
    rows, place = [prompt.row for prompt in planned.require_prompts().train], planned.checkpoint.path
    asked = len(planned.require_prompts().validation)
    readiness = probe(Subject(planned.manifest, planned.checkpoint.label, place, place, rows, asked), options)
    print_rows(COLUMNS, probe_rows(readiness), output)
    for line in probe_lines(readiness):
        say(line)
    if folder:
        write_record(folder / "probe.json", probe_record(readiness))
        say(f"wrote {folder / 'probe.json'}")
