"""What the run would cost, from measured lengths and speed: a low estimate at those lengths, a high one at the caps.

How long responses become is what the run finds out; between the two lies every growth the length schedule allows.
"""

from dataclasses import dataclass
from typing import Any

from manifests.kinds.rl import RlManifest
from training.planning.shapes import ModelSize
from training.planning.sizes import COST_ASSUMPTION, flops_per_token, gpu_hours
from training.rl.schedule import cap_at, spans

# The cost model of sizes.py counts forward and backward together as 3 forwards (6 FLOPs a parameter and token).
FORWARD_SHARE = 1 / 3
UPDATE_ASSUMPTION = (
    "updates: forward and backward over prompts and responses, one forward more for the log-probabilities before them"
)


@dataclass(frozen=True)
class Pace:
    """What was measured."""

    response_tokens_mean: float
    prompt_tokens_mean: float
    tokens_per_s: float
    """Response tokens a second, sampled on this device."""


@dataclass(frozen=True)
class Amount:
    """What something takes at one length of responses."""

    response_tokens: float
    sampling_hours: float
    """On the device that was measured."""
    update_flops: float
    update_gpu_hours: float
    """Of H100s; see COST_ASSUMPTION."""

    def __add__(self, other: "Amount") -> "Amount":
        """Both together."""
        mine, theirs = vars(self), vars(other)
        return Amount(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True)
class SpanCost:
    """The rollout steps that have one cap."""

    first: int
    last: int
    cap: int
    step_low: Amount
    """Of one rollout step."""
    step_high: Amount
    low: Amount
    """Of all of them."""
    high: Amount


@dataclass(frozen=True)
class RunCost:
    """What the whole run takes."""

    spans: list[SpanCost]
    validations: int
    validation_low: Amount
    validation_high: Amount
    reference: bool
    """Whether the checkpoint's log-probabilities are needed too, for the KL loss."""

    @property
    def low(self) -> Amount:
        """If responses stay as long as they are."""
        return sum((span.low for span in self.spans), self.validation_low)

    @property
    def high(self) -> Amount:
        """If every response reaches the cap."""
        return sum((span.high for span in self.spans), self.validation_high)


def estimate_run(manifest: RlManifest, size: ModelSize, pace: Pace, validation_problems: int = 0) -> RunCost:
    """The cost of a run of `manifest` with a model of this size; `validation_problems` are asked at each validation."""
    reference = manifest.policy.kl_coefficient > 0
    asked = [cap_at(manifest.rollout.length_schedule, step) for step in validation_steps(manifest)]
    none = _amount(0, 0.0, size, pace, reference, updates=False)
    low = [_amount(validation_problems, _low(pace, cap), size, pace, reference, updates=False) for cap in asked]
    high = [_amount(validation_problems, cap, size, pace, reference, updates=False) for cap in asked]
    return RunCost(
        spans=[
            _span(manifest, size, pace, reference, span.first, span.last or span.first, span.cap)
            for span in spans(manifest.rollout.length_schedule, manifest.rollout_steps)
        ],
        validations=len(asked) if validation_problems else 0,
        validation_low=sum(low, none),
        validation_high=sum(high, none),
        reference=reference,
    )


def validation_steps(manifest: RlManifest) -> list[int]:
    """The rollout steps after which validation sets are asked; 0 is before the first."""
    if manifest.validation is None:
        return []
    every = manifest.validation.every_rollout_steps
    return sorted({*range(0, manifest.rollout_steps + 1, every), manifest.rollout_steps})


def cost_lines(cost: RunCost, device: str) -> list[str]:
    """The estimate and what it assumes, in lines; `device` is what sampling was measured on."""
    low, high = cost.low, cost.high
    lines = [
        f"rollout steps {span.first:,} to {span.last:,}, cap {span.cap:,}: {_tokens(span.step_low)} to "
        f"{_tokens(span.step_high)} response tokens each, {_tokens(span.low)} to {_tokens(span.high)} in all"
        for span in cost.spans
    ]
    if cost.validations:
        lines.append(
            f"{cost.validations:,} validations: {_tokens(cost.validation_low)} to {_tokens(cost.validation_high)} "
            "response tokens"
        )
    reference = ", and one for those of the checkpoint (KL loss)" if cost.reference else ""
    return [
        *lines,
        f"in all {_tokens(low)} response tokens if they stay as long as now, at most {_tokens(high)} if all reach the "
        f"cap: {_hours(low.sampling_hours)} to {_hours(high.sampling_hours)} of sampling at the measured speed on "
        f"{device} with transformers (an inference engine is faster)",
        f"{UPDATE_ASSUMPTION}{reference}: {low.update_flops:.2g} to {high.update_flops:.2g} FLOPs, "
        f"{low.update_gpu_hours:,.3g} to {high.update_gpu_hours:,.3g} GPU-hours. {COST_ASSUMPTION}",
    ]


def cost_record(cost: RunCost) -> dict[str, Any]:
    """The estimate as JSON values."""
    amounts = ("step_low", "step_high", "low", "high")
    return {
        "spans": [vars(span) | {name: vars(getattr(span, name)) for name in amounts} for span in cost.spans],
        "validations": cost.validations,
        "validation_low": vars(cost.validation_low),
        "validation_high": vars(cost.validation_high),
        "low": vars(cost.low),
        "high": vars(cost.high),
        "assumptions": [UPDATE_ASSUMPTION, COST_ASSUMPTION],
    }


def _span(
    manifest: RlManifest, size: ModelSize, pace: Pace, reference: bool, first: int, last: int, cap: int
) -> SpanCost:
    each, steps = manifest.rollout.prompts_per_step * manifest.rollout.responses_per_prompt, last - first + 1
    low, high = _low(pace, cap), float(cap)
    return SpanCost(
        first=first,
        last=last,
        cap=cap,
        step_low=_amount(each, low, size, pace, reference),
        step_high=_amount(each, high, size, pace, reference),
        low=_amount(each * steps, low, size, pace, reference),
        high=_amount(each * steps, high, size, pace, reference),
    )


def _low(pace: Pace, cap: int) -> float:
    return min(pace.response_tokens_mean, float(cap))


def _amount(
    responses: int, tokens: float, size: ModelSize, pace: Pace, reference: bool, updates: bool = True
) -> Amount:
    """What `responses` of `tokens` take; `updates` says whether they are trained on."""
    length = pace.prompt_tokens_mean + tokens
    each = flops_per_token(size, round(length)) * (1 + FORWARD_SHARE * (1 + reference))
    trained = responses * length if updates else 0.0
    return Amount(
        response_tokens=responses * tokens,
        sampling_hours=responses * tokens / pace.tokens_per_s / 3600,
        update_flops=trained * each,
        update_gpu_hours=gpu_hours(round(trained), each),
    )


def _tokens(amount: Amount) -> str:
    """Such as `1.3M`."""
    number = amount.response_tokens
    for unit, size in (("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def _hours(hours: float) -> str:
    """Such as `40 s`, `12 min`, `3.5 hours` or `120 hours (5.0 days)`."""
    for unit, size in (("s", 1 / 3600), ("min", 1 / 60)):
        if hours < 100 * size:
            return f"{hours / size:.3g} {unit}"
    return f"{hours:,.3g} hours" + (f" ({hours / 24:,.1f} days)" if hours >= 48 else "")
