"""One run on this machine, whole: where it starts or goes on, its loop, its export."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from manifests.errors import TrainingError
from manifests.folders import remove_leftovers
from manifests.records import read_record
from manifests.terminal import say
from training.local.loop import Stopped
from training.local.stopping import Stop
from training.metrics import read_metrics
from training.rl.grpo.checkpoint import State, checkpoints_in, keep_newest, load_optimizer, read_state
from training.rl.grpo.fit import Fit, update_at_once
from training.rl.grpo.judging import require_answers
from training.rl.grpo.mapping import mapping_lines
from training.rl.grpo.order import prompts_of
from training.rl.grpo.quiet import fixed_arithmetic, quiet_libraries
from training.rl.grpo.rows import Row, read_rows
from training.rl.run import RlRun
from training.run_record import record_path

if TYPE_CHECKING:
    import torch
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from training.rl.grpo.loop import Job


def train(run: RlRun, device: "torch.device", stop_on: str | None, stop: Stop, fit: Fit = Fit()) -> dict[str, Any]:
    """Trains from the newest checkpoint, or from the start, to the last rollout step, and exports the policy.

    Returns the facts to record: rollout_step, reward and accuracy of the last rollout step, tokens, validation, export
    (relative to the data folder). Raises Stopped where somebody or an alarm wanted an end, the last rollout step being
    saved, and TrainingError for what cannot be trained; the last good checkpoint stays.
    """
    _refuse_several_processes(run)
    update_at_once(run.plan.manifest, fit)
    require_answers(run.identity)
    for line in mapping_lines(run.plan.manifest, fit):
        say(line)
    remove_leftovers(run.checkpoints)
    with quiet_libraries(), fixed_arithmetic(device, _threads(run)), _memory_explained(run, device, fit):
        state, job = _enter(run, device, fit)
        state = _train(job, device, stop_on, stop, state)
        return _finish(job, state)


def _refuse_several_processes(run: RlRun) -> None:
    count = os.environ.get("WORLD_SIZE", "1")
    if count != "1":
        raise TrainingError(
            f"{run.identity}: is launched as {count} processes; expected one, which uses one GPU. Launch it without "
            "torchrun, or use --backend verl for several GPUs."
        )


def _threads(run: RlRun) -> int:
    """The threads that the run began with: other numbers round otherwise."""
    import torch

    if "threads" not in run.facts:
        run.publish(threads=torch.get_num_threads())
    threads: int = run.facts["threads"]
    return threads


def _enter(run: RlRun, device: "torch.device", fit: Fit) -> tuple[State | None, "Job"]:
    """The policy, its optimizer and all the rest, where the run starts or goes on."""
    from training.local.model import load_model, move
    from training.rl.grpo.loop import Job
    from training.rl.grpo.trainer import make_optimizer
    from training.rl.rewards.compose import Reward

    manifest, fingerprint = run.plan.manifest, read_record(record_path(run.folder))["fingerprint"]
    saved = checkpoints_in(run.checkpoints)
    state = read_state(saved[-1], run.identity, fingerprint) if saved else None
    model = move(load_model(saved[-1] if saved else run.plan.checkpoint.path), device)
    tokenizer, rows = _load_tokenizer(run), read_rows(run.prompts_file)
    ends = _make_ready(run, model, tokenizer, rows)
    optimizer = make_optimizer(model, manifest.policy)
    if saved:
        load_optimizer(saved[-1], model, optimizer)
    reward = Reward([term.model_dump(exclude_none=True) for term in manifest.reward])
    return state, Job(
        run, fingerprint, model, tokenizer, optimizer, ends, rows, reward, _validator(run, reward, fit), fit
    )


def _load_tokenizer(run: RlRun) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        run.tokenizer_folder, local_files_only=True, trust_remote_code=False, padding_side="left"
    )
    return tokenizer


def _make_ready(
    run: RlRun, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", rows: list[Row]
) -> list[int]:
    """The ids that end a response, once it is sure that every prompt can be answered at the longest cap."""
    from transformers import GenerationConfig

    from training.rl.grpo.trainer import refuse_broken_weights
    from training.rl.probe.encoding import end_ids, prompt_ids, refuse_too_long, refuse_unknown_ids

    refuse_broken_weights(model, f"{run.identity}, before the first step")
    ends, encoded = end_ids(model, tokenizer), prompt_ids(tokenizer, [row.text for row in rows])
    refuse_unknown_ids(model, encoded, "a prompt")
    refuse_too_long(model, encoded, run.plan.manifest.rollout.longest)
    model.generation_config = GenerationConfig(eos_token_id=ends)  # nothing else in it counts in training
    model.config._name_or_path = str(run.plan.checkpoint.path)  # where TRL finds the reference of a KL loss
    return ends


def _validator(run: RlRun, reward: Any, fit: Fit) -> Any:
    from training.rl.grpo.validating import Validator

    if run.validation_file is None:
        return None
    return Validator(run.plan.manifest, read_rows(run.validation_file), reward, fit)


def _train(job: "Job", device: "torch.device", stop_on: str | None, stop: Stop, state: State | None) -> State:
    """Trains what is left and returns where it ended. Raises Stopped."""
    from training.rl.grpo.loop import RolloutLoop
    from training.rl.journal import Journal

    run, done = job.run, state.rollout_step if state else 0
    with Journal(run, done, stop_on) as journal:
        loop = RolloutLoop(job, journal, stop, state)
        if state is None:
            loop.validate(0, _measured_before(run))
            _refuse_to_begin(loop.wish_to_stop(), run)
        elif done == run.plan.manifest.rollout_steps:
            say(f"{run.identity}: all {done:,} rollout steps are trained already; only the export is left")
            return state
        else:
            say(f"{run.identity}: goes on after rollout step {done:,} of {run.plan.manifest.rollout_steps:,}")
        _run_trl(job, loop, device, done)
    assert loop.state is not None  # at least one rollout step was left
    if loop.stopped_by:
        run.publish(**_reached(loop.state))
        raise Stopped(
            f"{run.identity}: stopped by {loop.stopped_by}; rollout step {loop.state.rollout_step:,} is saved. Launch "
            "it again to go on."
        )
    return loop.state


def _run_trl(job: "Job", loop: Any, device: "torch.device", done: int) -> None:
    from training.rl.grpo.settings import grpo_config
    from training.rl.grpo.trainer import make_trainer

    config = grpo_config(job.run, device, job.run.plan.manifest.rollout_steps - done, job.fit)
    prompts = _prompts_after(job, done)
    make_trainer(job.model, job.tokenizer, config, prompts, job.optimizer, loop, loop.draw, loop.reward).train()


def _prompts_after(job: "Job", done: int) -> "Dataset":
    """The prompts of the rollout steps that are left, in order; `row` says which problem each is."""
    from datasets import Dataset

    manifest, ids = job.run.plan.manifest, [row.id for row in job.rows]
    order = [
        index
        for rollout_step in range(done + 1, manifest.rollout_steps + 1)
        for index in prompts_of(ids, manifest.rollout.prompts_per_step, manifest.seed, rollout_step)
    ]
    return Dataset.from_dict({"prompt": [job.rows[index].text for index in order], "row": order})


def _measured_before(run: RlRun) -> list[str]:
    """The validation sets that an attempt which ended before its first checkpoint has measured already."""
    lines = read_metrics(run.grpo_folder / "validation.jsonl")
    return [line["set"] for line in lines if line["rollout_step"] == 0]


def _refuse_to_begin(wish: str | None, run: RlRun) -> None:
    if wish:
        raise Stopped(
            f"{run.identity}: stopped by {wish}; that was before the first rollout step, nothing is trained yet. "
            "Launch it again to begin."
        )


def _finish(job: "Job", state: State) -> dict[str, Any]:
    """Writes the export and says what came out."""
    from training.rl.grpo.export import write_export

    run = job.run
    lines = read_metrics(run.grpo_folder / "validation.jsonl")
    validation = {line["set"]: line["accuracy"] for line in lines if line["rollout_step"] == state.rollout_step}
    write_export(run, job.model, state, validation)
    keep_newest(run.checkpoints, 1)
    export = run.export.relative_to(run.plan.data.root).as_posix()
    return _reached(state) | {"tokens": state.tokens, "validation": validation, "export": export}


def _reached(state: State) -> dict[str, Any]:
    """What the record says of how far the run is."""
    return {"rollout_step": state.rollout_step, "reward": state.reward, "accuracy": state.accuracy}


@contextlib.contextmanager
def _memory_explained(run: RlRun, device: "torch.device", fit: Fit) -> Iterator[None]:
    """Makes torch's out-of-memory error in an update one that says what would fit."""
    import torch

    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one; for the CPU torch has no class of its own
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise TrainingError(
            f"{run.identity}: an update does not fit into the memory of {device} with "
            f"{update_at_once(run.plan.manifest, fit)} responses at once; expected fewer. Give --recompute, a lower "
            "--update-at-once, or shorten the length schedule."
        ) from error
