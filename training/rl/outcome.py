"""Whether an RL run did what was planned, proved from its logs, whichever backend trained it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from manifests.errors import NotFound
from manifests.kinds.rl import LengthStage
from manifests.layout import DataFolder
from training.checks import Check, checked, refuse
from training.metrics import read_metrics
from training.rl.run import PHASE
from training.rl.schedule import cap_at
from training.rl.status import read_rl_run
from training.run_record import DONE

Lines = list[dict[str, Any]]


def check_rl(data: DataFolder, reference: str) -> list[Check]:
    """Every check of a run's logs, in the order of COLUMNS of training.checks. Raises NotFound for no RL run."""
    record, folder = read_rl_run(data, reference), data.run(reference) / PHASE
    lines = read_metrics(folder / "metrics.jsonl")
    proofs: dict[str, Callable[[], str]] = {
        "rollout steps": lambda: _steps(lines, record),
        "length schedule": lambda: _caps(lines, record["recipe"]),
        "responses": lambda: _responses(lines, record["recipe"]["rollout"]),
        "learning rate": lambda: _rates(lines, record["recipe"]["policy"]["learning_rate"]),
        "reward": lambda: _rewards(lines),
        "prompts": lambda: _prompts(record, data.run(reference)),
        "export": lambda: _export(record, data),
    }
    checks = [checked(PHASE, name, prove) for name, prove in proofs.items()]
    return checks + (_checks_of_verl(data.run(reference)) if record["backend"] == "verl" else [])


def _checks_of_verl(folder: Path) -> list[Check]:
    """What verl's own files say: its exit code proves nothing, nor do logs that we wrote from them."""
    from training.rl.verl.outcome import check_verl

    return check_verl(folder)


def _steps(lines: Lines, record: dict[str, Any]) -> str:
    """Every rollout step once, in order, to the last."""
    planned, found = record["rollout_steps"], [line["rollout_step"] for line in lines]
    refuse([f"the log has {len(found):,} rollout steps, {planned:,} were planned"] * (len(found) != planned))
    refuse(f"line {place} is of rollout step {step}" for place, step in enumerate(found, 1) if step != place)
    return f"{planned:,}, each once"


def _caps(lines: Lines, recipe: dict[str, Any]) -> str:
    """The cap of every step is that of the schedule, and no response is longer."""
    stages = [LengthStage(**stage) for stage in recipe["rollout"]["length_schedule"]]
    wanted = [(line, cap_at(stages, line["rollout_step"])) for line in lines]
    refuse(
        f"rollout step {line['rollout_step']}: cap {line['cap']}; the schedule says {cap}"
        for line, cap in wanted
        if line["cap"] != cap
    )
    unknown = sum(line.get("response_tokens_max") is None for line in lines)
    refuse(
        f"rollout step {line['rollout_step']}: one has {line['response_tokens_max']:,} tokens; the cap is {cap:,}"
        for line, cap in wanted
        if (line.get("response_tokens_max") or 0) > cap
    )
    longest = max((line.get("response_tokens_max") or 0 for line in lines), default=0)
    return f"obeyed in every step, longest response {longest:,} tokens" + (f"; unknown in {unknown}" if unknown else "")


def _responses(lines: Lines, rollout: dict[str, Any]) -> str:
    wanted = rollout["prompts_per_step"] * rollout["responses_per_prompt"]
    refuse(
        f"rollout step {line['rollout_step']}: {line['responses']:,} responses; expected {wanted:,}"
        for line in lines
        if line["responses"] != wanted
    )
    return f"{wanted:,} in every step"


def _rates(lines: Lines, rate: float) -> str:
    refuse(
        f"rollout step {line['rollout_step']}: learning rate {line['learning_rate']}; expected {rate}"
        for line in lines
        if line.get("learning_rate") is not None and line["learning_rate"] != rate
    )
    return f"{rate:g} in every step"


def _rewards(lines: Lines) -> str:
    """A reward that fails is told; here nothing may have failed."""
    refuse(
        f"rollout step {line['rollout_step']}: {line['error']:.2%} of the rewards failed"
        for line in lines
        if line["error"]
    )
    late = sum((line.get("timeout") or 0) * line["responses"] for line in lines)
    return f"no error; {late:,.0f} answers took too long to check and counted as wrong"


def _prompts(record: dict[str, Any], folder: Path) -> str:
    """The prompts that lie there are those of the record."""
    from training.rl.prompts.files import TRAIN_FILE, digest_of_rows

    found, wanted = digest_of_rows(folder / "prompts" / TRAIN_FILE), record["recipe"]["prompts"]["digest"]
    refuse([f"the prompts have digest {found}; the run was recorded with {wanted}"] * (found != wanted))
    return wanted


def _export(record: dict[str, Any], data: DataFolder) -> str:
    from training.planning.sizes import checkpoint_size

    facts = record["phases"].get(PHASE, {})
    if facts.get("state") != DONE or not facts.get("export"):
        raise NotFound("the run is not finished; there is no exported model yet.")
    size = checkpoint_size(data.root / facts["export"])
    return f"{facts['export']}, {size.parameters:,} parameters"
