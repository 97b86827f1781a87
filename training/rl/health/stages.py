"""Length schedules as a person types them: `0:2048,100:4096`, for every run or for those whose name holds a word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from manifests.errors import InputError
from manifests.kinds.fields import parse_count
from manifests.kinds.rl import LengthStage

EXPECTED = "expected FROM_ROLLOUT_STEP:TOKENS pairs, such as 0:2048,100:4096"


@dataclass(frozen=True)
class Schedules:
    """The schedules that were given: one for all runs, some for the runs whose names hold a word."""

    everywhere: list[LengthStage] | None
    by_word: dict[str, list[LengthStage]]

    def of(self, run: str) -> list[LengthStage] | None:
        """The schedule of a run; None where none was given. The longest word that its name holds decides."""
        words = [word for word in self.by_word if word in run]
        return self.by_word[max(words, key=len)] if words else self.everywhere

    def refuse_unused(self, runs: Sequence[str]) -> None:
        """Raises InputError for a word that no run's name holds: a schedule would be ignored."""
        for word in self.by_word:
            if not any(word in run for run in runs):
                shown = ", ".join(runs[:5]) + (f" and {len(runs) - 5:,} more" if len(runs) > 5 else "")
                raise InputError(f"--length-schedule {word}=…: no run's name holds {word!r}; runs: {shown}.")


def parse_stages(text: str) -> list[LengthStage]:
    """The stages of `0:2048,100:4096`; counts may be written `4K` (4,000). Raises InputError for anything else."""
    stages = [_stage(text, pair.strip()) for pair in text.split(",")]
    starts = [stage.from_rollout_step for stage in stages]
    if starts[0] != 0 or starts != sorted(set(starts)):
        raise InputError(f"{text!r}: the stages start at rollout steps {starts}; expected 0 first, then rising steps.")
    return stages


def parse_schedules(texts: Iterable[str]) -> Schedules:
    """Each text is `STAGES` or `WORD=STAGES`. Raises InputError where two are for the same runs."""
    schedules: dict[str, list[LengthStage]] = {}
    for text in texts:
        word, _, stages = text.rpartition("=")  # a run's name may hold `=`, stages do not
        if word in schedules:
            raise InputError(f"{text!r}: a second schedule for {word or 'every run'}; expected one. Leave one out.")
        schedules[word] = parse_stages(stages)
    return Schedules(schedules.pop("", None), schedules)


def _stage(text: str, pair: str) -> LengthStage:
    start, colon, tokens = pair.partition(":")
    try:
        if not colon or not start.strip().isdecimal():
            raise ValueError(f"{pair!r} is no pair")
        stage = LengthStage(from_rollout_step=int(start), max_response_tokens=parse_count(tokens.strip()))
    except ValueError as error:
        raise InputError(f"{text!r}: {_first_line(error)}; {EXPECTED}.") from error
    return stage


def _first_line(error: ValueError) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))} {e['input']!r}: {e['msg']}" for e in error.errors())
    return str(error)
