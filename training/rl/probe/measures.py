"""What judged responses say about a checkpoint: shares with their uncertainty, pass@k, groups that teach, lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.rl.probe.estimators import Lengths, Share, lengths_of, mixed_at, pass_at, powers_up_to, share_of
from training.rl.responses import SHARES, Response, summarise


@dataclass(frozen=True)
class Measures:
    """Of some problems with equally many responses each. Shares are 0 to 1."""

    problems: int
    responses: int
    """In all."""
    boxed: Share
    accuracy: Share
    """Also pass@1."""
    pass_at: dict[int, Share]
    """k → the chance that one of k responses is right, for 1, 2, 4 … and all responses to a problem."""
    mixed: Share
    """Chance that a group of `mixed_k` responses has right and wrong ones: only those give GRPO a gradient."""
    mixed_k: int
    all_right: float
    """Share of problems whose responses were all right."""
    unequal_rewards: float
    """Share of problems whose responses were not all rewarded equally: more than `mixed` where form counts too."""
    reward: float
    """Mean."""
    shares: dict[str, float]
    """Of the responses: early_box, many_boxes, repetition, mixed_language, truncated, timeout, error and boxed."""
    lengths: Lengths
    correct_tokens_mean: float | None
    """Mean length of the right responses; never to be read without the accuracy."""


def measure(groups: Sequence[Sequence[Response]], run_responses: int) -> Measures:
    """The measures of groups of responses, one a problem; `run_responses` is how many a group of the run has."""
    summary, each = summarise(groups), len(groups[0])
    right = [sum(response.judgement.verdict.correct for response in group) for group in groups]
    group_size = min(each, run_responses)
    return Measures(
        problems=len(groups),
        responses=summary["responses"],
        boxed=share_of([_mean_boxed(group) for group in groups]),
        accuracy=share_of([count / each for count in right]),
        pass_at={k: share_of([pass_at(k, each, count) for count in right]) for k in powers_up_to(each)},
        mixed=share_of([mixed_at(group_size, each, count) for count in right]),
        mixed_k=group_size,
        all_right=summary["groups_all_right"] / len(groups),
        unequal_rewards=sum(len({_score(response) for response in group}) > 1 for group in groups) / len(groups),
        reward=summary["reward"],
        shares={name: summary[name] for name in SHARES},
        lengths=lengths_of([response.tokens for group in groups for response in group]),
        correct_tokens_mean=summary["correct_tokens_mean"],
    )


def measures_record(measures: Measures) -> dict[str, Any]:
    """The measures as JSON values."""
    shares = {name: vars(getattr(measures, name)) for name in ("boxed", "accuracy", "mixed")}
    pass_at_k = {str(k): vars(share) for k, share in measures.pass_at.items()}
    return vars(measures) | shares | {"pass_at": pass_at_k, "lengths": vars(measures.lengths)}


def accuracies(groups: Sequence[Sequence[Response]]) -> list[float]:
    """The share of right responses to each problem."""
    return [sum(response.judgement.verdict.correct for response in group) / len(group) for group in groups]


def _mean_boxed(group: Sequence[Response]) -> float:
    return sum(response.judgement.metrics["boxed"] for response in group) / len(group)


def _score(response: Response) -> float:
    return response.judgement.score
