"""The committed RL recipes: they plan before anything is here, and hold the paper's numbers."""

from pathlib import Path

import pytest

from manifests.layout import DataFolder
from manifests.load import load_manifest, recipe_files
from training.rl.plan import plan_rl, plan_rows
from training.rl.schedule import Span

RECIPES = [path for path in recipe_files() if "kind: rl\n" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_plans_before_a_byte_is_here(path: Path, tmp_path: Path) -> None:
    plan = plan_rl(load_manifest(path, "rl"), DataFolder(tmp_path))
    assert plan.prompts is None and len(plan.notes) == 2
    assert sum(row[3] for row in plan_rows(plan)) == plan.optimizer_steps


def test_each_branch_of_both_sizes_has_a_run() -> None:
    names = {path.stem for path in RECIPES}
    wanted = {f"octothinker-rl-{size}-{branch}" for size in ("1b", "3b") for branch in ("long", "short", "hybrid")}
    assert wanted | {"demo-rl"} == names


def test_the_long_branch_has_the_schedule_and_batch_of_the_paper(tmp_path: Path) -> None:
    plan = plan_rl(load_manifest("octothinker-rl-3b-long", "rl"), DataFolder(tmp_path))
    assert plan.spans == [Span(1, 100, 2048), Span(101, 160, 4096), Span(161, 200, 8192)]
    rollout, policy = plan.manifest.rollout, plan.manifest.policy
    assert (rollout.prompts_per_step, rollout.responses_per_prompt, policy.minibatch_prompts) == (128, 16, 64)
    assert (policy.learning_rate, policy.kl_coefficient, rollout.temperature) == (1e-6, 0.0, 1.0)
    assert "final answer will be extracted automatically by the \\boxed{} tag" in plan.template_text
