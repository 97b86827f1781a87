"""What stands in the way of a planned mixture, each with the single changes that would mend it."""

from fractions import Fraction

from manifests.errors import MixtureError
from manifests.kinds.fields import format_count
from mixtures.budget import most_steps, most_windows, rounded_down, rounded_up, shares
from mixtures.plan import Plan, SourcePlan


def require_feasible(plan: Plan) -> None:
    """Raises MixtureError with every problem of the plan, a line each."""
    _refuse(plan, [_no_window(plan, source) or _too_little(plan, source) for source in plan.sources])


def require_possible(plan: Plan) -> None:
    """Raises MixtureError with the problems that are certain before tokenizing: an estimate of tokens may be wrong."""
    certain = [
        _no_window(plan, source) or (_too_little(plan, source) if source.counts == "exact" else None)
        for source in plan.sources
    ]
    _refuse(plan, certain)


def _refuse(plan: Plan, problems: list[str | None]) -> None:
    lines = [f"mixture {plan.identity}: {problem}" for problem in problems if problem]
    if lines:
        raise MixtureError("\n".join(lines))


def _named(source: SourcePlan) -> str:
    return f"source {source.corpus}" + (f" where {source.where!r}" if source.where else "")


def _no_window(plan: Plan, source: SourcePlan) -> str | None:
    if not source.documents:
        return f"{_named(source)} selects no document; expected at least one. Widen its `where` or remove the source."
    if not source.windows:
        return (
            f"{_named(source)} gets none of the {plan.windows:,} windows at weight {source.weight:g}; expected at "
            f"least one. Raise its weight to {rounded_up(Fraction(1, plan.windows))} or raise the budget."
        )
    return None


def _too_little(plan: Plan, source: SourcePlan) -> str | None:
    most = most_windows(source.available_tokens, source.max_epochs, plan.window_tokens)
    if source.windows <= most:
        return None
    return (
        f"{_named(source)} needs {source.epochs:.2f} epochs, its max_epochs is {source.max_epochs:g} "
        f"({source.counts}: {source.available_tokens:,} tokens). "
        f"Any one of these mends it: {', or '.join(_mends(plan, source, most))}."
    )


def _mends(plan: Plan, source: SourcePlan, most: int) -> list[str]:
    mends = []
    if most:
        mends.append(f"lower its weight to {rounded_down(Fraction(most, plan.windows))}")
    needed = Fraction(source.windows * plan.window_tokens, source.available_tokens)
    mends.append(f"raise max_epochs to {rounded_up(needed)}")
    share = shares([other.weight for other in plan.sources])[plan.sources.index(source)]
    if steps := most_steps(most, share, plan.manifest.batch_windows):
        tokens = steps * plan.manifest.batch_windows * plan.manifest.sequence_length
        mends.append(f"lower the budget to {steps:,} steps ({format_count(tokens)} tokens)")
    return mends
