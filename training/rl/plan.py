"""The plan of an RL run: what launch would use, from the files that are here, without torch and without writing.

A plan is complete where the checkpoint and the corpus of problems are here; until then it says what is missing and
shows the rest, so that a run can be planned before a byte is here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import NotFound, TrainingError
from manifests.kinds.fields import format_count
from manifests.kinds.rl import QUESTION, RlManifest
from manifests.layout import DataFolder
from manifests.load import Loaded
from manifests.records import write_record
from training.rl.checkpoint import Checkpoint, find_checkpoint
from training.rl.prompts.prepare import PromptSet, prepare_prompts
from training.rl.prompts.templates import render
from training.rl.prompts.tokenizer import PromptTokenizer, read_tokenizer
from training.rl.schedule import Span, spans

COLUMNS = [
    "first_rollout_step", "last_rollout_step", "max_response_tokens", "optimizer_steps", "responses",
    "most_response_tokens",
]  # fmt: skip


@dataclass(frozen=True)
class RlPlan:
    """What an RL run will do."""

    loaded: Loaded
    data: DataFolder
    checkpoint: Checkpoint
    prompts: PromptSet | None  # None: the corpus is not here yet
    notes: tuple[str, ...]

    @property
    def manifest(self) -> RlManifest:
        """The manifest of the run."""
        manifest: RlManifest = self.loaded.manifest
        return manifest

    @property
    def identity(self) -> str:
        """`name@version`."""
        return self.manifest.identity

    @property
    def spans(self) -> list[Span]:
        """The length schedule as spans of rollout steps."""
        return spans(self.manifest.rollout.length_schedule, self.manifest.rollout_steps)

    @property
    def optimizer_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.manifest.rollout_steps * self.manifest.optimizer_steps_per_rollout

    @property
    def template_text(self) -> str:
        """The prompt template, with `{question}` where the problem stands."""
        return render(self.manifest.prompts.template, self.manifest.templates, QUESTION)

    def require_prompts(self) -> PromptSet:
        """The prompts. Raises NotFound where their corpus is not here."""
        if self.prompts is None:
            raise NotFound(
                f"{self.identity}: the corpus {self.manifest.prompts.corpus} of its prompts is not in "
                f"{self.data.root / 'corpora'}. Run `octo corpus build` with its manifest."
            )
        return self.prompts

    def require_complete(self) -> None:
        """Raises NotFound unless checkpoint and prompts are here."""
        self.checkpoint.require()
        self.require_prompts()


def plan_rl(loaded: Loaded, data: DataFolder) -> RlPlan:
    """The plan of an RL manifest. Raises TrainingError with everything that would stop the launch."""
    checkpoint = find_checkpoint(loaded, data)
    tokenizer = read_tokenizer(checkpoint.path) if checkpoint.is_here else None
    prompts = _prompts(loaded, data, tokenizer)
    plan = RlPlan(loaded, data, checkpoint, prompts, ())
    if mistakes := _mistakes(plan):
        raise TrainingError("\n".join(f"rl {plan.identity}: {mistake}" for mistake in mistakes))
    return RlPlan(loaded, data, checkpoint, prompts, tuple(_notes(plan)))


def _prompts(loaded: Loaded, data: DataFolder, tokenizer: PromptTokenizer | None) -> PromptSet | None:
    if not (data.corpus(loaded.manifest.prompts.corpus) / "build.json").exists():
        return None
    return prepare_prompts(loaded, data, tokenizer)


def _mistakes(plan: RlPlan) -> list[str]:
    manifest, mistakes = plan.manifest, []
    if plan.prompts is not None and len(plan.prompts.train) < manifest.rollout.prompts_per_step:
        mistakes.append(
            f"{len(plan.prompts.train):,} prompts of {manifest.prompts.corpus} are left, a rollout step takes "
            f"{manifest.rollout.prompts_per_step:,}; expected at least one step's. Lower prompts_per_step, or build a "
            "larger corpus."
        )
    positions = plan.checkpoint.positions if plan.checkpoint.is_here else None
    needed = manifest.prompts.max_prompt_tokens + manifest.rollout.longest
    if positions is not None and needed > positions:
        mistakes.append(
            f"prompts of {manifest.prompts.max_prompt_tokens:,} tokens and responses of {manifest.rollout.longest:,} "
            f"need {needed:,} positions, {plan.checkpoint.label} has {positions:,}; expected at most as many. Lower "
            "max_prompt_tokens or the length schedule."
        )
    return mistakes


def _notes(plan: RlPlan) -> list[str]:
    notes = list(plan.prompts.notes) if plan.prompts else []
    if plan.prompts is None:
        notes.append(f"the corpus {plan.manifest.prompts.corpus} is not built; launch needs it")
    if not plan.checkpoint.is_here:
        notes.append(
            f"the checkpoint {plan.checkpoint.label} is not in {plan.checkpoint.path}; prompts were not measured in "
            "tokens, and launch needs it"
        )
    return notes


def plan_rows(plan: RlPlan) -> list[list[Any]]:
    """One row a stage of the length schedule, in the order of COLUMNS."""
    rollout = plan.manifest.rollout
    each = rollout.prompts_per_step * rollout.responses_per_prompt
    return [
        [span.first, span.last, span.cap, steps * plan.manifest.optimizer_steps_per_rollout, steps * each,
         steps * each * span.cap]
        for span in plan.spans
        for steps in [(span.last or span.first) - span.first + 1]
    ]  # fmt: skip


def summary(plan: RlPlan) -> list[str]:
    """The lines above the table: what is trained on what, how often, with which reward; the notes."""
    manifest, rollout = plan.manifest, plan.manifest.rollout
    reward = " + ".join(_term(term.name, term.weight) for term in manifest.reward)
    size = f", {plan.checkpoint.size.parameters:,} parameters" if plan.checkpoint.is_here else ""
    return [
        f"{plan.identity}: GRPO from {plan.checkpoint.label}{size}",
        *_prompt_lines(plan),
        f"{manifest.rollout_steps:,} rollout steps of {rollout.prompts_per_step:,} prompts with "
        f"{rollout.responses_per_prompt} responses, {manifest.optimizer_steps_per_rollout} optimizer steps each: "
        f"{plan.optimizer_steps:,} in all",
        f"reward: {reward}; template: {manifest.prompts.template}",
        *[f"note: {note}" for note in plan.notes],
    ]


def _term(name: str, weight: float) -> str:
    return name if weight == 1 else f"{weight:g} · {name}"


def _prompt_lines(plan: RlPlan) -> list[str]:
    if plan.prompts is None:
        return []
    wanted = plan.manifest.rollout_steps * plan.manifest.rollout.prompts_per_step
    count = len(plan.prompts.train)
    removed = ", ".join(f"{reason} {number:,}" for reason, number in plan.prompts.facts["train"]["removed"].items())
    lines = [
        f"{count:,} prompts of {plan.manifest.prompts.corpus}, each seen {wanted / count:.3g} times; removed: "
        f"{removed or 'none'}"
    ]
    sets = ", ".join(f"{name} {number:,}" for name, number in plan.prompts.validation_counts.items())
    return lines + ([f"validation: {sets}"] if sets else [])


def plan_record(plan: RlPlan) -> dict[str, Any]:
    """The plan as JSON values."""
    return {
        "identity": plan.identity,
        "checkpoint": plan.checkpoint.label,
        "template": plan.template_text,
        "stages": [dict(zip(COLUMNS, row, strict=True)) for row in plan_rows(plan)],
        "optimizer_steps": plan.optimizer_steps,
        "most_response_tokens": format_count(sum(row[-1] for row in plan_rows(plan))),
        "prompts": plan.prompts.facts if plan.prompts else None,
        "notes": list(plan.notes),
    }


def write_plan(plan: RlPlan, folder: Path) -> None:
    """Writes plan.json into `folder`, nothing else."""
    write_record(folder / "plan.json", plan_record(plan))
