"""TRL's GRPOTrainer, made to say nothing to the network and to stop before a broken update."""

import math
from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from manifests.errors import TrainingError
from manifests.kinds.rl import Policy

NOT_FINITE = (
    "expected finite numbers. The weights are those before this step, and the checkpoints are good. Lower "
    "policy.learning_rate or policy.clip_norm, or use precision float32."
)


class PolicyTrainer(GRPOTrainer):
    """GRPO as TRL computes it, on prompts and responses that are ours."""

    def _send_telemetry(self) -> None:
        """TRL reports each trainer to its makers; this program tells nobody what is trained."""

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward of one pass. Raises TrainingError for a loss that is not finite."""
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        if not math.isfinite(loss.item()):
            raise TrainingError(f"optimizer step {self.state.global_step + 1}: the loss is {loss.item()}; {NOT_FINITE}")
        return loss


def make_trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    config: GRPOConfig,
    prompts: Dataset,
    optimizer: torch.optim.Optimizer,
    hooks: TrainerCallback,
    draw: Callable[..., dict[str, Any]],
    reward: Callable[..., list[float | None]],
) -> PolicyTrainer:
    """The trainer of one launch; `hooks` hears of every step, `draw` samples, `reward` judges."""
    trainer = PolicyTrainer(
        model=model,
        reward_funcs=reward,
        args=config,
        train_dataset=prompts,
        processing_class=tokenizer,
        callbacks=[hooks],
        optimizers=(optimizer, None),
        rollout_func=draw,
    )
    trainer.remove_callback(PrinterCallback)  # stdout is for data
    return trainer


def make_optimizer(model: PreTrainedModel, policy: Policy) -> torch.optim.AdamW:
    """AdamW as verl makes it: every parameter decays. Raises TrainingError at a step whose gradient is not finite."""
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=policy.learning_rate,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=policy.weight_decay,
        fused=next(model.parameters()).is_cuda,
    )
    optimizer.register_step_pre_hook(_refuse_broken_gradient)
    return optimizer


def _refuse_broken_gradient(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients).item()
    if not math.isfinite(norm):
        raise TrainingError(f"the gradient of an optimizer step has the norm {norm}; {NOT_FINITE}")


def refuse_broken_weights(model: PreTrainedModel, when: str) -> None:
    """Raises TrainingError where a weight is not finite."""
    broken = next((name for name, weight in model.named_parameters() if not bool(weight.isfinite().all())), None)
    if broken:
        raise TrainingError(
            f"{when}: {broken} holds numbers that are not finite; expected finite weights. The checkpoints before it "
            "are good. Lower policy.learning_rate, or use precision float32."
        )
