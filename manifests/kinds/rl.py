"""The RL manifest: GRPO from a checkpoint, with a prompt template, a reward and a schedule of response lengths."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from manifests.kinds.fields import Count, Manifest, Positive, Reference, Section, Slug

PositiveInt = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AnswerRule = Literal["plain", "box", "gsm8k", "last_number", "choice"]
RewardName = Literal["plus_minus_one", "zero_one", "format", "repetition_penalty", "box_repetition_penalty", "overlong"]
LossAggregation = Literal["token_mean", "sequence_mean", "fixed_length"]
BUILT_IN_TEMPLATES = ("simple", "complex", "plain")
QUESTION = "{question}"


def _pair(value: Any) -> Any:
    """A stage as people write it: `[100, 4096]`."""
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(
            f"{value!r} is no stage; expected [first rollout step, most response tokens], like [100, 4096]"
        )
    return {"from_rollout_step": value[0], "max_response_tokens": value[1]}


class LengthStage(Section):
    """From one rollout step on, responses may be this long. Written as a pair: `[100, 4096]`."""

    from_rollout_step: Annotated[int, Field(ge=0)]
    """How many rollout steps come before the stage; the first stage has 0."""
    max_response_tokens: Count
    """Longest response; tokens."""


Stage = Annotated[
    LengthStage,
    BeforeValidator(_pair),
    WithJsonSchema({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2}),
]


class Answers(Section):
    """Where a row says what is right. One answer, as LaTeX, a number, or a list of alternatives that all belong."""

    column: str = "answer"
    """The column of the problem's row that holds the true answer."""
    rule: AnswerRule = "plain"
    """How the answer is found in the column. `plain`: it is the answer. `box`: the last `\\boxed{…}` of a solution.
    `gsm8k`: what follows `####`. `last_number`: the last number. `choice`: a letter of a multiple choice."""


class Prompts(Section):
    """The problems that are trained on."""

    corpus: Reference
    """A corpus of problems, `name@version`, whose text is the problem; curation has deduplicated and decontaminated
    it."""
    answers: Answers = Answers()
    """Where the true answers are, among the columns that the corpus keeps beside the text."""
    level_column: str | None = None
    """A column with the difficulty, kept with every prompt; left out, none is."""
    template: Slug = "complex"
    """`simple` or `complex`, as the paper uses them, `plain` (the problem alone), or one of `templates`."""
    max_prompt_tokens: PositiveInt = 400
    """Longer prompts, template included, are removed and counted; tokens (the paper's scripts: 400)."""


class ValidationSet(Section):
    """Problems that are never trained on, one file."""

    file: str
    """JSONL (plain or gzip), relative to the manifest; its content enters the fingerprint."""
    problem_column: str = "problem"
    """The column that holds the problem."""
    answers: Answers = Answers()
    """Where the true answers are."""


class Validation(Section):
    """Accuracy on problems that are never trained on, while training goes on."""

    sets: Annotated[dict[Slug, ValidationSet], Field(min_length=1)]
    """Name → problems. A prompt that is one of these problems, letter for letter, is removed from training."""
    every_rollout_steps: PositiveInt = 4
    """How often; the state before the first step and the last one are always measured (the paper's scripts: 4)."""
    max_problems: PositiveInt = 1_000
    """Most problems of a set that are asked, the same every time; the rest is counted."""
    temperature: Weight = 0.0
    """Sampling temperature; 0 takes the most likely token."""


class RewardTerm(Section):
    """One part of the reward; the parts are summed."""

    name: RewardName
    """`plus_minus_one` (the paper's) and `zero_one` judge the answer; so do `format`, `repetition_penalty` and
    `box_repetition_penalty`, the authors' variants, which also look at the form. `overlong` is at most 0 and grows
    with the length."""
    weight: Weight = 1.0
    """What the term is multiplied with."""
    buffer_tokens: PositiveInt | None = None
    """overlong: how many tokens before the cap the penalty begins."""

    @model_validator(mode="after")
    def _buffer_is_for_overlong(self) -> Self:
        if (self.name == "overlong") != (self.buffer_tokens is not None):
            expected = "expected it" if self.name == "overlong" else "only `overlong` has one"
            raise ValueError(f"{self.name} with buffer_tokens {self.buffer_tokens}; {expected}")
        return self


class Rollout(Section):
    """How responses are sampled."""

    prompts_per_step: PositiveInt = 128
    """Prompts in a rollout step (paper: 128)."""
    responses_per_prompt: Annotated[int, Field(ge=2)] = 16
    """Responses in a group (paper: 16); GRPO compares within the group, so at least 2."""
    temperature: Positive = 1.0
    """Sampling temperature (paper: 1.0)."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Sampling keeps the most likely tokens that together have this probability (paper: 1)."""
    length_schedule: Annotated[list[Stage], Field(min_length=1)]
    """Longest response by rollout step, as `[[first rollout step, tokens], …]`; the scripts of the paper:
    `[[0, 2048], [100, 4096], [160, 8192]]`. Rollout steps, not optimizer steps: the paper's figures count two of
    those for one of these."""

    @field_validator("length_schedule")
    @classmethod
    def _stages_rise(cls, stages: list[LengthStage]) -> list[LengthStage]:
        starts = [stage.from_rollout_step for stage in stages]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError(f"the stages start at rollout steps {starts}; expected 0 first, then rising steps")
        return stages

    @property
    def longest(self) -> int:
        """The largest cap of the schedule; tokens."""
        return max(stage.max_response_tokens for stage in self.length_schedule)


class Policy(Section):
    """The update."""

    learning_rate: Positive = 1e-6
    """AdamW learning rate, constant (paper: 1e-6)."""
    weight_decay: Weight = 0.01
    """AdamW weight decay (verl's default, which the paper's scripts leave)."""
    clip_norm: Positive = 1.0
    """Largest norm of the gradient (verl's default)."""
    minibatch_prompts: PositiveInt = 64
    """Prompts in one optimizer step (paper: 64, two steps a rollout step)."""
    clip_ratio: Positive = 0.2
    """PPO clipping, below and, without `clip_ratio_high`, above."""
    clip_ratio_high: Positive | None = None
    """PPO clipping above; left out, as below."""
    kl_coefficient: Weight = 0.0
    """Weight of the KL loss against the checkpoint (paper: 0)."""
    loss_aggregation: LossAggregation = "token_mean"
    """How token losses become one: `token_mean` over all tokens (verl's default), `sequence_mean` of each response's
    mean (GRPO as published), `fixed_length` divided by the cap (Dr. GRPO)."""
    normalise_by_deviation: bool = True
    """Whether advantages are divided by the group's standard deviation (GRPO: true, Dr. GRPO: false)."""


class RlCheckpoints(Section):
    """What is saved on the way."""

    every_rollout_steps: PositiveInt = 20
    """How often; the last step is always saved."""
    keep: PositiveInt = 3
    """How many of the newest stay."""


class RlManifest(Manifest):
    """Reinforcement learning from one checkpoint."""

    kind: Literal["rl"]
    """`rl`."""
    checkpoint: str
    """A local Hugging Face folder, relative to the manifest, or `RUN@VERSION/PHASE` of a training run."""
    prompts: Prompts
    """The problems that are trained on."""
    templates: dict[Slug, str] = {}
    """Your own templates: texts with `{question}` once, which stands for the problem."""
    validation: Validation | None = None
    """Accuracy on problems that are never trained on; left out, none is measured."""
    reward: Annotated[list[RewardTerm], Field(min_length=1)] = [RewardTerm(name="plus_minus_one")]
    """The parts of the reward, summed."""
    rollout: Rollout
    """How responses are sampled."""
    policy: Policy = Policy()
    """The update."""
    checkpoints: RlCheckpoints = RlCheckpoints()
    """What is saved on the way; not part of the fingerprint."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """Arithmetic of the policy; weights and moments stay float32."""
    rollout_steps: PositiveInt
    """Rollout steps of the run."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    """Seed of sampling and order."""

    @property
    def optimizer_steps_per_rollout(self) -> int:
        """Optimizer steps in a rollout step."""
        return self.rollout.prompts_per_step // self.policy.minibatch_prompts

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        problems = [*self._minibatches(), *self._templates(), *self._rewards(), *self._stages()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _minibatches(self) -> list[str]:
        prompts, minibatch = self.rollout.prompts_per_step, self.policy.minibatch_prompts
        if prompts % minibatch == 0:
            return []
        return [
            f"minibatch_prompts {minibatch} does not divide prompts_per_step {prompts}; "
            "expected whole optimizer steps in a rollout step"
        ]

    def _templates(self) -> list[str]:
        known = [*BUILT_IN_TEMPLATES, *self.templates]
        name = self.prompts.template
        problems = [
            f"templates.{own}: holds {QUESTION} {text.count(QUESTION)} times; expected it once"
            for own, text in self.templates.items()
            if text.count(QUESTION) != 1
        ]
        taken = [own for own in self.templates if own in BUILT_IN_TEMPLATES]
        problems += [f"templates.{own}: is the name of a built-in template; expected another" for own in taken]
        if name not in known:
            problems.append(f"prompts.template is {name!r}; expected one of {', '.join(known)}")
        return problems

    def _rewards(self) -> list[str]:
        judges = [term.name for term in self.reward if term.name != "overlong"]
        names = [term.name for term in self.reward]
        problems = [] if judges else ["reward judges no answer; expected a term such as plus_minus_one"]
        twice = sorted({name for name in names if names.count(name) > 1})
        return problems + [f"reward has {name} twice; expected it once, with its weight" for name in twice]

    def _stages(self) -> list[str]:
        late = [s.from_rollout_step for s in self.rollout.length_schedule if s.from_rollout_step >= self.rollout_steps]
        buffers = [term.buffer_tokens for term in self.reward if term.buffer_tokens]
        shortest = min(stage.max_response_tokens for stage in self.rollout.length_schedule)
        problems = [
            f"length_schedule has a stage from rollout step {step}, the run has {self.rollout_steps}; expected "
            "stages that begin before its end"
            for step in late
        ]
        return problems + [
            f"reward: overlong has buffer_tokens {buffer}, the shortest cap is {shortest}; expected fewer"
            for buffer in buffers
            if buffer >= shortest
        ]
