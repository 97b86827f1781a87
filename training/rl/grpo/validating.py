"""Accuracy on problems that are never trained on, by the same sampler and the same reward as training."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from manifests.kinds.rl import RlManifest
from training.rl.grpo.fit import Fit, sample_at_once
from training.rl.grpo.judging import judge
from training.rl.grpo.rows import Row
from training.rl.probe.sampling import sample
from training.rl.probe.settings import Sampling
from training.rl.responses import Response, summarise
from training.rl.rewards.compose import Length, Reward
from training.rl.schedule import cap_at

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOLD = ("accuracy", "correct", "boxed", "truncated", "repetition", "response_tokens_mean", "correct_tokens_mean")


class Validator:
    """Measures a policy on the validation sets of a run, any number of times with the same draws."""

    def __init__(self, manifest: RlManifest, rows: Sequence[Row], reward: Reward, fit: Fit) -> None:
        self._manifest, self._rows, self._reward, self._fit = manifest, rows, reward, fit

    def lines(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        rollout_step: int,
        step: int,
        but: Sequence[str] = (),
    ) -> Iterator[dict[str, Any]]:
        """One line of validation.jsonl a set, as it is measured; those in `but` are left out."""
        for name in dict.fromkeys(row.source for row in self._rows):
            if name not in but:
                rows = [row for row in self._rows if row.source == name]
                yield self._line(name, rows, self._responses(model, tokenizer, rows, rollout_step), rollout_step, step)

    def _responses(
        self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", rows: Sequence[Row], rollout_step: int
    ) -> list[Response]:
        settings = self._sampling(rollout_step)
        answers = sample(model, tokenizer, [row.text for row in rows], settings)
        return [
            judge(self._reward, row, one.text, Length(one.tokens, settings.max_response_tokens, one.truncated))
            for row, (one,) in zip(rows, answers, strict=True)
        ]

    def _sampling(self, rollout_step: int) -> Sampling:
        manifest, cap = self._manifest, cap_at(self._manifest.rollout.length_schedule, rollout_step)
        assert manifest.validation is not None  # there are rows
        return Sampling(
            max_response_tokens=cap,
            temperature=manifest.validation.temperature,
            top_p=manifest.rollout.top_p,
            responses=1,
            sequences_at_once=sample_at_once(manifest, cap, self._fit),
            seed=manifest.seed,
            precision=manifest.precision,
        )

    def _line(
        self, name: str, rows: Sequence[Row], responses: Sequence[Response], rollout_step: int, step: int
    ) -> dict[str, Any]:
        facts = summarise([[response] for response in responses])
        return {
            "rollout_step": rollout_step,
            "step": step,
            "set": name,
            "problems": len(rows),
            **{key: facts[key] for key in TOLD},
            "cap": cap_at(self._manifest.rollout.length_schedule, rollout_step),
        }
