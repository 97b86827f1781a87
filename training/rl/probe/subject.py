"""What is probed and how much is asked: the problems, the templates, the sampling. No torch needed."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import TrainingError
from manifests.kinds.rl import BUILT_IN_TEMPLATES, RlManifest
from training.rl.probe.settings import Sampling

Row = Mapping[str, Any]  # of train.parquet


@dataclass(frozen=True)
class Subject:
    """What is probed: the run that is planned, as far as it counts here."""

    manifest: RlManifest
    label: str
    """What a person calls the checkpoint."""
    checkpoint: Path
    tokenizer: Path
    """Folder of the tokenizer; the checkpoint's own, where it has one."""
    rows: Sequence[Row]
    """The prompts of training, with their truths."""
    validation_problems: int = 0
    """Problems asked at every validation, all sets together; for the cost."""


@dataclass(frozen=True)
class Options:
    """How much is asked, where."""

    problems: int = 32
    responses: int = 8
    cap: int | None = None
    """Longest response; tokens. None: the first cap of the length schedule."""
    templates: tuple[str, ...] = ()
    """Templates to compare with the manifest's, which is always asked."""
    device: str = "auto"
    sequences_at_once: int = 32


def chosen_rows(subject: Subject, count: int) -> list[Row]:
    """The rows whose ids have the smallest digests: the same every time, and the first of a larger choice."""
    if not subject.rows:
        raise TrainingError(
            f"rl {subject.manifest.identity}: has no prompts to probe with; expected at least one. `octo rl plan` says "
            "why they were removed."
        )
    return sorted(subject.rows, key=lambda row: hashlib.sha256(row["extra_info"]["id"].encode()).digest())[:count]


def chosen_templates(manifest: RlManifest, wanted: Iterable[str]) -> list[str]:
    """The manifest's template, then the others that are wanted. Raises TrainingError for an unknown one."""
    names, known = dict.fromkeys([manifest.prompts.template, *wanted]), [*BUILT_IN_TEMPLATES, *manifest.templates]
    for name in names:
        if name not in known:
            raise TrainingError(
                f"--template {name}: is no template; expected one of {', '.join(known)}. Write your own under "
                f"`templates` of {manifest.identity}."
            )
    return list(names)


def sampling_of(manifest: RlManifest, options: Options) -> Sampling:
    """How training samples in its first rollout step, with the probe's own numbers of responses."""
    return Sampling(
        max_response_tokens=options.cap or manifest.rollout.length_schedule[0].max_response_tokens,
        temperature=manifest.rollout.temperature,
        top_p=manifest.rollout.top_p,
        responses=options.responses,
        sequences_at_once=options.sequences_at_once,
        seed=manifest.seed,
    )
