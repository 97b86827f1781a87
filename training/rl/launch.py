"""`octo rl launch`: a plan becomes a run, a backend trains it, and its record says truly how that ended."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from manifests.errors import OctoError
from manifests.layout import DataFolder
from manifests.libraries import library_versions
from manifests.load import Loaded
from manifests.records import now
from manifests.terminal import say
from training.local.loop import Stopped
from training.local.stopping import Stop, stop_on_signals
from training.rl.extra import LIBRARIES, require_rl_extra
from training.rl.grpo.fit import Fit
from training.rl.plan import RlPlan, plan_rl, summary
from training.rl.run import RlRun, is_done, open_run, start
from training.run_record import DONE, FAILED, STOPPED

if TYPE_CHECKING:
    from training.rl.verl.options import Options

LOCAL, VERL = "local", "verl"
Work = Callable[[Stop], dict[str, Any]]


def launch_locally(
    loaded: Loaded, data: DataFolder, device: str, stop_on: str | None, replace: bool, fit: Fit = Fit()
) -> RlRun:
    """Trains on this machine with TRL, from the start or from the newest checkpoint; finished runs are left alone."""
    require_rl_extra(f"rl {loaded.manifest.identity}")
    from training.local.model import choose_device, device_name
    from training.rl.grpo.launch import train

    plan, on = _planned(loaded, data), choose_device(device)
    run = open_run(plan, LOCAL, device_name(on), library_versions(LIBRARIES), replace)
    bring_to_end(run, lambda stop: train(run, on, stop_on, stop, fit))
    return run


def launch_with_verl(loaded: Loaded, data: DataFolder, options: "Options", stop_on: str | None, replace: bool) -> RlRun:
    """Trains with verl in its own interpreter and proves the end; see `training.rl.verl`."""
    from training.rl.verl.launch import train

    run = open_run(_planned(loaded, data), VERL, "verl", {}, replace)
    bring_to_end(run, lambda stop: train(run, options, stop_on, stop))
    return run


def bring_to_end(run: RlRun, work: Work) -> None:
    """Runs `work`, which returns the facts of a finished training; the record tells of every other end too."""
    if is_done(run):
        say(f"{run.identity}: finished already, {run.plan.manifest.rollout_steps:,} rollout steps; nothing to do")
        return
    with run.held(), stop_on_signals() as stop:
        start(run)
        try:
            facts = work(stop)
        except OctoError as error:
            run.publish(state=STOPPED if isinstance(error, Stopped) else FAILED, error=str(error))
            raise
        run.publish(state=DONE, finished=now(), error=None, **facts)


def _planned(loaded: Loaded, data: DataFolder) -> RlPlan:
    plan = plan_rl(loaded, data)
    plan.require_complete()
    for line in summary(plan):
        say(line)
    return plan
