"""What a person may point at, as runs of lines: a run of ours or its files, verl's logs and dumps, a CSV of curves."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests.errors import InputError, NotFound
from manifests.kinds.rl import LengthStage
from training.rl.health.curves import read_curves
from training.rl.health.jsonl import Notes, read_objects
from training.rl.health.lines import Line, is_our_line, read_lines, read_logs
from training.rl.health.responses import line_of, read_responses, responses_file, step_of
from training.rl.verl.log import (
    ROLLOUTS_FOLDER,
    VerlFacts,
    dumps_in,
    is_rollout,
    is_verl_dump,
    is_verl_line,
    read_verl_dump,
    read_verl_metrics,
)

GRPO = "grpo"
VERL_LOG = re.compile(r"metrics-\d+\.jsonl")
EXPECTED = (
    "expected metrics.jsonl or validation.jsonl of a run, verl's file log or dumps, files of responses, or a CSV of "
    "curves"
)

Responses = Callable[[int], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Source:
    """One run: its lines in order, read when they are wanted, and where the responses of a rollout step are."""

    run: str
    lines: Callable[[Sequence[LengthStage] | None], Iterable[Line]]
    responses: Responses | None = None
    notes: Notes = field(default_factory=Notes)


def sources(path: Path) -> list[Source]:
    """The runs in a folder or file. Raises NotFound or InputError for what holds none."""
    if path.is_dir():
        return [_folder(path)]
    if not path.is_file():
        raise NotFound(f"{path}: there is no such file or folder; {EXPECTED}.")
    return _jsonl(path) if _is_json(path) else _curves(path)


def _folder(folder: Path) -> Source:
    for inside in (folder / GRPO, folder):
        if any((inside / f"{name}.jsonl").exists() for name in ("metrics", "validation")):
            return _logs(folder.name, inside)
    if logs := _verl_logs(folder):
        return _verl_chain(folder.name, logs)
    if dumps := dumps_in(folder):
        return _dumps(folder, dumps)
    if files := sorted(folder.glob("*.jsonl.gz"), key=step_of):
        return _response_files(folder, files)
    raise InputError(f"{folder}: holds nothing to judge; {EXPECTED}.")


def _logs(run: str, folder: Path) -> Source:
    notes = Notes()
    return Source(run, lambda stages: read_logs(folder, notes), _ours(folder / "responses", notes), notes)


def _jsonl(path: Path) -> list[Source]:
    first = next((line for _, line in read_objects(path, Notes())), {})
    if is_our_line(first):
        notes = Notes()
        responses = _ours(path.parent / "responses", notes)
        return [Source(path.name, lambda stages: read_lines(path, notes), responses, notes)]
    if is_verl_line(first):
        return [_verl_chain(path.name, [path])]
    if is_verl_dump(first):
        return [_dumps(path, [path])]
    if "text" in first and "rollout_step" in first:
        return [_response_files(path, [path])]
    raise InputError(f"{path}: its first line has the keys {', '.join(first)[:200] or 'of nothing'}; {EXPECTED}.")


def _curves(path: Path) -> list[Source]:
    notes = Notes()
    return [_curve(run, lines, notes) for run, lines in read_curves(path, notes).items()]


def _curve(run: str, lines: list[Line], notes: Notes) -> Source:
    return Source(run, lambda stages: lines, notes=notes)


def _ours(folder: Path, notes: Notes) -> Responses | None:
    """Reads the responses of a rollout step, or of the last one before it that was kept."""

    def read(rollout_step: int) -> Iterator[dict[str, Any]]:
        kept = [path for path in folder.glob("*.jsonl.gz") if step_of(path) <= rollout_step]
        wanted = responses_file(folder, rollout_step)
        path = wanted if wanted in kept else max(kept, default=None)
        return read_responses(path, notes) if path else iter(())

    return read if folder.is_dir() else None


def _response_files(path: Path, files: list[Path]) -> Source:
    """Responses alone: their lines are what they say together."""
    notes = Notes()

    def lines(stages: Sequence[LengthStage] | None) -> Iterator[Line]:
        return (line_of(step_of(file), read_responses(file, notes)) for file in files)

    return Source(path.name, lines, _ours(files[0].parent, notes), notes)


def _dumps(path: Path, dumps: list[Path]) -> Source:
    notes = Notes()
    folder = dumps[0].parent

    def lines(stages: Sequence[LengthStage] | None) -> Iterator[Line]:
        return (line_of(step_of(dump), read_verl_dump(dump, notes)) for dump in dumps)

    return Source(path.name, lines, _verl_responses([folder], notes), notes)


def _verl_chain(run: str, logs: list[Path]) -> Source:
    """verl's logs, one after the other, each up to the first rollout step of the next: a resumed run samples anew."""
    notes = Notes()

    def lines(stages: Sequence[LengthStage] | None) -> Iterator[Line]:
        facts = VerlFacts(stages)
        ends = [_first_rollout(log) for log in logs[1:]] + [2**62]
        for log, end in zip(logs, ends, strict=True):
            yield from (line for line in read_verl_metrics(log, facts, notes) if line["rollout_step"] < end)

    return Source(run, lines, _verl_responses([log.parent / ROLLOUTS_FOLDER for log in logs], notes), notes)


def _first_rollout(log: Path) -> int:
    records = (
        record for _, record in read_objects(log, Notes()) if is_verl_line(record) and is_rollout(record["data"])
    )
    return min((record["step"] for record in records if isinstance(record["step"], int)), default=2**62)


def _verl_responses(folders: list[Path], notes: Notes) -> Responses | None:
    def read(rollout_step: int) -> list[dict[str, Any]]:
        found = [path for folder in folders for path in dumps_in(folder) if int(path.stem) <= rollout_step]
        return read_verl_dump(max(found, key=lambda path: int(path.stem)), notes) if found else []

    return read if any(folder.is_dir() for folder in folders) else None


def _verl_logs(folder: Path) -> list[Path]:
    """metrics-001.jsonl and so on, in the folder, its stages, or `verl/` of a run, in the order of their making."""
    for pattern in ("*.jsonl", "*/*.jsonl", "verl/*/*.jsonl"):
        if found := [path for path in folder.glob(pattern) if VERL_LOG.fullmatch(path.name)]:
            return sorted(found, key=_numbers)
    return []


def _numbers(path: Path) -> list[int]:
    """stage-10/metrics-002.jsonl comes after stage-9."""
    return [int(digits) for digits in re.findall(r"\d+", f"{path.parent.name}/{path.name}")]


def _is_json(path: Path) -> bool:
    from manifests.records import open_unpacked

    with open_unpacked(path) as file:
        try:
            return file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
        except (OSError, EOFError) as error:
            raise InputError(f"{path}: cannot be read ({error}); expected a whole file.") from error
