"""Manifest and paths → the settings of one start of verl, complete: what matters is never left to verl's defaults.

Sources of what is not the manifest's: verl 0.9.1's own defaults where it says so, and its source for the traps.
"""

from training.rl.verl.given import Given
from training.rl.verl.sampling import sampling_settings
from training.rl.verl.stages import Stage
from training.rl.verl.words import Settings

LOSS_AGGREGATION = {
    "token_mean": "token-mean", "sequence_mean": "seq-mean-token-mean", "fixed_length": "seq-mean-token-sum-norm",
}  # fmt: skip
PRECISION = {"float32": "fp32", "bfloat16": "bf16"}
REWARD_PACKAGE, OWN_PACKAGE = "octo_reward", "octo_verl"
REWARD_WORKERS = 8  # processes that judge responses, verl's own default
QUEUE_SLOTS = 100_000  # verl's own default of total_storage_size


def stage_settings(given: Given, stage: Stage) -> Settings:
    """Every setting of a stage but where it starts from, which `start_settings` says."""
    return {
        **_data(given, stage),
        **_model(given),
        **_actor(given, stage),
        **_reference(given, stage),
        **sampling_settings(given, stage),
        **_algorithm(given),
        **_reward(),
        **_trainer(given, stage),
        **_files(given, stage),
        **_machines(given),
        **given.options.extra,
    }


def start_settings(given: Given, stage: Stage) -> Settings:
    """A stage that starts: from the model, or from the exact end of the stage before."""
    number = given.stages.index(stage)
    if number == 0:
        return _start("disable", None, given.validation is not None)
    return _start("resume_path", str(given.stages[number - 1].end), False)  # that end was validated there


def resume_settings() -> Settings:
    """A stage that goes on from its own newest checkpoint, which was validated where that was due."""
    return _start("auto", None, False)


def _start(mode: str, path: str | None, validate: bool) -> Settings:
    return {"trainer.resume_mode": mode, "trainer.resume_from_path": path, "trainer.val_before_train": validate}


def _data(given: Given, stage: Stage) -> Settings:
    """Prompts are measured already, with the tokenizer verl uses: its own filter would drop rows without a word."""
    return {
        "data.train_files": str(given.prompts),
        "data.val_files": str(given.validation or given.prompts),
        "data.train_max_samples": -1,
        "data.val_max_samples": -1 if given.validation else 1,
        "data.prompt_key": "prompt",
        "data.reward_fn_key": "data_source",
        "data.train_batch_size": given.manifest.rollout.prompts_per_step,
        "data.gen_batch_size": None,
        "data.val_batch_size": None,
        "data.max_prompt_length": given.manifest.prompts.max_prompt_tokens,
        "data.max_response_length": stage.width,
        "data.filter_overlong_prompts": False,
        "data.truncation": "error",
        "data.return_raw_chat": True,
        "data.shuffle": True,
        "data.validation_shuffle": False,
        "data.seed": given.manifest.seed,
        "data.dataloader_num_workers": 0,  # a resume with another number crashes
        "data.trust_remote_code": False,
    }


def _model(given: Given) -> Settings:
    return {
        "actor_rollout_ref.model.path": str(given.plan.checkpoint.path.absolute()),
        "actor_rollout_ref.model.tokenizer_path": str(given.tokenizer),
        "actor_rollout_ref.model.custom_chat_template": None,
        "actor_rollout_ref.model.trust_remote_code": False,
        "actor_rollout_ref.model.use_remove_padding": True,
        "actor_rollout_ref.model.enable_gradient_checkpointing": True,
        "actor_rollout_ref.model.lora_rank": 0,
    }


def _actor(given: Given, stage: Stage) -> Settings:
    policy, actor = given.manifest.policy, "actor_rollout_ref.actor"
    return {
        f"{actor}.strategy": "fsdp2",
        f"{actor}.ppo_mini_batch_size": policy.minibatch_prompts,  # prompts: verl multiplies by rollout.n itself
        f"{actor}.ppo_epochs": 1,
        f"{actor}.use_dynamic_bsz": True,
        f"{actor}.ppo_max_token_len_per_gpu": given.tokens_per_gpu(stage),
        f"{actor}.shuffle": False,
        f"{actor}.data_loader_seed": given.manifest.seed,
        f"{actor}.clip_ratio": policy.clip_ratio,
        f"{actor}.clip_ratio_low": policy.clip_ratio,
        f"{actor}.clip_ratio_high": policy.clip_ratio_high or policy.clip_ratio,
        f"{actor}.clip_ratio_c": 3.0,  # verl's default, which the paper's scripts leave
        f"{actor}.loss_agg_mode": LOSS_AGGREGATION[policy.loss_aggregation],
        f"{actor}.loss_scale_factor": stage.width if policy.loss_aggregation == "fixed_length" else None,
        f"{actor}.policy_loss.loss_mode": "vanilla",
        f"{actor}.entropy_coeff": 0.0,
        f"{actor}.use_kl_loss": policy.kl_coefficient > 0,
        f"{actor}.kl_loss_coef": policy.kl_coefficient,
        f"{actor}.kl_loss_type": "low_var_kl",
        f"{actor}.optim.lr": policy.learning_rate,
        f"{actor}.optim.lr_scheduler_type": "constant",  # any other would jump where a stage resumes
        f"{actor}.optim.lr_warmup_steps": 0,
        f"{actor}.optim.lr_warmup_steps_ratio": 0.0,
        f"{actor}.optim.weight_decay": policy.weight_decay,
        f"{actor}.optim.clip_grad": policy.clip_norm,
        f"{actor}.checkpoint.save_contents": ["model", "optimizer", "extra", "hf_model"],
        f"{actor}.checkpoint.load_contents": ["model", "optimizer", "extra"],
        f"{actor}.checkpoint.async_save": False,  # else verl does not write which checkpoint is the newest
        **_precision(given, f"{actor}.fsdp_config"),
    }


def _precision(given: Given, section: str) -> Settings:
    """FSDP reads `mixed_precision` alone: the setting `dtype`, which verl has too, changes nothing there."""
    return {
        f"{section}.model_dtype": "fp32",
        f"{section}.dtype": given.manifest.precision,
        f"+{section}.mixed_precision.param_dtype": PRECISION[given.manifest.precision],
        f"+{section}.mixed_precision.reduce_dtype": "fp32",
        f"+{section}.mixed_precision.buffer_dtype": "fp32",
        f"{section}.seed": given.manifest.seed,
    }


def _reference(given: Given, stage: Stage) -> Settings:
    """The frozen checkpoint, which verl loads only for a KL loss."""
    reference = "actor_rollout_ref.ref"
    return {
        f"{reference}.log_prob_use_dynamic_bsz": True,
        f"{reference}.log_prob_max_token_len_per_gpu": given.tokens_per_gpu(stage),
        **_precision(given, f"{reference}.fsdp_config"),
    }


def _algorithm(given: Given) -> Settings:
    return {
        "algorithm.adv_estimator": "grpo",
        "algorithm.norm_adv_by_std_in_grpo": given.manifest.policy.normalise_by_deviation,
        "algorithm.use_kl_in_reward": False,
        "algorithm.filter_groups.enable": False,
        "algorithm.rollout_correction.rollout_is": None,
        "algorithm.rollout_correction.rollout_rs": None,
        "algorithm.rollout_correction.bypass_mode": False,
        "critic.enable": False,
    }


def _reward() -> Settings:
    """Packages, never loose files: verl loads a file under a made-up name, which a child process cannot import."""
    return {
        "reward.custom_reward_function.path": f"pkg://{REWARD_PACKAGE}",
        "reward.custom_reward_function.name": "compute_score",
        "reward.reward_manager.source": "importlib",
        "reward.reward_manager.module.path": f"pkg://{OWN_PACKAGE}.reward_manager",
        "reward.reward_manager.name": "LengthAwareRewardManager",
        "reward.reward_model.enable": False,
        "reward.num_workers": REWARD_WORKERS,
    }


def _trainer(given: Given, stage: Stage) -> Settings:
    manifest = given.manifest
    return {
        "trainer.use_v1": True,
        "trainer.v1.trainer_mode": "sync",
        "trainer.v1.sampler.sync_refill_failed_groups": False,
        "trainer.critic_warmup": 0,
        "trainer.total_training_steps": stage.last,  # of the whole run so far: verl counts on
        "trainer.total_epochs": manifest.rollout_steps + 1,  # an epoch has a step or more, so this never ends a run
        "trainer.save_freq": manifest.checkpoints.every_rollout_steps,
        "trainer.max_actor_ckpt_to_keep": manifest.checkpoints.keep,
        "trainer.test_freq": manifest.validation.every_rollout_steps if manifest.validation else -1,
        "trainer.val_only": False,
        "trainer.log_val_generations": 0,
        "trainer.logger": ["console", "file"],
        "trainer.project_name": manifest.name,
        "trainer.experiment_name": f"{manifest.identity}-{stage.name}",
        "trainer.default_hdfs_dir": None,
        "trainer.del_local_ckpt_after_load": False,
        "trainer.checkpoint_callback_class": None,
        "trainer.esi_redundant_time": 0,
    }


def _files(given: Given, stage: Stage) -> Settings:
    return {
        "trainer.default_local_dir": str(stage.checkpoints),
        "trainer.rollout_data_dir": str(stage.rollouts),
        "trainer.validation_data_dir": str(stage.validations),
        "hydra.run.dir": str(stage.folder / "hydra"),
    }


def _machines(given: Given) -> Settings:
    validation = given.manifest.validation
    validated = len(validation.sets) * validation.max_problems if validation else 0
    return {
        "trainer.nnodes": given.options.nodes,
        "trainer.n_gpus_per_node": given.options.gpus_per_node,
        "trainer.device": "cuda",
        "transfer_queue.backend.storage_backend": "SimpleStorage",
        "transfer_queue.backend.SimpleStorage.total_storage_size": max(QUEUE_SLOTS, 2 * given.batch, validated),
    }
