"""Responses that were judged, and what many of them say together: the lines of metrics.jsonl and validation.jsonl."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.rl.rewards.compose import Judgement

SHARES = ("boxed", "early_box", "many_boxes", "repetition", "mixed_language", "truncated", "timeout", "error")


@dataclass(frozen=True)
class Response:
    """One response to a prompt, with its judgement."""

    prompt: str  # the id of the problem
    text: str
    truth: str
    tokens: int
    judgement: Judgement


def summarise(groups: Sequence[Sequence[Response]]) -> dict[str, Any]:
    """What a step's responses say together; a group holds the responses to one prompt.

    Shares are 0 to 1 of the responses; lengths are tokens; `correct_tokens_mean` is None where no response is correct,
    which is why it is never to be read without `correct`.
    """
    responses = [response for group in groups for response in group]
    metrics = [response.judgement.metrics for response in responses]
    scores = [values["score"] for values in metrics]
    right = [response for response in responses if response.judgement.verdict.correct]
    lengths = [response.tokens for response in responses]
    return {
        "reward": statistics.fmean(scores),
        "reward_std": statistics.pstdev(scores),
        "accuracy": len(right) / len(responses),
        "correct": len(right),
        "responses": len(responses),
        **{name: statistics.fmean(values[name] for values in metrics) for name in SHARES},
        "response_tokens_mean": statistics.fmean(lengths),
        "response_tokens_max": max(lengths),
        "correct_tokens_mean": statistics.fmean(response.tokens for response in right) if right else None,
        **_one_sided(groups),
    }


def _one_sided(groups: Sequence[Sequence[Response]]) -> dict[str, int]:
    """Groups whose responses are all right or all wrong: equal rewards give GRPO nothing to learn from."""
    verdicts = [[response.judgement.verdict.correct for response in group] for group in groups]
    return {
        "groups": len(groups),
        "groups_all_right": sum(all(group) for group in verdicts),
        "groups_all_wrong": sum(not any(group) for group in verdicts),
    }


def response_line(response: Response, rollout_step: int) -> dict[str, Any]:
    """The line of one response in `responses/`."""
    verdict = response.judgement.verdict
    return {
        "rollout_step": rollout_step,
        "prompt": response.prompt,
        "text": response.text,
        "truth": response.truth,
        "answer": verdict.answer,
        "reason": verdict.reason,
        "tokens": response.tokens,
        **response.judgement.metrics,
    }
