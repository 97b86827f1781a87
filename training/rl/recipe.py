"""What an RL run rests on, as a recipe to fingerprint: the weights it starts from, the prompts, the reward, the rules.

How often to save changes no weight and stands in no recipe; nor does the backend, which is recorded beside it.
"""

from typing import TYPE_CHECKING, Any

from classifiers.answers.check import REVISION as ANSWERS_REVISION
from training.rl.rewards.compose import REVISION as REWARDS_REVISION

if TYPE_CHECKING:
    from training.rl.plan import RlPlan

CODE_REVISION = 1  # raise it when a change of the RL code changes prompts or weights


def rl_recipe(plan: "RlPlan") -> dict[str, Any]:
    """All that the run's weights and verdicts rest on. Reads the checkpoint's weights; the plan must be complete."""
    manifest, prompts = plan.manifest, plan.require_prompts()
    return {
        "checkpoint": plan.checkpoint.digest,
        "prompts": manifest.prompts.model_dump() | {"digest": prompts.facts["train"]["digest"]},
        "template": plan.template_text,
        "validation": _validation_recipe(plan),
        "reward": [term.model_dump(exclude_none=True) for term in manifest.reward],
        "rollout": manifest.rollout.model_dump(),
        "policy": manifest.policy.model_dump(),
        "precision": manifest.precision,
        "rollout_steps": manifest.rollout_steps,
        "seed": manifest.seed,
        "revisions": {"answers": ANSWERS_REVISION, "rewards": REWARDS_REVISION, "code": CODE_REVISION},
    }


def _validation_recipe(plan: "RlPlan") -> dict[str, Any] | None:
    validation = plan.manifest.validation
    if validation is None:
        return None
    rules = validation.model_dump(exclude={"sets": {"__all__": {"file"}}})
    sets = plan.require_prompts().facts["validation"]
    return rules | {"digests": {name: given["digest"] for name, given in sets.items()}}
