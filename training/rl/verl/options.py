"""What a launch with verl needs to know of machines. None of it enters a fingerprint."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from training.jobs.slurm import Slurm

Engine = Literal["vllm", "sglang"]
Rendering = Literal["one_run", "staged"]

FEWEST_TOKENS_PER_GPU = 16_384  # verl's own default of ppo_max_token_len_per_gpu

# Keys of verl that a user may set: machines, memory and speed. What decides what is learned comes from the manifest.
ALLOWED_EXTRA = (
    "actor_rollout_ref.actor.fsdp_config.forward_prefetch",
    "actor_rollout_ref.actor.fsdp_config.fsdp_size",
    "actor_rollout_ref.actor.fsdp_config.optimizer_offload",
    "actor_rollout_ref.actor.fsdp_config.param_offload",
    "actor_rollout_ref.actor.fsdp_config.ulysses_sequence_parallel_size",
    "actor_rollout_ref.actor.fsdp_config.use_torch_compile",
    "actor_rollout_ref.actor.use_torch_compile",
    "actor_rollout_ref.actor.entropy_checkpointing",
    "actor_rollout_ref.actor.entropy_from_logits_with_chunking",
    "actor_rollout_ref.model.enable_activation_offload",
    "actor_rollout_ref.model.enable_gradient_checkpointing",
    "actor_rollout_ref.model.use_liger",
    "actor_rollout_ref.model.use_remove_padding",
    "actor_rollout_ref.ref.fsdp_config.param_offload",
    "actor_rollout_ref.rollout.agent.num_workers",
    "actor_rollout_ref.rollout.enable_chunked_prefill",
    "actor_rollout_ref.rollout.enable_prefix_caching",
    "actor_rollout_ref.rollout.enforce_eager",
    "actor_rollout_ref.rollout.free_cache_engine",
    "actor_rollout_ref.rollout.gpu_memory_utilization",
    "actor_rollout_ref.rollout.max_num_batched_tokens",
    "actor_rollout_ref.rollout.max_num_seqs",
    "ray_kwargs.ray_init.num_cpus",
    "reward.num_workers",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units",
    "transfer_queue.backend.SimpleStorage.total_storage_size",
    "trainer.ray_wait_register_center_timeout",
    "+actor_rollout_ref.model.override_config.attn_implementation",
    "+ray_kwargs.ray_init.include_dashboard",
)


@dataclass(frozen=True)
class Options:
    """Where and how wide verl runs."""

    python: Path | None  # verl's interpreter; None: the files are written, nothing can be started
    nodes: int = 1
    gpus_per_node: int = 8
    engine: Engine = "vllm"
    tp: int = 1  # GPUs that share each layer while responses are sampled
    max_tokens_per_gpu: int | None = None  # None: the longest prompt and response, at least FEWEST_TOKENS_PER_GPU
    rendering: Rendering = "one_run"
    ray_address: str | None = None  # HOST:PORT of a Ray cluster that runs already
    slurm: Slurm = field(default_factory=Slurm)
    slurm_job: bool = False  # launch submits run.sbatch
    extra: Mapping[str, Any] = field(default_factory=dict)  # keys of ALLOWED_EXTRA
    engine_words: tuple[str, ...] = ()
    """Override words for an engine that no user has, such as the CPU plugin of the engine test. No flag sets them; they
    are checked by verl alone, come last and win."""

    @property
    def gpus(self) -> int:
        """GPUs of all nodes."""
        return self.nodes * self.gpus_per_node

    def record(self) -> dict[str, Any]:
        """The options as JSON values."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
