"""The manifest as TRL's settings: every one that changes a result is said here, none is left to a default."""

from typing import TYPE_CHECKING, Any

from manifests.errors import TrainingError
from manifests.kinds.rl import RlManifest
from training.rl.grpo.fit import Fit, update_at_once
from training.rl.run import RlRun

if TYPE_CHECKING:
    import torch
    from trl import GRPOConfig

LOSS_TYPES = {"token_mean": "dapo", "sequence_mean": "grpo", "fixed_length": "dr_grpo"}
DUAL_CLIP = 3.0
"""verl's `clip_ratio_c`, which the paper's scripts leave: the ratio of a token with a negative advantage counts at most
this much (dual-clip PPO, arXiv 1912.09729). TRL calls it `delta`."""


def grpo_config(run: RlRun, device: "torch.device", rollout_steps: int, fit: Fit) -> "GRPOConfig":
    """TRL's settings for the `rollout_steps` that are left of a run. Raises TrainingError for what TRL refuses."""
    from trl import GRPOConfig

    settings = {
        **batch_settings(run.plan.manifest, rollout_steps, fit),
        **policy_settings(run.plan.manifest),
        **sampling_settings(run.plan.manifest),
        **machine_settings(run, device, fit),
    }
    try:
        config = GRPOConfig(**settings)
    except ValueError as error:
        raise TrainingError(f"{run.identity}: TRL refuses the settings of this run ({error}).") from error
    config._n_gpu = min(config.n_gpu, 1)  # this process uses one device, however many there are to see
    return config


def batch_settings(manifest: RlManifest, rollout_steps: int, fit: Fit) -> dict[str, Any]:
    """How prompts, responses, mini-batches and steps are counted; TRL counts responses and optimizer steps."""
    group, at_once = manifest.rollout.responses_per_prompt, update_at_once(manifest, fit)
    return {
        "num_generations": group,
        "generation_batch_size": manifest.rollout.prompts_per_step * group,
        "per_device_train_batch_size": at_once,
        "gradient_accumulation_steps": manifest.policy.minibatch_prompts * group // at_once,
        "num_iterations": 1,
        "max_steps": rollout_steps * manifest.optimizer_steps_per_rollout,
        "shuffle_dataset": False,  # training.rl.grpo.order has shuffled the prompts
        "dataloader_num_workers": 0,
        "dataloader_drop_last": False,
        "seed": manifest.seed,
    }


def policy_settings(manifest: RlManifest) -> dict[str, Any]:
    """The update. The optimizer itself is ours: see `make_optimizer`."""
    policy = manifest.policy
    return {
        "learning_rate": policy.learning_rate,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "max_grad_norm": policy.clip_norm,
        "epsilon": policy.clip_ratio,
        "epsilon_high": policy.clip_ratio if policy.clip_ratio_high is None else policy.clip_ratio_high,
        "delta": DUAL_CLIP,
        "beta": policy.kl_coefficient,
        "use_bias_correction_kl": False,
        "sync_ref_model": False,
        "loss_type": LOSS_TYPES[policy.loss_aggregation],
        "scale_rewards": "group" if policy.normalise_by_deviation else "none",
        "multi_objective_aggregation": "sum_then_normalize",
        "importance_sampling_level": "token",
        "mask_truncated_completions": False,
        "off_policy_mask_threshold": None,
        "top_entropy_quantile": 1.0,
        "entropy_coef": 0.0,
        "use_adaptive_entropy": False,
        "disable_dropout": True,  # TRL samples in training mode, so dropout would make the responses another policy's
    }


def sampling_settings(manifest: RlManifest) -> dict[str, Any]:
    """How responses are drawn; the cap changes before each rollout step, see `training.rl.grpo.length`."""
    rollout = manifest.rollout
    return {
        "temperature": rollout.temperature,
        "top_p": rollout.top_p,
        "top_k": 0,
        "min_p": None,
        "repetition_penalty": 1.0,
        "max_completion_length": rollout.length_schedule[0].max_response_tokens,
        "use_vllm": False,
        "use_transformers_continuous_batching": False,
    }


def machine_settings(run: RlRun, device: "torch.device", fit: Fit) -> dict[str, Any]:
    """Where it is computed and what TRL writes itself: nothing. Saving, logging and resuming are ours."""
    return {
        "output_dir": str(run.grpo_folder),
        "use_cpu": device.type == "cpu",
        "bf16": run.plan.manifest.precision == "bfloat16",
        "fp16": False,
        "tf32": False if run.plan.manifest.precision == "float32" else None,
        "gradient_checkpointing": fit.recompute,
        "gradient_checkpointing_kwargs": {"use_reentrant": False} if fit.recompute else None,
        "torch_compile": False,
        "model_init_kwargs": {"use_safetensors": True, "local_files_only": True, "device_map": None},
        "save_strategy": "no",
        "eval_strategy": "no",
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "push_to_hub": False,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
    }
