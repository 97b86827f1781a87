"""The health of runs from what they left behind: the same watch, fed with the same lines in the same order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import NotFound
from manifests.layout import DataFolder
from training.rl.health.alarm import STOP, WARN, Alarm, worst
from training.rl.health.examples import name_of
from training.rl.health.sources import Source, sources
from training.rl.health.stages import Schedules, parse_schedules
from training.rl.health.watch import HealthWatch

HEALTHY = "healthy"
COLUMNS = ["run", "verdict", "rollout_step", "evaluations", "rollouts", "warned_at", "stop_at", "rules"]

# What each rule needs to judge: one of these sets of keys, in one line.
NEEDS: dict[str, tuple[set[str], ...]] = {
    "accuracy_collapse": ({"accuracy"},),
    "cap_saturation, never_learning": (
        {"truncated"}, {"cap", "response_tokens_mean"}, {"cap", "correct_tokens_mean"},
    ),
    "repetition": ({"repetition", "responses"},),
    "early_box": ({"early_box", "responses"},),
    "no_gradient": ({"groups", "groups_all_right", "groups_all_wrong"},),
    "entropy": ({"entropy"},),
    "kl": ({"kl"},),
    "probability_gap": ({"probability_gap"},),
    "reward_errors": ({"error"},),
    "reward_timeouts": ({"timeout"},),
    "lost_responses": ({"responses"}, {"lost_responses"}),
}  # fmt: skip


@dataclass(frozen=True)
class RunHealth:
    """One run: the worst level of its alarms, the alarms in order, and what could not be judged."""

    run: str
    verdict: str
    alarms: tuple[Alarm, ...]
    rollout_step: int
    """The last one that was seen."""
    evaluations: int
    """Rollout steps that were validated."""
    rollouts: int
    """Rollout lines."""
    not_judged: tuple[str, ...]
    """Rules without data."""
    notes: tuple[str, ...]
    """What was left out of the input, counted."""

    @property
    def row(self) -> list[Any]:
        """In the order of COLUMNS."""
        rules = list(dict.fromkeys(alarm.rule for alarm in self.alarms))
        return [
            self.run, self.verdict, self.rollout_step, self.evaluations, self.rollouts,
            self._first(WARN), self._first(STOP), ", ".join(rules) or None,
        ]  # fmt: skip

    def _first(self, level: str) -> int | None:
        return min((alarm.rollout_step for alarm in self.alarms if alarm.level == level), default=None)


def health_of(where: str, data: DataFolder, schedules: Sequence[str] = ()) -> list[RunHealth]:
    """The health of `where`: NAME[@VERSION] of a run in the data folder, or a folder or file of logs or curves.

    `schedules` are texts such as `0:2048,100:4096` or `rl2.4k=0:2048,100:4096`. Raises NotFound or InputError.
    """
    return check_health(_place(where, data), parse_schedules(schedules))


def check_health(path: Path, schedules: Schedules | None = None) -> list[RunHealth]:
    """The health of every run in a folder or file."""
    schedules, found = schedules or Schedules(None, {}), sources(path)
    schedules.refuse_unused([source.run for source in found])
    return [_judge(source, schedules) for source in found]


def details(found: Sequence[RunHealth]) -> str:
    """Every alarm with its evidence, examples and remedy, and what was left out or could not be judged; plain text."""
    parts = [_alarm_text(alarm) for health in found for alarm in health.alarms]
    parts += [f"left out: {note}" for note in dict.fromkeys(note for health in found for note in health.notes)]
    unjudged = dict.fromkeys(health.not_judged for health in found if health.not_judged)
    parts += [f"not judged, for want of data: {', '.join(rules)}" for rules in unjudged]
    return "\n".join(parts)


def _alarm_text(alarm: Alarm) -> str:
    lines = [f"{alarm.run}: {alarm.level} at rollout step {alarm.rollout_step:,}: {alarm.rule}", f"  {alarm.evidence}"]
    lines += [f"  example: {example}" for example in alarm.examples]
    return "\n".join([*lines, f"  What to do: {alarm.remedy}"])


def _place(where: str, data: DataFolder) -> Path:
    """The folder of a run, where there is one of this name, else the path."""
    from manifests.versions import newest

    path = Path(where)
    if path.exists():
        return path
    try:
        return data.run(newest(data, "runs", where))
    except NotFound as error:
        raise NotFound(f"{name_of(where)}: is neither a run of {data.root} nor a file or folder. {error}") from error


def _judge(source: Source, schedules: Schedules) -> RunHealth:
    stages = schedules.of(source.run)
    watch, seen, alarms = HealthWatch(stages, source.run), _Seen(), list[Alarm]()
    for line in source.lines(stages):
        seen.add(line)
        alarms += watch.observe(line, _reader(source, line["rollout_step"]))
    alarms += watch.finish()
    return RunHealth(
        name_of(source.run), worst([alarm.level for alarm in alarms]) or HEALTHY, tuple(alarms), seen.rollout_step,
        seen.evaluations, seen.rollouts, seen.not_judged(bool(stages)), tuple(source.notes.lines),
    )  # fmt: skip


def _reader(source: Source, rollout_step: int) -> Callable[[], Iterable[dict[str, Any]]] | None:
    read = source.responses
    return (lambda: read(rollout_step)) if read else None


class _Seen:
    """What the lines of a run held."""

    def __init__(self) -> None:
        self.rollout_step = self.evaluations = self.rollouts = 0
        self._validated = -1
        self._keys: set[str] = set()

    def add(self, line: dict[str, Any]) -> None:
        self.rollout_step = line["rollout_step"]
        if "set" not in line:
            self.rollouts += 1
        elif line["rollout_step"] != self._validated:
            self.evaluations += 1
            self._validated = line["rollout_step"]
        self._keys |= {key for key, value in line.items() if value is not None}

    def not_judged(self, staged: bool) -> tuple[str, ...]:
        keys = self._keys | ({"cap"} if staged else set())
        return tuple(rule for rule, needs in NEEDS.items() if not any(need <= keys for need in needs))
