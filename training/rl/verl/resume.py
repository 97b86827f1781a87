"""How far a stage of verl is, by the checkpoints it left, and whether it may go on from them."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from manifests.errors import InputError, NotFound, TrainingError
from manifests.records import atomic_path
from training.rl.verl.given import Given
from training.rl.verl.stages import TRACKER, Stage, checkpoint

_SHARD = re.compile(r"(model|optim|extra_state)_world_size_(\d+)_rank_(\d+)\.pt\Z")
_KINDS = ("model", "optim", "extra_state")


def saved_step(stage: Stage) -> int:
    """The newest rollout step that verl says it saved, 0 where it has not. Raises InputError for a damaged tracker."""
    path = stage.checkpoints / TRACKER
    try:
        text = path.read_text("ascii").strip()
        return int(text) if text else 0
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no rollout step ({error}); expected a number as verl writes it.") from error


def step_back(stage: Stage, is_told: Callable[[int], bool]) -> int:
    """The newest saved rollout step that verl also logged and dumped, 0 if there is none; verl will go on from there.

    verl saves a rollout step, validates, and only then logs it: ended in between, the step would be trained and nobody
    could ever say how. Its checkpoint is kept under another name, and the step is made again.
    """
    while (saved := saved_step(stage)) and not is_told(saved):
        folder = checkpoint(stage.checkpoints, saved)
        if folder.exists():
            folder.rename(_unlogged(folder))
        _set_tracker(stage, max(_whole_steps(stage, before=saved), default=0))
    return saved


def _unlogged(folder: Path) -> Path:
    names = (folder.with_name(f"unlogged-{folder.name}-{number}") for number in range(1, 10_000))
    return next(path for path in names if not path.exists())


def _whole_steps(stage: Stage, before: int) -> Iterator[int]:
    for folder in stage.checkpoints.glob("global_step_*"):
        number = folder.name.removeprefix("global_step_")
        with contextlib.suppress(NotFound):  # verl keeps the folder of a checkpoint whose weights it removed
            if number.isdecimal() and int(number) < before and world_size(folder):
                yield int(number)


def _set_tracker(stage: Stage, rollout_step: int) -> None:
    path = stage.checkpoints / TRACKER
    if not rollout_step:
        path.unlink()
        return
    with atomic_path(path) as temporary:
        temporary.write_text(str(rollout_step), "ascii")


def world_size(folder: Path) -> int:
    """How many processes saved a checkpoint, which is whole. Raises NotFound for what is missing."""
    found = [match.groups() for path in (folder / "actor").glob("*.pt") if (match := _SHARD.match(path.name))]
    sizes = {int(size) for _, size, _ in found}
    if len(sizes) != 1:
        raise NotFound(f"{folder}: has shards of {sorted(sizes) or 'no'} processes; expected those of one run of verl.")
    (size,) = sizes
    held = {(kind, int(rank)) for kind, _, rank in found}
    missing = [f"{kind} of rank {rank}" for kind in _KINDS for rank in range(size) if (kind, rank) not in held]
    if missing or not (folder / "data.pt").is_file():
        raise NotFound(f"{folder}: is not whole, {(missing or ['data.pt'])[0]} is missing.")
    return size


def refuse_other_start(given: Given, stage: Stage, started: bool) -> None:
    """Raises TrainingError where verl would go on from what this run has not saved, or could not go on.

    `started`: whether the run's record says that it has started the stage before.
    """
    saved, where = saved_step(stage), f"{given.plan.identity}, {stage.name}"
    held = sorted(path.name for path in stage.checkpoints.glob("global_step_*"))
    if held and not started:
        raise TrainingError(
            f"{where}: {stage.checkpoints} holds {held[0]}, and this run has not started the stage; expected no "
            "checkpoints, since verl would silently go on from them. Move them away."
        )
    if saved > stage.last:
        raise TrainingError(
            f"{where}: {stage.checkpoints} is at rollout step {saved:,}, the stage ends with {stage.last:,}; expected "
            "no more, since verl would train nothing and say that all is well. Move the checkpoints away."
        )
    source = checkpoint(stage.checkpoints, saved) if saved else _before(given, stage)
    if source is not None:
        _refuse_other_width(given, where, source)


def _before(given: Given, stage: Stage) -> Path | None:
    number = given.stages.index(stage)
    return given.stages[number - 1].end if number else None


def _refuse_other_width(given: Given, where: str, source: Path) -> None:
    try:
        size = world_size(source)
    except NotFound as error:
        raise TrainingError(f"{where}: cannot go on. {error} Move it away to go on from an earlier one.") from error
    if size != given.options.gpus:
        raise TrainingError(
            f"{where}: goes on from {source}, which {size:,} GPUs saved; {given.options.gpus:,} are asked for, and "
            f"verl cannot divide it anew. Give --nodes and --gpus-per-node that make {size:,}."
        )
