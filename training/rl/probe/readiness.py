"""The readiness probe: a few problems, several responses each, judged as in training, before budget is spent.

The problems are the same every time (those whose ids have the smallest digests), so that checkpoints, templates and
caps can be compared, problem by problem.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from manifests.kinds.rl import RlManifest
from manifests.terminal import Progress
from training.planning.shapes import ModelSize
from training.planning.sizes import checkpoint_size
from training.rl.probe.advice import Finding, advise, verdict
from training.rl.probe.estimate import Pace, RunCost, estimate_run
from training.rl.probe.measures import Measures, accuracies, measure
from training.rl.probe.settings import Sampled, Sampling
from training.rl.probe.subject import Options, Row, Subject, chosen_rows, chosen_templates, sampling_of
from training.rl.prompts.templates import render
from training.rl.responses import Response
from training.rl.rewards.compose import Length, Reward

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Asked:
    """The responses under one template; one group a problem, in the same order for every template."""

    template: str
    groups: list[list[Response]]
    levels: list[str | None]
    """Of the problems."""
    prompt_tokens_mean: float
    wall_s: float
    """Of sampling alone."""
    measures: Measures

    @property
    def tokens_per_s(self) -> float:
        """Response tokens a second, padding not counted."""
        return sum(response.tokens for group in self.groups for response in group) / max(self.wall_s, 1e-9)

    @property
    def accuracies(self) -> list[float]:
        """Of each problem."""
        return accuracies(self.groups)

    def by_level(self) -> dict[str, Measures]:
        """Level → measures, sorted, where problems have levels."""
        levels = sorted({level for level in self.levels if level is not None}, key=_in_order)
        return {level: measure(self._of(level), self.measures.mixed_k) for level in levels}

    def _of(self, level: str) -> list[list[Response]]:
        return [group for group, own in zip(self.groups, self.levels, strict=True) if own == level]


@dataclass(frozen=True)
class Readiness:
    """What the probe found; the first of `asked` is the manifest's template."""

    subject: Subject
    sampling: Sampling
    size: ModelSize
    device: str
    """Its name."""
    precision: str
    asked: tuple[Asked, ...]

    @property
    def own(self) -> Asked:
        """What the manifest's template gave."""
        return self.asked[0]

    @property
    def first_cap(self) -> int:
        """The cap that training begins with; tokens."""
        return self.subject.manifest.rollout.length_schedule[0].max_response_tokens

    @cached_property
    def cost(self) -> RunCost:
        """What the run would cost, from these lengths and this speed."""
        pace = Pace(self.own.measures.lengths.mean, self.own.prompt_tokens_mean, self.own.tokens_per_s)
        return estimate_run(self.subject.manifest, self.size, pace, self.subject.validation_problems)

    @cached_property
    def findings(self) -> list[Finding]:
        """What speaks against beginning, the gravest first."""
        compared = {asked.template: asked.accuracies for asked in self.asked}
        return advise(self.own.measures, compared, self.sampling.max_response_tokens, self.subject.manifest)

    @property
    def verdict(self) -> str:
        """`ready`, `doubtful` or `not ready`."""
        return verdict(self.findings)


def probe(subject: Subject, options: Options) -> Readiness:
    """Samples the checkpoint under each template, judges the responses and measures them.

    Temperature, top-p, seed, reward and template are the manifest's. On CUDA the weights are in the manifest's
    precision; on the CPU in float32, where bfloat16 would be slower and less exact. Whatever cannot be sampled is
    refused before the first response: TrainingError or InputError.
    """
    from training.local.model import choose_device, device_name, load_model, move
    from training.rl.probe.loading import load_policy_tokenizer, with_precision

    rows, templates = chosen_rows(subject, options.problems), chosen_templates(subject.manifest, options.templates)
    sampling, device = sampling_of(subject.manifest, options), choose_device(options.device)
    size, tokenizer = checkpoint_size(subject.checkpoint), load_policy_tokenizer(subject.tokenizer)
    precision = subject.manifest.precision if device.type == "cuda" else "float32"
    model = move(with_precision(load_model(subject.checkpoint), precision), device)
    questions = [_question(subject.manifest, rows, template, model, tokenizer, sampling) for template in templates]
    progress = Progress("probe", len(rows) * len(templates), "prompts")
    asked = tuple(
        _ask(subject.manifest, rows, question, sampling, progress, number * len(rows))
        for number, question in enumerate(questions)
    )
    progress.finish(len(rows) * len(templates))
    return Readiness(subject, sampling, size, device_name(device), precision, asked)


@dataclass(frozen=True)
class _Question:
    """A template's prompts, and the responses to come."""

    template: str
    prompt_tokens_mean: float
    responses: Iterator[list[Sampled]]


def _question(
    manifest: RlManifest,
    rows: list[Row],
    template: str,
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    sampling: Sampling,
) -> _Question:
    from training.rl.probe.encoding import prompt_ids
    from training.rl.probe.sampling import sample

    prompts = [_prompt(row, template, manifest) for row in rows]
    tokens = sum(map(len, prompt_ids(tokenizer, prompts)))
    return _Question(template, tokens / len(prompts), sample(model, tokenizer, prompts, sampling))


def _prompt(row: Row, template: str, manifest: RlManifest) -> str:
    if template == manifest.prompts.template:
        return str(row["prompt"][0]["content"])  # as it is trained on
    return render(template, manifest.templates, row["extra_info"]["problem"])


def _ask(
    manifest: RlManifest, rows: list[Row], question: _Question, sampling: Sampling, progress: Progress, before: int
) -> Asked:
    started, sampled = time.monotonic(), []
    for group in question.responses:
        sampled.append(group)
        progress.show(before + len(sampled))
    wall_s = time.monotonic() - started
    groups = _judged(rows, sampled, manifest, sampling.max_response_tokens)
    measures = measure(groups, manifest.rollout.responses_per_prompt)
    levels = [row["extra_info"].get("level") for row in rows]
    return Asked(question.template, groups, levels, question.prompt_tokens_mean, wall_s, measures)


def _judged(rows: list[Row], sampled: list[list[Sampled]], manifest: RlManifest, cap: int) -> list[list[Response]]:
    reward = Reward([term.model_dump() for term in manifest.reward])
    return [[_response(reward, row, one, cap) for one in group] for row, group in zip(rows, sampled, strict=True)]


def _response(reward: Reward, row: Row, one: Sampled, cap: int) -> Response:
    truth = row["reward_model"]["ground_truth"]
    judgement = reward.judge(one.text, truth, Length(one.tokens, cap, one.truncated))
    return Response(row["extra_info"]["id"], one.text, truth, one.tokens, judgement)


def _in_order(level: str) -> str:
    """A key that puts `Level 10` behind `Level 9`."""
    return re.sub(r"\d+", lambda number: number[0].zfill(12), level)
