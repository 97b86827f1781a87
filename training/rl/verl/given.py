"""What a launch rests on: the plan, the options, and where its files lie."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from manifests.kinds.rl import RlManifest
from manifests.records import read_record
from training.rl.plan import RlPlan
from training.rl.verl.options import FEWEST_TOKENS_PER_GPU, Options
from training.rl.verl.stages import Stage, stages_of


@dataclass(frozen=True)
class Given:
    """A complete plan whose files lie in `root`: prompts/, tokenizer/ and, written by us, verl/."""

    plan: RlPlan
    options: Options
    root: Path

    @property
    def manifest(self) -> RlManifest:
        """The manifest of the run."""
        return self.plan.manifest

    @property
    def folder(self) -> Path:
        """Where everything of verl lies; absolute, since verl's processes start elsewhere."""
        return self.root.absolute() / "verl"

    @property
    def prompts(self) -> Path:
        """The prompts of training."""
        return self.root.absolute() / "prompts" / "train.parquet"

    @property
    def validation(self) -> Path | None:
        """The validation problems, None where the manifest has none."""
        return self.root.absolute() / "prompts" / "validation.parquet" if self.manifest.validation else None

    @property
    def tokenizer(self) -> Path:
        """The tokenizer whose chat template passes a prompt through."""
        return self.root.absolute() / "tokenizer"

    @property
    def loops(self) -> Path:
        """The file that names our agent loop to verl."""
        return self.folder / "octo_verl" / "loops.yaml"

    @cached_property
    def stages(self) -> list[Stage]:
        """The starts of verl."""
        return stages_of(self.plan.spans, self.manifest.rollout_steps, self.options.rendering, self.folder)

    @property
    def batch(self) -> int:
        """Responses of a rollout step."""
        return self.manifest.rollout.prompts_per_step * self.manifest.rollout.responses_per_prompt

    def context(self, stage: Stage) -> int:
        """Positions that sampling needs, in tokens: the longest prompt and response of a stage together.

        One more for SGLang, since verl takes one off before it asks for a response (async_sglang_server.py).
        """
        spare = 1 if self.options.engine == "sglang" else 0
        return self.manifest.prompts.max_prompt_tokens + stage.width + spare

    def tokens_per_gpu(self, stage: Stage) -> int:
        """Tokens in one pass on a GPU."""
        return self.options.max_tokens_per_gpu or max(FEWEST_TOKENS_PER_GPU, self.context(stage))

    @cached_property
    def end_ids(self) -> list[int]:
        """The ids of an end of text that the checkpoint names; a response without one was cut off."""
        path = self.plan.checkpoint.path
        names = [name for name in ("config.json", "generation_config.json") if (path / name).is_file()]
        stated = [read_record(path / name).get("eos_token_id") for name in names]
        ids = {number for value in stated for number in (value if isinstance(value, list) else [value])}
        return sorted(number for number in ids if isinstance(number, int))
