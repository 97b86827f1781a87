"""The probe for people and for records: rows of a table, lines, JSON values, and every response with its verdict."""

from collections.abc import Iterator
from typing import Any

from training.rl.probe.estimate import cost_lines, cost_record
from training.rl.probe.measures import Measures, measures_record
from training.rl.probe.readiness import Asked, Readiness
from training.rl.responses import response_line

COLUMNS = [
    "template", "level", "problems", "responses", "boxed", "accuracy", "solved", "mixed", "early_box", "repetition",
    "truncated", "tokens_median", "tokens_p90", "tokens_max", "tokens_per_s",
]  # fmt: skip
ALL_LEVELS = "all"


def probe_rows(readiness: Readiness) -> list[list[Any]]:
    """One row a template, then one for each of its levels, in the order of COLUMNS.

    `solved` is the share of problems with a right response, `mixed` that of groups with right and wrong ones.
    """
    rows = []
    for asked in readiness.asked:
        rows.append([asked.template, ALL_LEVELS, *_cells(asked.measures), asked.tokens_per_s])
        rows += [[asked.template, level, *_cells(measures), None] for level, measures in asked.by_level().items()]
    return rows


def probe_lines(readiness: Readiness) -> list[str]:
    """What was asked, what was found, the verdict with its reasons, and what the run would cost."""
    subject, sampling = readiness.subject, readiness.sampling
    return [
        f"{subject.label}: {readiness.own.measures.problems} of {len(subject.rows):,} prompts, {sampling.responses} "
        f"responses each of at most {sampling.max_response_tokens:,} tokens, temperature {sampling.temperature:g}, "
        f"top_p {sampling.top_p:g}, seed {sampling.seed}, on {readiness.device} in {readiness.precision}",
        *[_template_line(asked) for asked in readiness.asked],
        f"verdict for template {readiness.own.template}: {readiness.verdict}",
        *[finding.line for finding in readiness.findings],
        *cost_lines(readiness.cost, readiness.device),
    ]


def probe_record(readiness: Readiness) -> dict[str, Any]:
    """The probe as JSON values, without the texts of the responses."""
    return {
        "checkpoint": readiness.subject.label,
        "device": readiness.device,
        "precision": readiness.precision,
        "sampling": vars(readiness.sampling) | {"precision": readiness.precision},
        "first_cap": readiness.first_cap,
        "problems": [group[0].prompt for group in readiness.own.groups],
        "templates": {asked.template: _asked_record(asked) for asked in readiness.asked},
        "verdict": readiness.verdict,
        "findings": [vars(finding) for finding in readiness.findings],
        "cost": cost_record(readiness.cost),
    }


def probe_responses(readiness: Readiness) -> Iterator[dict[str, Any]]:
    """Every response with its verdict, as in a run's `responses/`, with its template; rollout step 0."""
    for asked in readiness.asked:
        for group in asked.groups:
            yield from ({"template": asked.template} | response_line(response, 0) for response in group)


def _cells(measures: Measures) -> list[Any]:
    shares, lengths = measures.shares, measures.lengths
    solved = measures.pass_at[max(measures.pass_at)]
    return [
        measures.problems, measures.responses, measures.boxed.value, measures.accuracy.value, solved.value,
        measures.mixed.value, shares["early_box"], shares["repetition"], shares["truncated"], lengths.median,
        lengths.p90, lengths.longest,
    ]  # fmt: skip


def _template_line(asked: Asked) -> str:
    measures = asked.measures
    passes = ", ".join(f"pass@{k} {share.text}" for k, share in measures.pass_at.items())
    lengths = measures.lengths
    return (
        f"template {asked.template}: boxed {measures.boxed.text}; {passes}; groups of {measures.mixed_k} with right "
        f"and wrong responses {measures.mixed.text}; tokens {lengths.p10:,} / {lengths.median:,} / {lengths.p90:,} / "
        f"{lengths.longest:,} (p10, median, p90, longest); {asked.tokens_per_s:,.0f} tokens/s"
    )


def _asked_record(asked: Asked) -> dict[str, Any]:
    return {
        "prompt_tokens_mean": asked.prompt_tokens_mean,
        "wall_s": asked.wall_s,
        "tokens_per_s": asked.tokens_per_s,
        "measures": measures_record(asked.measures),
        "levels": {level: measures_record(measures) for level, measures in asked.by_level().items()},
    }
