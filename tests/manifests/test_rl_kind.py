"""The RL manifest: what is refused, with the place and what to write instead."""

from pathlib import Path

import pytest

from manifests.errors import ManifestError
from manifests.load import load_manifest

GOOD = {
    "checkpoint": "base@1/long",
    "prompts": "{corpus: math@1}",
    "rollout": "{length_schedule: [[0, 2048], [100, 4K]]}",
    "rollout_steps": "200",
}


def _manifest(folder: Path, **changes: str) -> Path:
    lines = {"kind": "rl", "name": "zero", "version": "1"} | GOOD | changes
    path = folder / "zero.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in lines.items()))
    return path


def test_the_paper_s_numbers_are_the_defaults(tmp_path: Path) -> None:
    manifest = load_manifest(_manifest(tmp_path), "rl").manifest
    assert (manifest.rollout.prompts_per_step, manifest.rollout.responses_per_prompt) == (128, 16)
    assert manifest.optimizer_steps_per_rollout == 2
    assert [term.name for term in manifest.reward] == ["plus_minus_one"]
    assert manifest.rollout.longest == 4000  # 4K is a thousand times four, as everywhere


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rollout": "{length_schedule: [[10, 2048]]}"}, "expected 0 first, then rising steps"),
        ({"rollout": "{length_schedule: [[0, 2048], [0, 4096]]}"}, "expected 0 first, then rising steps"),
        ({"rollout": "{length_schedule: [2048]}"}, r"2048 is no stage; expected [first rollout step"),
        ({"rollout": "{length_schedule: [[0, 2048], [200, 4096]]}"}, "a stage from rollout step 200, the run has 200"),
        ({"policy": "{minibatch_prompts: 48}"}, "minibatch_prompts 48 does not divide prompts_per_step 128"),
        ({"reward": "[{name: overlong, buffer_tokens: 100}]"}, "reward judges no answer"),
        ({"reward": "[{name: zero_one}, {name: zero_one}]"}, "reward has zero_one twice"),
        ({"reward": "[{name: zero_one, buffer_tokens: 5}]"}, "only `overlong` has one"),
        ({"reward": "[{name: zero_one}, {name: overlong}]"}, "overlong with buffer_tokens None; expected it"),
        ({"reward": "[{name: zero_one}, {name: overlong, buffer_tokens: 2048}]"}, "cap is 2048; expected fewer"),
        ({"reward": "[{name: zero_on}]"}, "did you mean 'zero_one'"),
        ({"prompts": "{corpus: math@1, template: compelx}"}, "prompts.template is 'compelx'; expected one of simple"),
        ({"templates": "{mine: 'Q: A:'}"}, "holds {question} 0 times; expected it once"),
        ({"templates": "{simple: '{question}'}"}, "is the name of a built-in template"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_said(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    with pytest.raises(ManifestError) as failed:
        load_manifest(_manifest(tmp_path, **changes), "rl")
    assert expected in str(failed.value)
    assert "zero.yaml:" in str(failed.value)


def test_a_template_of_one_s_own_can_be_named(tmp_path: Path) -> None:
    changes = {"templates": "{mine: 'Q: {question} A:'}", "prompts": "{corpus: math@1, template: mine}"}
    assert load_manifest(_manifest(tmp_path, **changes), "rl").manifest.prompts.template == "mine"
