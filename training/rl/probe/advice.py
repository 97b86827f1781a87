"""Whether to begin: what the measures mean for GRPO, why, and what to do about it.

The one fact that every threshold leans on: the same checkpoint of the OctoThinker paper solved 0.002 of MATH500 before
RL under the simple template and 0.33 under the complex one, and the first run collapsed. Bases that began their
answers with a box, or repeated until the cap, never learned. Where between those the lines lie is chosen here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from manifests.kinds.rl import RlManifest
from training.rl.probe.estimators import paired_gain
from training.rl.probe.measures import Measures

READY, DOUBTFUL, NOT_READY, NOTE = "ready", "doubtful", "not ready", "note"
_GRAVITY = (NOT_READY, DOUBTFUL, NOTE)

# Shares 0 to 1; all chosen here, see above.
FEWEST_BOXED, WISHED_BOXED = 0.05, 0.5
FEWEST_MIXED, WISHED_MIXED = 0.05, 0.2
MOST_ALL_RIGHT = 0.8
MOST_TRUNCATED = 0.5
MOST_REPETITION = 0.3
MOST_EARLY_BOX = 0.3
MOST_UNJUDGED = 0.02
FEWEST_PROBLEMS = 20  # below that an interval is wider than most differences between checkpoints
CLEAR_GAIN = 0.05  # of accuracy, and more than CLEAR_ERRORS standard errors: another template is better
CLEAR_ERRORS = 2.0


@dataclass(frozen=True)
class Finding:
    """One reason to wait or to doubt, or a `note` that only says how to read the numbers."""

    level: str
    """`not ready`, `doubtful` or `note`."""
    rule: str
    reason: str
    remedy: str

    @property
    def line(self) -> str:
        """The finding in one line."""
        return f"{self.level}: {self.reason}. {self.remedy}"


def advise(
    measures: Measures, accuracies: Mapping[str, Sequence[float]], cap: int, manifest: RlManifest
) -> list[Finding]:
    """What speaks against beginning the run, the gravest first; nothing means ready.

    `accuracies` are those of each problem, by template; `cap` is the longest response that was allowed; tokens.
    """
    findings = [
        *_boxed(measures, manifest),
        *_signal(measures, manifest),
        *_lengths(measures, cap, manifest),
        *_form(measures, manifest),
        *_better_template(accuracies, manifest),
        *_reading(measures, cap, manifest),
    ]
    return sorted(findings, key=lambda finding: _GRAVITY.index(finding.level))


def verdict(findings: Sequence[Finding]) -> str:
    """`ready`, `doubtful` or `not ready`: the gravest of the findings."""
    levels = {finding.level for finding in findings}
    return NOT_READY if NOT_READY in levels else DOUBTFUL if DOUBTFUL in levels else READY


def _boxed(measures: Measures, manifest: RlManifest) -> Iterator[Finding]:
    if measures.boxed.value >= WISHED_BOXED:
        return
    level = NOT_READY if measures.boxed.value < FEWEST_BOXED else DOUBTFUL
    template = manifest.prompts.template
    other = "complex" if template != "complex" else "simple"
    yield Finding(
        level,
        "boxed",
        f"{measures.boxed.text} of the responses have a \\boxed answer, the rest cannot be rewarded (ready from "
        f"{WISHED_BOXED} on)",
        f"Compare templates with --template {other}, or mid-train on question-answer data that boxes its answers.",
    )


def _signal(measures: Measures, manifest: RlManifest) -> Iterator[Finding]:
    solved = measures.pass_at[max(measures.pass_at)]
    if solved.value == 0:
        yield _no_signal(measures, solved.high)
    elif measures.all_right > MOST_ALL_RIGHT:
        level = NOT_READY if measures.mixed.value == 0 else DOUBTFUL
        yield Finding(
            level,
            "too_easy",
            f"{measures.all_right:.1%} of the problems were answered right every time and teach nothing (at most "
            f"{MOST_ALL_RIGHT:.0%} is fine)",
            "Take harder problems, or remove the ones that are always solved.",
        )
    elif measures.mixed.value < WISHED_MIXED:
        yield _weak_signal(measures, manifest)


def _no_signal(measures: Measures, possible: float) -> Finding:
    form = measures.unequal_rewards > 0
    only_form = "; what reward differs comes from the form alone" if form else ""
    return Finding(
        NOT_READY,
        "no_signal",
        f"none of {measures.responses:,} responses to {measures.problems:,} problems was right (95 %: at most "
        f"{possible:.1%} of the problems can be solved), so no group tells GRPO right from wrong{only_form}",
        "Mid-train first, take easier problems, or compare templates with --template.",
    )


def _weak_signal(measures: Measures, manifest: RlManifest) -> Finding:
    prompts = manifest.rollout.prompts_per_step
    return Finding(
        NOT_READY if measures.mixed.value < FEWEST_MIXED else DOUBTFUL,
        "weak_signal",
        f"{measures.mixed.text} of the groups of {measures.mixed_k} have right and wrong responses, about "
        f"{measures.mixed.value * prompts:.3g} of the {prompts:,} in a rollout step give a gradient (ready from "
        f"{WISHED_MIXED} on)",
        "Raise responses_per_prompt, choose problems nearer to what the checkpoint can do, or mid-train longer.",
    )


def _lengths(measures: Measures, cap: int, manifest: RlManifest) -> Iterator[Finding]:
    truncated = measures.shares["truncated"]
    if truncated <= MOST_TRUNCATED:
        return
    first = manifest.rollout.length_schedule[0].max_response_tokens
    remedy = (
        f"Probe at the schedule's first cap, {first:,} tokens."
        if cap < first
        else "Raise the first cap of the length schedule; or compare templates with --template: under one that asks "
        "for reasoning and an answer, more responses end."
    )
    yield Finding(
        DOUBTFUL,
        "truncated",
        f"{truncated:.1%} of the responses reached {cap:,} tokens without an end (at most {MOST_TRUNCATED:.0%} is "
        "fine)",
        remedy,
    )


def _form(measures: Measures, manifest: RlManifest) -> Iterator[Finding]:
    shares = measures.shares
    if shares["repetition"] > MOST_REPETITION:
        yield Finding(
            DOUBTFUL,
            "repetition",
            f"{shares['repetition']:.1%} of the responses repeat themselves (at most {MOST_REPETITION:.0%} is fine); "
            "runs from such checkpoints filled the cap with repetition and learned little",
            "Compare templates with --template, mid-train on better or more varied data, or use the reward "
            "repetition_penalty.",
        )
    if shares["early_box"] > MOST_EARLY_BOX:
        yield Finding(
            DOUBTFUL,
            "early_box",
            f"{shares['early_box']:.1%} of the responses begin with their answer, without reasoning (at most "
            f"{MOST_EARLY_BOX:.0%} is fine)",
            _reasoning_remedy(manifest),
        )
    unjudged = shares["timeout"] + shares["error"]
    if unjudged > MOST_UNJUDGED:
        yield Finding(
            DOUBTFUL,
            "unjudged",
            f"{unjudged:.1%} of the answers could not be judged (timeout {shares['timeout']:.1%}, error "
            f"{shares['error']:.1%}) and count as wrong",
            "Look at these responses; are the true answers what `answers.rule` says?",
        )


def _reasoning_remedy(manifest: RlManifest) -> str:
    if manifest.prompts.template == "complex":
        return "Mid-train on worked solutions, or write a template that asks for reasoning first."
    return "Compare with --template complex, which asks for reasoning first, or mid-train on worked solutions."


def _better_template(accuracies: Mapping[str, Sequence[float]], manifest: RlManifest) -> Iterator[Finding]:
    own = manifest.prompts.template
    for template in sorted(accuracies.keys() - {own}):
        gain, error = paired_gain(accuracies[own], accuracies[template])
        if gain > CLEAR_GAIN and gain > CLEAR_ERRORS * error:
            yield Finding(
                DOUBTFUL,
                "template",
                f"template {template} is right {gain:.2g} (± {CLEAR_ERRORS * error:.2g}) more often than {own}, on the "
                "same problems",
                f"Set prompts.template to {template}.",
            )


def _reading(measures: Measures, cap: int, manifest: RlManifest) -> Iterator[Finding]:
    first = manifest.rollout.length_schedule[0].max_response_tokens
    if cap != first:
        yield Finding(
            NOTE,
            "other_cap",
            f"responses could be {cap:,} tokens long, training begins with {first:,}",
            "Read lengths, truncation and accuracy as those of another cap.",
        )
    if measures.problems < FEWEST_PROBLEMS:
        yield Finding(
            NOTE,
            "few_problems",
            f"only {measures.problems} problems were asked, so the intervals are wide",
            f"Ask at least {FEWEST_PROBLEMS} before you compare.",
        )
