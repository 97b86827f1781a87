"""The responses of a rollout step or a validation, whole: verl's dump, which has the texts, joined by `uid` with what
octo_verl's reward manager noted, which has lengths and judgements.

verl overwrites a dump when it samples a step again, and gives every response a new uid: so the notes that count are
those of the last attempt, and nothing has to be deleted. A group whose sampling or reward failed is in no dump; what
verl puts in its place has uids that begin with `pad`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.answers.check import Verdict
from classifiers.answers.rules import extract
from manifests.errors import InputError
from training.rl.health.jsonl import Notes, read_objects
from training.rl.responses import Response
from training.rl.rewards.compose import Judgement
from training.rl.rewards.signals import signals

PADDING = "pad"
_NOTED = {
    "prompt": str, "set": str, "prompt_tokens": int, "response_tokens": int, "max_response_tokens": int,
    "truncated": bool, "metrics": dict,
}  # fmt: skip


@dataclass(frozen=True)
class Sampled:
    """One response as verl sampled and rewarded it."""

    group: str  # the same for the responses to one prompt
    set: str  # the corpus, or the validation set
    prompt: str
    prompt_tokens: int
    tokens: int
    cap: int  # that the reward was told
    truncated: bool
    score: float  # that verl learned from
    metrics: Mapping[str, float]  # that the reward returned
    text: str
    truth: str

    @property
    def response(self) -> Response:
        """The response with its judgement as it was made: its numbers are noted, why is told from them and the text."""
        error = "the reward could not judge it; verl's log says why" if self.metrics.get("error") else None
        score, verdict = float(self.metrics["score"]), _verdict(self.text, self.metrics)
        judgement = Judgement(score, verdict, signals(self.text), self.truncated, error)
        return Response(self.prompt, self.text, self.truth, self.tokens, judgement)


@dataclass(frozen=True)
class Samples:
    """What a dump holds."""

    sampled: list[Sampled]
    padding: int  # empty responses that verl put in place of failed groups

    @property
    def groups(self) -> list[list[Response]]:
        """The responses to each prompt, in the order of the dump."""
        found: dict[str, list[Response]] = {}
        for sampled in self.sampled:
            found.setdefault(sampled.group, []).append(sampled.response)
        return list(found.values())


def dump_path(folder: Path, rollout_step: int) -> Path:
    """verl's dump of a rollout step, or of the validation after it."""
    return folder / f"{rollout_step}.jsonl"


def dump_lines(path: Path) -> int:
    """Whole lines in a dump so far; 0 where it is not there yet."""
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0


def read_samples(dumps: Path, rewards: Path, rollout_step: int) -> Samples:
    """The responses of one dump. Raises InputError for a file that is missing, damaged, or whose notes are."""
    path, known = dump_path(dumps, rollout_step), _read_notes(rewards, rollout_step)
    if not path.is_file():
        raise InputError(f"{path}: is not there; expected verl's dump of rollout step {rollout_step:,}.")
    sampled, padding = [], 0
    for where, line in read_objects(path, Notes()):
        uid, text, score = line.get("uid"), line.get("output"), line.get("score")
        if not (isinstance(uid, str) and isinstance(text, str)) or not isinstance(score, int | float):
            raise InputError(f"{where}: is no response that verl dumped; expected uid, output and score.")
        if uid.startswith(PADDING):
            padding += 1
        elif uid not in known:
            raise InputError(f"{where}: nothing is noted of {uid} in {rewards}; expected a note of every response.")
        else:
            sampled.append(_sampled(uid, text, float(score), str(line.get("gts")), known[uid]))
    return Samples(sampled, padding)


def _read_notes(folder: Path, rollout_step: int) -> dict[str, Mapping[str, Any]]:
    known: dict[str, Mapping[str, Any]] = {}
    for path in sorted(folder.glob(f"{rollout_step:08d}-*.jsonl")):
        for where, note in read_objects(path, Notes()):
            wrong = [name for name, kind in _NOTED.items() if type(note.get(name)) is not kind]
            if wrong or not isinstance(note.get("uid"), str) or not _is_number(note["metrics"].get("score")):
                raise InputError(
                    f"{where}: is no note of a reward; its {', '.join(wrong) or 'uid or score'} is not as expected."
                )
            known[note["uid"]] = note
    return known


def _sampled(uid: str, text: str, score: float, truth: str, note: Mapping[str, Any]) -> Sampled:
    return Sampled(
        group=uid.rsplit("_", 2)[0],
        set=note["set"],
        prompt=note["prompt"],
        prompt_tokens=note["prompt_tokens"],
        tokens=note["response_tokens"],
        cap=note["max_response_tokens"],
        truncated=note["truncated"],
        score=score,
        metrics=note["metrics"],
        text=text,
        truth=truth,
    )


def _verdict(text: str, metrics: Mapping[str, float]) -> Verdict:
    """An answer that was too long is told as wrong, one that took too much memory as a timeout: so it was noted."""
    answer = extract(text, "box")
    if metrics.get("correct"):
        return Verdict(True, "right", answer)
    if metrics.get("error") or metrics.get("timeout"):
        return Verdict(False, "error" if metrics.get("error") else "timeout", answer)
    return Verdict(False, "no_box" if answer is None else "wrong" if answer.strip() else "empty", answer)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
