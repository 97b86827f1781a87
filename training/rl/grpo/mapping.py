"""What the manifest's words are called in TRL and in verl, and where the two do not do the same."""

from typing import Any

from manifests.kinds.rl import RlManifest
from training.rl.grpo.fit import Fit
from training.rl.grpo.settings import DUAL_CLIP, batch_settings, policy_settings

COLUMNS = ["setting", "value", "trl", "verl", "where_they_differ"]
VERL_AGGREGATION = {
    "token_mean": "token-mean",
    "sequence_mean": "seq-mean-token-mean",
    "fixed_length": "seq-mean-token-sum-norm",
}
AGGREGATION_NOTE = {
    "token_mean": "TRL divides by a mini-batch's share of the rollout step's tokens, verl by its own tokens",
    "sequence_mean": "",
    "fixed_length": "TRL divides by the cap of the rollout step, verl by the longest response its tensors hold",
}


def mapping_rows(manifest: RlManifest, fit: Fit = Fit()) -> list[list[Any]]:
    """One row a setting, in the order of COLUMNS; `where_they_differ` is empty where both do the same."""
    return [*_batch_rows(manifest, fit), *_policy_rows(manifest), *_sampling_rows(manifest), *_other_rows(manifest)]


def mapping_lines(manifest: RlManifest, fit: Fit = Fit()) -> list[str]:
    """The rows as lines for a person."""
    return [
        f"{setting} {value}: TRL {trl}; verl {verl}" + (f" ({note})" if note else "")
        for setting, value, trl, verl, note in mapping_rows(manifest, fit)
    ]


def _batch_rows(manifest: RlManifest, fit: Fit) -> list[list[Any]]:
    trl = batch_settings(manifest, manifest.rollout_steps, fit)
    at_once, passes = trl["per_device_train_batch_size"], trl["gradient_accumulation_steps"]
    prompts, group = manifest.rollout.prompts_per_step, manifest.rollout.responses_per_prompt
    minibatch = manifest.policy.minibatch_prompts
    return [
        ["rollout.prompts_per_step", prompts, f"generation_batch_size={trl['generation_batch_size']}",
         f"data.train_batch_size={prompts}",
         "the order of the prompts is each backend's own; verl drops what is left of a pass, here none is"],
        ["rollout.responses_per_prompt", group, f"num_generations={group}", f"actor_rollout_ref.rollout.n={group}", ""],
        ["policy.minibatch_prompts", minibatch,
         f"per_device_train_batch_size={at_once} gradient_accumulation_steps={passes}",
         f"actor_rollout_ref.actor.ppo_mini_batch_size={minibatch}",
         "TRL shuffles a rollout step's responses before it cuts mini-batches, verl keeps groups together"],
        ["rollout_steps", manifest.rollout_steps, f"max_steps={trl['max_steps']}",
         f"trainer.total_training_steps={manifest.rollout_steps}", "TRL counts optimizer steps, verl rollout steps"],
    ]  # fmt: skip


def _policy_rows(manifest: RlManifest) -> list[list[Any]]:
    policy, trl = manifest.policy, policy_settings(manifest)
    actor = "actor_rollout_ref.actor"
    aggregation = policy.loss_aggregation
    kl = f"{actor}.use_kl_loss=True {actor}.kl_loss_coef={policy.kl_coefficient} {actor}.kl_loss_type=low_var_kl"
    return [
        ["policy.learning_rate", policy.learning_rate,
         f"learning_rate={policy.learning_rate} lr_scheduler_type=constant",
         f"{actor}.optim.lr={policy.learning_rate} {actor}.optim.lr_scheduler_type=constant", ""],
        ["policy.weight_decay", policy.weight_decay, "our AdamW, all parameters, betas 0.9 0.999",
         f"{actor}.optim.weight_decay={policy.weight_decay}", ""],
        ["policy.clip_norm", policy.clip_norm, f"max_grad_norm={policy.clip_norm}",
         f"{actor}.optim.clip_grad={policy.clip_norm}", ""],
        ["policy.clip_ratio", policy.clip_ratio, f"epsilon={policy.clip_ratio}",
         f"{actor}.clip_ratio_low={policy.clip_ratio}", ""],
        ["policy.clip_ratio_high", policy.clip_ratio_high, f"epsilon_high={trl['epsilon_high']}",
         f"{actor}.clip_ratio_high={trl['epsilon_high']}", ""],
        ["(dual clip)", DUAL_CLIP, f"delta={DUAL_CLIP}", f"{actor}.clip_ratio_c={DUAL_CLIP}", ""],
        ["policy.kl_coefficient", policy.kl_coefficient, f"beta={policy.kl_coefficient} use_bias_correction_kl=False",
         kl if policy.kl_coefficient else f"{actor}.use_kl_loss=False",
         "verl limits a token's KL to 10" if policy.kl_coefficient else ""],
        ["policy.loss_aggregation", aggregation, f"loss_type={trl['loss_type']}",
         f"{actor}.loss_agg_mode={VERL_AGGREGATION[aggregation]}", AGGREGATION_NOTE[aggregation]],
        ["policy.normalise_by_deviation", policy.normalise_by_deviation, f"scale_rewards={trl['scale_rewards']}",
         f"algorithm.norm_adv_by_std_in_grpo={policy.normalise_by_deviation}",
         "TRL adds 1e-4 to the deviation, verl 1e-6" if policy.normalise_by_deviation else ""],
    ]  # fmt: skip


def _sampling_rows(manifest: RlManifest) -> list[list[Any]]:
    rollout, verl = manifest.rollout, "actor_rollout_ref.rollout"
    stages = [[stage.from_rollout_step, stage.max_response_tokens] for stage in rollout.length_schedule]
    return [
        ["rollout.temperature", rollout.temperature, f"temperature={rollout.temperature}",
         f"{verl}.temperature={rollout.temperature}", ""],
        ["rollout.top_p", rollout.top_p, f"top_p={rollout.top_p} top_k=0", f"{verl}.top_p={rollout.top_p}", ""],
        ["rollout.length_schedule", stages, "max_completion_length, set before each rollout step",
         "data.max_response_length and the response cap of each rollout step", ""],
    ]  # fmt: skip


def _other_rows(manifest: RlManifest) -> list[list[Any]]:
    return [
        ["precision", manifest.precision, f"bf16={manifest.precision == 'bfloat16'}",
         "param_dtype of FSDP's mixed precision",
         "here sampling and update share one implementation; verl samples with another engine"],
        ["seed", manifest.seed, f"seed={manifest.seed}", f"data.seed={manifest.seed}",
         "here every rollout step has its own seed; verl's engine samples without one"],
    ]  # fmt: skip
