"""verl's own logs as our lines: its file logger (`trainer.logger=[file]`, JSONL) and its dumps of responses.

verl 0.9.1 writes `{"step": N, "data": {…}}` a rollout step, some ninety numbers under its own names, the validation of
the step among them; N = 0 holds the validation before training. `rollout_data_dir` gets a file a rollout step, N.jsonl,
with input, output, gts, score, step and uid of every response, without lengths. What octo_verl's reward manager notes
beside them, in `rewards/`, has lengths and all signals under the same uid, and is used where it is there.

`response_length/clip_ratio` compares with the width of the tensors, so under a schedule below that width it reads 0
however many responses are cut. `truncated` is therefore the notes', else the ratio where cap and width agree, else 0
where no response reached the cap, else None.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from manifests.kinds.rl import LengthStage
from training.rl.health.jsonl import Notes, read_objects
from training.rl.health.lines import Line, checked, in_order
from training.rl.health.responses import Response, checked_response, limited, line_of
from training.rl.schedule import cap_at

# verl's name → our key, the first that is there.
NAMES = {
    "critic/score/mean": "reward", "response_length/mean": "response_tokens_mean",
    "response_length/max": "response_tokens_max", "actor/pg_loss": "loss", "actor/lr": "learning_rate",
    "actor/grad_norm": "grad_norm", "actor/entropy": "entropy", "actor/entropy_loss": "entropy",
    "actor/kl_loss": "kl", "actor/reward_kl_penalty": "kl", "actor/pg_clipfrac": "clip_fraction",
    "training/rollout_probs_diff_mean": "probability_gap", "perf/throughput": "tokens_per_s",
    "timing_s/step": "wall_s", "training/rollout_failure/evicted_samples": "lost_responses",
}  # fmt: skip
# Numbers that verl logs and health has no use for.
UNUSED = re.compile(
    r"(actor|critic|global_seqlen|num_turns|perf|prompt_length|response|response_length|response_length_non_aborted|"
    r"rollout|rollout_corr|timing_per_token_ms|timing_s|tool_call_counts|training|training_infer_probs|"
    r"variance_proxy|spec_decode|val-core|val-aux)/"
)
VALIDATION = re.compile(r"val-(?:core|aux)/(?P<set>.+)/(?P<variable>[^/]+)/mean@\d+")
# Variables of a validation → our key: what octo_reward returns, and what others commonly do.
VARIABLES = {
    "acc": "accuracy", "correct": "accuracy", "boxed": "boxed", "truncated": "truncated", "repetition": "repetition",
    "response_tokens": "response_tokens_mean",
}  # fmt: skip
CAP = "max_response_tokens"
DIFFERENCE_IS_VALID = "training/rollout_probs_diff_valid"
NOTES_FOLDER, ROLLOUTS_FOLDER = "rewards", "rollouts"
SIGNALS_OF = 256  # responses of a step whose text is looked at where no notes are; chosen here, evenly spread


@dataclass(frozen=True)
class VerlFacts:
    """What a manifest says and verl's log does not; everything may be unknown."""

    stages: Sequence[LengthStage] | None = None
    width: int | None = None
    """`data.max_response_length`; left out, the largest cap of the stages."""
    steps_per_rollout: int = 1
    problems: Mapping[str, int] = field(default_factory=dict)
    """Problems of each validation set."""

    def cap(self, rollout_step: int) -> int | None:
        """The cap of a rollout step, never above the tensors' width; None where no schedule is known."""
        if not self.stages:
            return self.width
        cap = cap_at(self.stages, rollout_step)
        return min(cap, self.width) if self.width else cap

    @property
    def known_width(self) -> int | None:
        """The width of the tensors."""
        return self.width or (max(stage.max_response_tokens for stage in self.stages) if self.stages else None)


def read_verl_metrics(path: Path, facts: VerlFacts | None = None, notes: Notes | None = None) -> Iterator[Line]:
    """The rollout and validation lines of verl's file log, in order; a step's rollout comes first.

    Dumps in a folder `rollouts` beside the log fill in what the log leaves out: accuracy, groups, signals, truncation.
    Raises InputError with file and line.
    """
    facts, notes = facts or VerlFacts(), notes if notes is not None else Notes()
    yield from in_order(_placed_lines(path, facts, notes))


def read_verl_dumps(folder: Path, notes: Notes | None = None) -> Iterator[tuple[int, list[Response]]]:
    """(rollout step, its responses) of every dump in a folder, in order; one step is held at a time."""
    for path in dumps_in(folder):
        yield int(path.stem), read_verl_dump(path, notes if notes is not None else Notes())


def dumps_in(folder: Path) -> list[Path]:
    """verl's dumps N.jsonl in a folder, by rollout step."""
    return sorted((path for path in folder.glob("*.jsonl") if path.stem.isdecimal()), key=lambda path: int(path.stem))


def read_verl_dump(path: Path, notes: Notes) -> list[Response]:
    """The responses of one rollout step, with the notes of octo_verl's reward manager where there are any.

    Without notes a response is taken as correct where its score is above 0, as with every reward of ours, and the
    signals of SIGNALS_OF responses stand for all.
    """
    known = _reward_notes(path.parent.with_name(NOTES_FOLDER), int(path.stem), notes)
    dumped = list(limited(path, read_objects(path, notes)))
    every = max(1, len(dumped) // SIGNALS_OF)
    return [_response(where, dump, known, number % every == 0) for number, (where, dump) in enumerate(dumped)]


def is_verl_line(line: Line) -> bool:
    """Whether a JSON object is a line of verl's file logger."""
    return line.keys() == {"step", "data"} and isinstance(line["data"], dict)


def is_rollout(data: Mapping[str, Any]) -> bool:
    """Whether the numbers of a line are of a rollout step; the validation before training has none."""
    return "training/global_step" in data or "critic/score/mean" in data


def is_verl_dump(line: Line) -> bool:
    """Whether a JSON object is a response that verl dumped."""
    return {"input", "output", "score"} <= line.keys()


def _placed_lines(path: Path, facts: VerlFacts, notes: Notes) -> Iterator[tuple[str, Line]]:
    for where, record in read_objects(path, notes):
        if not is_verl_line(record) or not isinstance(record["step"], int):
            raise InputError(f"{where}: is no line of verl's file logger; expected a step, a whole number, and data.")
        step, data = record["step"], record["data"]
        for name in data.keys() - NAMES.keys():
            if not UNUSED.match(name):
                notes.add(f"unknown number {name[:60]!r} of verl")
        if is_rollout(data):
            yield checked(where, _rollout_line(path, step, data, facts, notes), notes)
        for line in _validation_lines(where, step, data, facts):
            yield checked(where, line, notes)


def _rollout_line(path: Path, step: int, data: dict[str, Any], facts: VerlFacts, notes: Notes) -> Line:
    line: Line = {"rollout_step": step, "step": step * facts.steps_per_rollout, "cap": facts.cap(step)}
    for name, key in NAMES.items():
        line[key] = line.get(key) if line.get(key) is not None else data.get(name)
    if data.get(DIFFERENCE_IS_VALID) == 0:
        line["probability_gap"] = None
    dump = path.parent / ROLLOUTS_FOLDER / f"{step}.jsonl"
    if dump.exists():
        told = line_of(step, read_verl_dump(dump, notes))
        line |= {key: value for key, value in told.items() if value is not None}
    if line.get("truncated") is None:
        line["truncated"] = _truncated(data, line["cap"], facts, notes)
    return line


def _truncated(data: dict[str, Any], cap: int | None, facts: VerlFacts, notes: Notes) -> float | None:
    """The share of responses that are cut at the cap of the step; None where the log cannot tell."""
    ratio, longest = data.get("response_length/clip_ratio"), data.get("response_length/max")
    if cap is None:
        notes.add("rollout step without a schedule: verl's clip ratio, against the width of its tensors, was taken")
        return ratio
    if cap == facts.known_width:
        return ratio
    return 0.0 if longest is not None and longest < cap else None


def _validation_lines(where: str, step: int, data: dict[str, Any], facts: VerlFacts) -> Iterator[Line]:
    """One line a set; `core` and `aux` together. Raises InputError for a set whose accuracy is not logged."""
    sets: dict[str, dict[str, Any]] = {}
    for name, value in data.items():
        if found := VALIDATION.fullmatch(name):
            sets.setdefault(found["set"], {})[found["variable"]] = value
    for name, values in sets.items():
        line: Line = {"rollout_step": step, "set": name, "problems": facts.problems.get(name)}
        line["cap"] = facts.cap(step) or values.get(CAP)
        for variable, key in VARIABLES.items():
            line[key] = line.get(key) if line.get(key) is not None else values.get(variable)
        if line["accuracy"] is None:
            raise InputError(
                f"{where}: the validation of {name!r} has {', '.join(sorted(values))[:200]}; expected acc or correct, "
                "the share of right answers. Return `acc` from the reward."
            )
        yield line


def _reward_notes(folder: Path, step: int, notes: Notes) -> dict[str, Response]:
    """uid → what the reward manager noted of a rollout response."""
    known: dict[str, Response] = {}
    for path in sorted(folder.glob(f"{step:08d}-*.jsonl")):
        for where, note in read_objects(path, notes):
            if not isinstance(note.get("uid"), str) or not isinstance(note.get("metrics"), dict):
                raise InputError(f"{where}: is no note of a reward; expected a uid and metrics.")
            known[note["uid"]] = note
    return known


def _response(where: str, dump: Response, known: Mapping[str, Response], look: bool) -> Response:
    text, uid = dump.get("output"), str(dump.get("uid") or "")
    parts = uid.rsplit("_", 2)  # {prompt}_{response}_{turn} in verl 0.9
    response: Response = {
        "rollout_step": dump.get("step"), "text": text, "truth": dump.get("gts"), "score": dump.get("score"),
        "prompt": parts[0] if len(parts) == 3 else str(dump.get("input")),
    }  # fmt: skip
    if note := known.get(uid):
        lengths = {"tokens": note.get("response_tokens"), "truncated": note.get("truncated")}
        return checked_response(where, {**response, **note["metrics"], **lengths})
    correct = next((dump[key] for key in ("acc", "correct") if dump.get(key) is not None), None)
    checked_response(where, response)
    response["correct"] = response["score"] is not None and response["score"] > 0 if correct is None else correct
    return checked_response(where, {**response, **(_signals(response["text"]) if look else {})})


def _signals(text: str) -> dict[str, float]:
    from dataclasses import asdict

    from training.rl.rewards.signals import signals

    return {name: float(value) for name, value in asdict(signals(text)).items() if name != "boxes"}
