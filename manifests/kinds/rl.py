"""The RL manifest: GRPO from a checkpoint, with a prompt template, a reward and a schedule of response lengths."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from manifests.kinds.fields import Manifest, Positive, Reference, Section

PositiveInt = Annotated[int, Field(ge=1)]


class LengthStage(Section):
    """From one rollout step on, responses may be this long."""

    from_rollout_step: Annotated[int, Field(ge=0)]
    """First rollout step of the stage; the first stage starts at 0."""
    max_response_tokens: PositiveInt
    """Longest response; tokens."""


class Prompts(Section):
    """The problems."""

    corpus: Reference
    """A corpus of problems, `name@version`."""
    template: str = "simple"
    """Name of the prompt template."""
    max_prompt_tokens: PositiveInt = 400
    """Longer prompts are removed and counted."""


class Rollout(Section):
    """How responses are sampled."""

    prompts_per_step: PositiveInt = 128
    """Prompts in a rollout step (paper: 128)."""
    responses_per_prompt: Annotated[int, Field(ge=2)] = 16
    """Responses in a group (paper: 16); GRPO compares within the group, so at least 2."""
    temperature: Positive = 1.0
    """Sampling temperature (paper: 1.0)."""
    length_schedule: Annotated[list[LengthStage], Field(min_length=1)]
    """Longest response by rollout step; the scripts of the paper: 2,048, from 100 on 4,096, from 160 on 8,192."""

    @field_validator("length_schedule")
    @classmethod
    def _stages_rise(cls, stages: list[LengthStage]) -> list[LengthStage]:
        starts = [stage.from_rollout_step for stage in stages]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError(f"the stages start at rollout steps {starts}; expected 0 first, then rising steps")
        return stages


class Policy(Section):
    """The update."""

    learning_rate: Positive = 1e-6
    """AdamW learning rate (paper: 1e-6)."""
    minibatch_prompts: PositiveInt = 64
    """Prompts in one optimizer step (paper: 64, two steps a rollout step)."""
    clip_ratio: Positive = 0.2
    """PPO clipping."""
    kl_coefficient: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the KL loss (paper: 0)."""


class RlManifest(Manifest):
    """Reinforcement learning from one checkpoint."""

    kind: Literal["rl"]
    """`rl`."""
    checkpoint: str
    """A local Hugging Face folder, or `RUN/BRANCH` of a training run."""
    prompts: Prompts
    """The problems."""
    reward: str = "plus_minus_one"
    """Name of the reward."""
    rollout: Rollout
    """How responses are sampled."""
    policy: Policy = Policy()
    """The update."""
    rollout_steps: PositiveInt
    """Rollout steps of the run."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    """Seed of sampling and order."""

    @model_validator(mode="after")
    def _minibatches_divide(self) -> Self:
        if self.rollout.prompts_per_step % self.policy.minibatch_prompts:
            raise ValueError(
                f"minibatch_prompts {self.policy.minibatch_prompts} does not divide prompts_per_step "
                f"{self.rollout.prompts_per_step}; expected whole optimizer steps in a rollout step"
            )
        return self
