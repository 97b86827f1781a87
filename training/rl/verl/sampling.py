"""The settings of sampling: the engine, its requests, our agent loop, and validation."""

from training.rl.verl.given import Given
from training.rl.verl.stages import ONE_RUN, Stage
from training.rl.verl.words import Settings

LOOP = "octo_length_schedule"
FEWEST_BATCHED_TOKENS = 8_192  # verl's own default of max_num_batched_tokens


def sampling_settings(given: Given, stage: Stage) -> Settings:
    """How a stage samples responses."""
    return {**_rollout(given, stage), **_agent(given), **_validation(given)}


def _rollout(given: Given, stage: Stage) -> Settings:
    rollout, section = given.manifest.rollout, "actor_rollout_ref.rollout"
    return {
        f"{section}.name": given.options.engine,
        f"{section}.mode": "async",
        f"{section}.n": rollout.responses_per_prompt,
        f"{section}.do_sample": True,
        f"{section}.temperature": rollout.temperature,
        f"{section}.top_p": rollout.top_p,
        f"{section}.top_k": -1,
        f"{section}.seed": given.manifest.seed,
        f"{section}.dtype": given.manifest.precision,
        f"{section}.tensor_model_parallel_size": given.options.tp,
        f"{section}.data_parallel_size": 1,
        f"{section}.pipeline_model_parallel_size": 1,
        f"{section}.max_model_len": given.context(stage),
        f"{section}.max_num_batched_tokens": max(FEWEST_BATCHED_TOKENS, given.context(stage)),
        f"{section}.gpu_memory_utilization": 0.5,  # verl's default: the policy is trained on the same GPUs
        f"{section}.calculate_log_probs": True,  # how far sampler and trainer differ
        f"{section}.ignore_eos": False,
        f"{section}.log_prob_use_dynamic_bsz": True,
        f"{section}.log_prob_max_token_len_per_gpu": given.tokens_per_gpu(stage),
        f"{section}.multi_turn.enable": False,
    }


def _agent(given: Given) -> Settings:
    """Inside one run our agent loop sets the cap of every request; a stage has one cap, its tensors' width."""
    agent, own = "actor_rollout_ref.rollout.agent", given.options.rendering == ONE_RUN
    return {
        f"{agent}.num_workers": 8,
        f"{agent}.default_agent_loop": LOOP if own else "single_turn_agent",
        f"{agent}.agent_loop_config_path": str(given.loops) if own else None,
    }


def _validation(given: Given) -> Settings:
    validation, section = given.manifest.validation, "actor_rollout_ref.rollout.val_kwargs"
    temperature = validation.temperature if validation else 0.0
    return {
        f"{section}.n": 1,
        f"{section}.do_sample": temperature > 0,
        f"{section}.temperature": temperature,
        f"{section}.top_p": given.manifest.rollout.top_p,  # as the local backend
        f"{section}.top_k": -1,
    }
