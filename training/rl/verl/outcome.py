"""Whether verl did what was planned, proved from what it left: its log, its dumps, our notes, its checkpoints.

Exit code 0 proves nothing. Works offline, also long after, from the run's folder alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import NotFound, OctoError
from manifests.proof import NOT_POSSIBLE, WRONG
from training.checks import Check, checked, refuse
from training.rl.prompts.files import read_prompt_rows
from training.rl.run import PHASE
from training.rl.schedule import cap_at
from training.rl.verl.evidence import Evidence, gather_evidence
from training.rl.verl.follow import verls_numbers
from training.rl.verl.log import is_rollout
from training.rl.verl.resume import saved_step, world_size
from training.rl.verl.rows import problems_of
from training.rl.verl.samples import Samples, read_samples

SAME_SCORE = 1e-6  # verl keeps scores in float32; more is another reward


@dataclass
class Counts:
    """What was found over all rollout steps, read once: problems by check, and what to tell."""

    batch: list[str]
    cap: list[str]
    reward: list[str]
    prompt: list[str]
    responses: int = 0
    truncated: int = 0
    late: int = 0
    longest: int = 0
    longest_prompt: int = 0


def check_verl(run_folder: Path) -> list[Check]:
    """Every check of a run that verl trained, in order. Nothing is written."""
    try:
        evidence = gather_evidence(run_folder)
        counts = _count(evidence)
    except OctoError as error:
        return [Check(PHASE, "verl's files", NOT_POSSIBLE if isinstance(error, NotFound) else WRONG, str(error))]
    proofs: dict[str, Callable[[], str]] = {
        "verl: rollout steps": lambda: _steps(evidence),
        "verl: batches": lambda: _told(counts.batch, f"{evidence.batch:,} rewarded responses in every rollout step"),
        "verl: response lengths": lambda: _told(counts.cap, _lengths(counts)),
        "verl: prompts": lambda: _told(
            counts.prompt, f"none was cut; the longest has {counts.longest_prompt:,} tokens"
        ),
        "verl: rewards": lambda: _told(counts.reward, _rewards(counts)),
        "verl: learning rate": lambda: _rates(evidence),
        "verl: validation": lambda: _validations(evidence),
        "verl: checkpoints": lambda: _checkpoints(evidence),
    }
    return [checked(PHASE, name, prove) for name, prove in proofs.items()]


def _count(evidence: Evidence) -> Counts:
    """Reads every response once; problems name their rollout step."""
    counts, prompts = Counts([], [], [], []), _prompt_tokens(evidence)
    for step in range(1, evidence.stages[-1].last + 1):
        try:
            samples = evidence.samples(step)
        except OctoError as error:
            counts.batch.append(f"rollout step {step:,}: {error}")
            continue
        _count_step(evidence, counts, step, samples, prompts)
    return counts


def _count_step(evidence: Evidence, counts: Counts, step: int, samples: Samples, prompts: dict[str, int]) -> None:
    found, cap = len(samples.sampled), cap_at(evidence.schedule, step)
    if found != evidence.batch or samples.padding:
        counts.batch.append(
            f"rollout step {step:,}: {found:,} responses were rewarded, {samples.padding:,} were empty padding; "
            f"expected {evidence.batch:,} and none: verl drops a group whose sampling or reward failed"
        )
    for sampled in samples.sampled:
        counts.responses += 1
        counts.truncated += sampled.truncated
        counts.late += bool(sampled.metrics.get("timeout"))
        counts.longest = max(counts.longest, sampled.tokens)
        counts.longest_prompt = max(counts.longest_prompt, sampled.prompt_tokens)
        counts.cap += _cap_problems(step, sampled.tokens, sampled.cap, cap)
        counts.reward += _reward_problems(step, sampled.score, sampled.metrics)
        counts.prompt += _prompt_problems(step, sampled.prompt, sampled.prompt_tokens, prompts)


def _cap_problems(step: int, tokens: int, told: int, cap: int) -> Iterator[str]:
    if told != cap:
        yield f"rollout step {step:,}: the reward was told a cap of {told:,}; the schedule says {cap:,}"
    if tokens > cap:
        yield f"rollout step {step:,}: a response has {tokens:,} tokens; the cap is {cap:,}"


def _reward_problems(step: int, learned: float, metrics: Mapping[str, float]) -> Iterator[str]:
    if metrics.get("error"):
        yield f"rollout step {step:,}: the reward could not judge a response; verl's log says why"
    if abs(learned - metrics["score"]) > SAME_SCORE * max(1.0, abs(learned)):
        yield f"rollout step {step:,}: verl learned from {learned:g}, the reward was {metrics['score']:g}"


def _prompt_problems(step: int, prompt: str, tokens: int, known: dict[str, int]) -> Iterator[str]:
    if prompt not in known:
        yield f"rollout step {step:,}: prompt {prompt} is none of the run's"
    elif tokens != known[prompt]:
        yield f"rollout step {step:,}: prompt {prompt} had {tokens:,} tokens for verl, {known[prompt]:,} as measured"


def _prompt_tokens(evidence: Evidence) -> dict[str, int]:
    """Prompt → its tokens, by the run's own tokenizer."""
    from training.rl.prompts.tokenizer import read_tokenizer

    rows = list(read_prompt_rows(evidence.folder / "prompts" / "train.parquet", ["prompt", "extra_info"]))
    counts = read_tokenizer(evidence.folder / "tokenizer").counts([row["prompt"][0]["content"] for row in rows])
    return {row["extra_info"]["id"]: count for row, count in zip(rows, counts, strict=True)}


def _told(problems: list[str], detail: str) -> str:
    refuse(problems)
    return detail


def _lengths(counts: Counts) -> str:
    share = counts.truncated / max(1, counts.responses)
    return (
        f"no response beyond the cap of its rollout step, the longest has {counts.longest:,} tokens; {share:.1%} were "
        "cut, counted against the cap of their step"
    )


def _rewards(counts: Counts) -> str:
    return (
        f"verl learned from the reward of each of {counts.responses:,} responses, none failed; {counts.late:,} answers "
        "took too long to check and counted as wrong"
    )


def _steps(evidence: Evidence) -> str:
    """Every stage saved its last rollout step, and every rollout step is in verl's log."""
    last = evidence.stages[-1].last
    trained = {step for step, data in evidence.logged.items() if is_rollout(data)}
    problems = [
        f"{stage.name}: the newest saved rollout step is {saved_step(stage):,}; expected {stage.last:,}"
        for stage in evidence.stages
        if saved_step(stage) != stage.last
    ]
    missing = [step for step in range(1, last + 1) if step not in trained]
    if missing:
        problems.append(f"{len(missing):,} of {last:,} rollout steps are not in verl's log, such as {missing[0]:,}")
    problems += [f"rollout step {step:,} is beyond the planned {last:,}" for step in sorted(trained) if step > last]
    refuse(problems)
    return f"{last:,}, each in verl's log, in {len(evidence.stages)} starts of verl"


def _rates(evidence: Evidence) -> str:
    planned = evidence.recipe["policy"]["learning_rate"]
    rates = {step: verls_numbers(data)["learning_rate"] for step, data in evidence.logged.items() if is_rollout(data)}
    refuse(
        f"rollout step {step:,}: learning rate {rate}; expected {planned:g}"
        for step, rate in sorted(rates.items())
        if rate is None or abs(rate - planned) > 1e-6 * planned
    )
    return f"{planned:g} in every rollout step, as verl logged it"


def _validations(evidence: Evidence) -> str:
    """Each validation that was due was made, with every problem of every set."""
    rules = evidence.recipe["validation"]
    if rules is None:
        return "none was planned"
    planned = problems_of(evidence.folder / "prompts" / "validation.parquet")
    last, each = evidence.stages[-1].last, rules["every_rollout_steps"]
    ends = {stage.last for stage in evidence.stages}
    due = [step for step in range(last + 1) if step == 0 or step % each == 0 or step in ends]
    refuse(problem for step in due for problem in _validation_problems(evidence, step, planned))
    return f"{len(due):,} times {sum(planned.values()):,} problems of {len(planned)} sets"


def _validation_problems(evidence: Evidence, step: int, planned: dict[str, int]) -> Iterator[str]:
    stage = evidence.stage_of(step)
    try:
        samples = read_samples(stage.validations, stage.rewards, step)
    except OctoError as error:
        yield f"validation after rollout step {step:,}: {error}"
        return
    for name, count in planned.items():
        found = sum(sampled.set == name for sampled in samples.sampled)
        if found != count:
            yield f"validation after rollout step {step:,}: {found:,} of {count:,} problems of {name} were asked"


def _checkpoints(evidence: Evidence) -> str:
    """The end of every stage is whole, and all were saved by as many processes."""
    sizes = {stage.name: world_size(stage.end) for stage in evidence.stages}
    refuse([f"were saved by different numbers of processes: {sizes}"] * (len(set(sizes.values())) > 1))
    return f"{evidence.stages[-1].end}, whole, saved by {sizes[evidence.stages[-1].name]:,} processes"
