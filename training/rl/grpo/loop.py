"""The loop of the local backend, told as what happens around TRL's optimizer steps.

first step of a rollout step     everything random gets the rollout step's seed
    draw                         responses under the cap of the length schedule
    reward                       judged; TRL makes advantages of the scores
after each optimizer step        TRL's numbers are kept
last step of a rollout step      the line is written, the policy validated, saved and exchanged for a stop
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback, TrainerControl, TrainerState

from training.local.stopping import Stop
from training.rl.grpo.checkpoint import State, keep_newest, save_checkpoint
from training.rl.grpo.drawing import draw, sampling_of
from training.rl.grpo.fit import Fit
from training.rl.grpo.judging import in_groups, judge_ids
from training.rl.grpo.metrics import rollout_line
from training.rl.grpo.order import seed_of
from training.rl.grpo.rows import Row
from training.rl.grpo.trainer import refuse_broken_weights
from training.rl.grpo.validating import Validator
from training.rl.journal import Journal
from training.rl.responses import Response
from training.rl.rewards.compose import Reward
from training.rl.run import RlRun
from training.rl.schedule import cap_at


@dataclass(frozen=True)
class Job:
    """All that the loop needs besides the journal."""

    run: RlRun
    fingerprint: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    optimizer: torch.optim.Optimizer
    ends: Sequence[int]  # ids that end a response
    rows: Sequence[Row]
    reward: Reward
    validator: Validator | None
    fit: Fit


class RolloutLoop(TrainerCallback):
    """One run while it trains; `state` is that of the checkpoint it goes on from, if any."""

    def __init__(self, job: Job, journal: Journal, stop: Stop, state: State | None) -> None:
        self.job, self.state = job, state
        self.stopped_by: str | None = None
        self._journal, self._stop = journal, stop
        self._before = state.rollout_step if state else 0  # rollout steps before TRL's first optimizer step
        self._tokens = state.tokens if state else 0
        self._groups: list[list[Response]] = []
        self._logs: list[Mapping[str, Any]] = []
        self._started = time.monotonic()

    # TRL asks

    def draw(self, texts: list[str], trainer: Any) -> dict[str, Any]:
        """The responses of the rollout step that begins."""
        settings = sampling_of(self.job.run.plan.manifest, self._begun(trainer.state), self.job.fit)
        trainer.max_completion_length = settings.max_response_tokens  # what a fixed_length loss divides by
        return draw(trainer.model, self.job.tokenizer, texts, settings, self.job.ends).for_trl()

    def reward(
        self, prompts: Any, completions: Any, completion_ids: list[list[int]], row: list[int],
        trainer_state: TrainerState, **_: Any,
    ) -> list[float | None]:  # fmt: skip
        """The score of each response; the judged responses are kept for the journal."""
        manifest = self.job.run.plan.manifest
        cap = cap_at(manifest.rollout.length_schedule, self._begun(trainer_state))
        rows = [self.job.rows[number] for number in row]
        responses = judge_ids(self.job.reward, self.job.tokenizer, rows, completion_ids, cap, self.job.ends)
        self._groups = in_groups(responses, manifest.rollout.responses_per_prompt)
        return [response.judgement.score for response in responses]

    # TRL tells

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Seeds a rollout step that begins: what it draws depends on nothing that came before."""
        if state.global_step % self._steps_each == 0:
            self._started, self._logs = time.monotonic(), []
            _seed_everything(seed_of(self.job.run.plan.manifest.seed, self._begun(state)))

    def on_log(
        self, args: Any, state: TrainerState, control: TrainerControl, logs: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Keeps TRL's numbers of an optimizer step; after the last one of a rollout step, ends it."""
        if not logs or "loss" not in logs:  # TRL's last words
            return
        self._logs.append(dict(logs))
        if state.global_step % self._steps_each == 0:
            self._end_rollout_step(self._before + state.global_step // self._steps_each)
            control.should_training_stop = control.should_training_stop or self.stopped_by is not None

    # The end of a rollout step

    def _end_rollout_step(self, rollout_step: int) -> None:
        line = self._line(rollout_step, time.monotonic() - self._started)
        self._journal.rollout(line, self._groups)
        refuse_broken_weights(self.job.model, f"{self.job.run.identity} after rollout step {rollout_step:,}")
        self._tokens, self.state = line["tokens"], self._state_of(line)
        if self._due(rollout_step, self._validate_every):
            self.validate(rollout_step)
        stop = self.wish_to_stop() if rollout_step < self._last else None
        if stop or self._due(rollout_step, self.job.run.plan.manifest.checkpoints.every_rollout_steps):
            self._save(self.state)
        self.stopped_by = stop
        if rollout_step == self._last:
            self._journal.finish(line)

    def _line(self, rollout_step: int, wall_s: float) -> dict[str, Any]:
        cap = cap_at(self.job.run.plan.manifest.rollout.length_schedule, rollout_step)
        step = rollout_step * self._steps_each
        return rollout_line(rollout_step, step, cap, self._groups, self._logs, self._tokens, wall_s)

    def validate(self, rollout_step: int, but: Sequence[str] = ()) -> None:
        """Writes a line for each validation set, except those in `but`."""
        if self.job.validator:
            for line in self.job.validator.lines(
                self.job.model, self.job.tokenizer, rollout_step, rollout_step * self._steps_each, but
            ):
                self._journal.validation(line)

    def wish_to_stop(self) -> str | None:
        """Why the run is to end before its time, in words that follow `stopped by`."""
        if self._journal.stop:
            return f"an alarm: {self._journal.stop}"
        return self._stop.name if self._stop else None

    def _save(self, state: State) -> None:
        run = self.job.run
        self._journal.sync()
        save_checkpoint(run.checkpoints, self.job.model, self.job.optimizer, state, run.plan.checkpoint.path)
        keep_newest(run.checkpoints, run.plan.manifest.checkpoints.keep)

    def _state_of(self, line: Mapping[str, Any]) -> State:
        kept = {name: line[name] for name in ("rollout_step", "step", "tokens", "reward", "accuracy")}
        return State(identity=self.job.run.identity, fingerprint=self.job.fingerprint, **kept)

    # Where the run is

    def _begun(self, state: TrainerState) -> int:
        """The rollout step that TRL is in, from 1."""
        return int(self._before + state.global_step // self._steps_each + 1)

    def _due(self, rollout_step: int, every: int | None) -> bool:
        return every is not None and (rollout_step % every == 0 or rollout_step == self._last)

    @property
    def _validate_every(self) -> int | None:
        validation = self.job.run.plan.manifest.validation
        return validation.every_rollout_steps if validation else None

    @property
    def _steps_each(self) -> int:
        return self.job.run.plan.manifest.optimizer_steps_per_rollout

    @property
    def _last(self) -> int:
        return self.job.run.plan.manifest.rollout_steps


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
