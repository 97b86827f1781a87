"""The finished policy as a Hugging Face folder with a card that says where it comes from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from training.export import card_text
from training.folders import atomic_folder
from training.rl.grpo.checkpoint import State, write_model
from training.rl.run import RlRun

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def write_export(run: RlRun, model: "PreTrainedModel", state: State, validation: Mapping[str, float]) -> None:
    """Writes the run's export: weights in its precision, the checkpoint's own tokenizer, README.md."""
    import torch

    dtype = getattr(torch, run.plan.manifest.precision)
    with atomic_folder(run.export) as temporary:
        write_model(model, run.plan.checkpoint.path, temporary, dtype)
        (temporary / "README.md").write_text(rl_card(run, state, validation), "utf-8")


def rl_card(run: RlRun, state: State, validation: Mapping[str, float]) -> str:
    """README.md: run, checkpoint, prompts, template, reward, lengths, steps, what came out."""
    origin = "Trained by reinforcement learning (GRPO) with OctoCorpus."
    card = card_text(run.identity, origin, dict(_facts(run, state, validation)))
    return f"{card}\n## Prompt\n\n{_quoted(run.plan.template_text)}\n"


def _facts(run: RlRun, state: State, validation: Mapping[str, float]) -> Sequence[tuple[str, Any]]:
    plan, manifest = run.plan, run.plan.manifest
    rollout = manifest.rollout
    reward = " + ".join(f"{term.weight:g} · {term.name}" for term in manifest.reward)
    lengths = ", ".join(f"{span.cap:,} from rollout step {span.first:,}" for span in plan.spans)
    return [
        ("run", run.identity),
        ("starts from", f"{plan.checkpoint.label} ({plan.checkpoint.digest})"),
        ("prompts", f"{manifest.prompts.corpus} ({plan.require_prompts().digest})"),
        ("template", manifest.prompts.template),
        ("reward", reward),
        ("longest response, tokens", lengths),
        ("rollout steps", f"{state.rollout_step:,} of {rollout.prompts_per_step:,} prompts with "
                          f"{rollout.responses_per_prompt} responses"),
        ("optimizer steps", f"{state.step:,}"),
        ("response tokens", f"{state.tokens:,}"),
        ("learning rate", f"{manifest.policy.learning_rate:g}, constant"),
        ("reward in the last rollout step", f"{state.reward:.4f}"),
        ("right in the last rollout step", f"{state.accuracy:.2%}"),
        *[(f"right on {name}, not trained on", f"{accuracy:.2%}") for name, accuracy in validation.items()],
        ("weights", manifest.precision),
        ("fingerprint", state.fingerprint),
    ]  # fmt: skip


def _quoted(text: str) -> str:
    """The text as a Markdown code block, by indentation: no text can end it."""
    return "\n".join(f"    {line}" for line in text.split("\n"))
