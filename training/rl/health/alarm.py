"""What is raised when a run goes wrong, and how often: once when an episode begins, once more when it gets worse."""

from dataclasses import dataclass

WARN, STOP = "warn", "stop"
_SEVERITY = {None: 0, WARN: 1, STOP: 2}


@dataclass(frozen=True)
class Alarm:
    """One alarm: what was seen, at which rollout step, and what to do about it."""

    rule: str
    level: str
    """`warn`: look at the run. `stop`: nothing that follows will be worth its cost."""
    rollout_step: int
    evidence: str
    """In words, with the numbers; one line without control characters."""
    examples: tuple[str, ...] = ()
    """Up to three responses that show it, shortened, with control characters made visible."""
    remedy: str = ""
    run: str = ""


@dataclass(frozen=True)
class Finding:
    """What one rule sees in one place of a run; an Alarm comes of it if that is news."""

    level: str
    evidence: str


class Episodes:
    """One rule's alarms: told when one begins, once more if it escalates, then silent until the run has recovered."""

    def __init__(self, quiet_needed: int) -> None:
        self._quiet_needed = quiet_needed
        self._told: dict[str, str] = {}
        self._quiet: dict[str, int] = {}

    def is_news(self, stream: str, finding: Finding | None) -> bool:
        """Whether `finding` is worse than all that was told of the episode.

        Streams (training and validation) see the same trouble at different times; the first one to see it speaks.
        A stream's episode is over after `quiet_needed` judgements in a row without a finding.
        """
        if finding is None:
            self._quiet[stream] = self._quiet.get(stream, 0) + 1
            if self._quiet[stream] >= self._quiet_needed:
                self._told.pop(stream, None)
            return False
        told = max((_SEVERITY[level] for level in self._told.values()), default=0)
        self._quiet[stream] = 0
        self._told[stream] = max(finding.level, self._told.get(stream, WARN), key=lambda level: _SEVERITY[level])
        return _SEVERITY[finding.level] > told


def worst(levels: list[str]) -> str | None:
    """The most severe of some levels; None of none."""
    return max(levels, key=lambda level: _SEVERITY[level], default=None)
