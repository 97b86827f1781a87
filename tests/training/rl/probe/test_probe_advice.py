"""Verdicts on measures of judged responses: each rule fires where it should, says its numbers, and not elsewhere."""

from collections.abc import Sequence
from typing import Any

import pytest

from manifests.kinds.rl import RlManifest
from training.rl.probe.advice import NOTE, advise, verdict
from training.rl.probe.measures import Measures, accuracies, measure, measures_record
from training.rl.responses import Response
from training.rl.rewards.compose import Length, Reward

THOUGHT = "There are two apples here and two more apples over there, which makes "
RIGHT, WRONG, BARE = THOUGHT + "\\boxed{4}", THOUGHT + "\\boxed{5}", THOUGHT + "four, I think."
EARLY = "\\boxed{4}"
LOOP = "and so on, " * 40
REWARD = Reward([{"name": "plus_minus_one", "weight": 1.0}])


def manifest(**changes: Any) -> RlManifest:
    """Under the complex template, from 100 tokens on."""
    content = {
        "kind": "rl",
        "name": "tiny",
        "version": 1,
        "checkpoint": "model",
        "prompts": {"corpus": "problems@1"},
        "rollout": {"prompts_per_step": 64, "length_schedule": [[0, 100]]},
        "rollout_steps": 10,
    }
    return RlManifest.model_validate(content | changes)


def responses(texts: Sequence[str], truncated: bool = False, tokens: int = 20) -> list[Response]:
    """Responses to a problem whose answer is 4, judged."""
    length = Length(tokens, 100, truncated)
    return [Response("p", text, "4", tokens, REWARD.judge(text, "4", length)) for text in texts]


def measured(*groups: Sequence[str], problems: int = 32, **of_length: Any) -> Measures:
    """Measures of `problems` problems that repeat these groups."""
    made = [responses(group, **of_length) for group in groups]
    return measure([made[number % len(made)] for number in range(problems)], 16)


def rules(measures: Measures, **changes: Any) -> dict[str, str]:
    """Rule → level of what is found."""
    findings = advise(measures, {"complex": []} | changes.pop("accuracies", {}), changes.pop("cap", 100), manifest())
    return {finding.rule: finding.level for finding in findings}


HEALTHY = ([RIGHT, WRONG], [WRONG, WRONG], [RIGHT, RIGHT])


def test_a_checkpoint_that_is_sometimes_right_is_ready() -> None:
    findings = advise(measured(*HEALTHY), {"complex": [0.5] * 32}, 100, manifest())
    assert findings == []
    assert verdict(findings) == "ready"


def test_measures_count_what_was_judged() -> None:
    measures = measured([RIGHT, WRONG, BARE, RIGHT], [BARE] * 4, problems=2)
    assert (measures.problems, measures.responses) == (2, 8)
    assert measures.boxed.value == 3 / 8
    assert measures.accuracy.value == measures.pass_at[1].value == 2 / 8
    assert measures.pass_at[2].value == pytest.approx((1 - 1 / 6) / 2)
    assert (measures.pass_at[4].value, measures.mixed.value, measures.mixed_k) == (0.5, 0.5, 4)
    assert (measures.all_right, measures.unequal_rewards, measures.reward) == (0.0, 0.5, -0.5)
    assert measures_record(measures)["pass_at"]["4"]["value"] == 0.5


def test_groups_are_measured_at_the_size_of_the_run() -> None:
    groups = [responses([RIGHT, WRONG, WRONG, WRONG])]
    assert (measure(groups, 2).mixed_k, measure(groups, 2).mixed.value) == (2, pytest.approx(0.5))
    assert (measure(groups, 16).mixed_k, measure(groups, 16).mixed.value) == (4, 1.0)


def test_accuracies_are_by_problem() -> None:
    assert accuracies([responses([RIGHT, WRONG]), responses([RIGHT, RIGHT])]) == [0.5, 1.0]


@pytest.mark.parametrize(
    ("groups", "level"),
    [([[RIGHT, BARE, BARE, BARE]], "doubtful"), ([[BARE] * 50, [RIGHT] + [BARE] * 49], "not ready")],
)
def test_few_boxes(groups: list[list[str]], level: str) -> None:
    assert rules(measured(*groups))["boxed"] == level


def test_few_boxes_name_the_template_that_was_not_tried() -> None:
    (finding,) = advise(measured([RIGHT, BARE, BARE, BARE]), {"complex": []}, 100, manifest())
    assert finding.line == (
        "doubtful: 0.25 (0.13 to 0.42) of the responses have a \\boxed answer, the rest cannot be rewarded (ready from "
        "0.5 on). Compare templates with --template simple, or mid-train on question-answer data that boxes its "
        "answers."
    )
    simple = manifest(prompts={"corpus": "problems@1", "template": "simple"})
    (finding,) = advise(measured([RIGHT, BARE, BARE, BARE]), {"simple": []}, 100, simple)
    assert "--template complex" in finding.remedy


def test_nothing_right_is_no_signal() -> None:
    findings = advise(measured([WRONG] * 4), {"complex": []}, 100, manifest())
    assert verdict(findings) == "not ready"
    assert findings[0].reason == (
        "none of 128 responses to 32 problems was right (95 %: at most 10.7% of the problems can be solved), so no "
        "group tells GRPO right from wrong"
    )


def test_a_reward_for_form_alone_is_said() -> None:
    by_form = Reward([{"name": "format", "weight": 1.0}])
    texts = [WRONG, BARE]
    group = [Response("p", text, "4", 9, by_form.judge(text, "4", Length(9, 100, False))) for text in texts]
    findings = advise(measure([group] * 32, 16), {"complex": []}, 100, manifest())
    assert findings[0].reason.endswith("; what reward differs comes from the form alone")


@pytest.mark.parametrize(("mixed", "level"), [(1, "not ready"), (4, "doubtful")])
def test_few_groups_with_a_gradient(mixed: int, level: str) -> None:
    measures = measured(*[[RIGHT, WRONG]] * mixed, *[[WRONG, WRONG]] * (32 - mixed))
    assert rules(measures) == {"weak_signal": level}


def test_a_weak_signal_says_how_many_groups_of_a_step_teach() -> None:
    measures = measured(*[[RIGHT, WRONG]] * 4, *[[WRONG, WRONG]] * 28)
    (finding,) = advise(measures, {"complex": []}, 100, manifest())
    assert "about 8 of the 64 in a rollout step give a gradient" in finding.reason


@pytest.mark.parametrize(
    ("groups", "level"), [([[RIGHT] * 2], "not ready"), ([[RIGHT] * 2] * 9 + [[RIGHT, WRONG]], "doubtful")]
)
def test_problems_that_are_too_easy(groups: list[list[str]], level: str) -> None:
    assert rules(measured(*groups)) == {"too_easy": level}


def test_responses_that_do_not_end() -> None:
    measures = measured(*HEALTHY, truncated=True)
    assert rules(measures) == {"truncated": "doubtful"}
    (finding,) = advise(measures, {"complex": []}, 100, manifest())
    assert finding.remedy.startswith("Raise the first cap of the length schedule")
    assert rules(measures, cap=50) == {"truncated": "doubtful", "other_cap": NOTE}
    short = [item for item in advise(measures, {"complex": []}, 50, manifest()) if item.rule == "truncated"]
    assert short[0].remedy == "Probe at the schedule's first cap, 100 tokens."


def test_responses_that_repeat_themselves() -> None:
    assert rules(measured([LOOP + RIGHT, WRONG], [WRONG, LOOP + WRONG], [RIGHT, WRONG])) == {"repetition": "doubtful"}


def test_responses_that_begin_with_the_answer() -> None:
    assert rules(measured([EARLY, WRONG], [WRONG, WRONG])) == {}  # a quarter is fine
    measures = measured([EARLY, WRONG], [EARLY, EARLY])
    assert rules(measures) == {"early_box": "doubtful"}
    plain = manifest(prompts={"corpus": "problems@1", "template": "plain"})
    remedies = [advise(measures, {}, 100, each)[0].remedy for each in (manifest(), plain)]
    assert ["--template complex" in remedy for remedy in remedies] == [False, True]


def test_answers_that_cannot_be_judged() -> None:
    unknown = [Response("p", RIGHT, "", 9, REWARD.judge(RIGHT, "", Length(9, 100, False)))] * 2
    groups = [responses([RIGHT, WRONG])] * 15 + [unknown]
    found = [item for item in advise(measure(groups, 16), {"complex": []}, 100, manifest()) if item.rule == "unjudged"]
    assert [item.level for item in found] == ["doubtful"]
    assert "6.2% of the answers could not be judged" in found[0].reason


def test_another_template_that_is_clearly_better() -> None:
    own, better, luck = [0.0, 0.25] * 16, [0.5, 0.5] * 16, [0.0] * 31 + [1.0]
    measures = measured(*HEALTHY)
    findings = advise(measures, {"complex": own, "simple": better, "plain": luck}, 100, manifest())
    assert [(item.rule, item.remedy) for item in findings] == [("template", "Set prompts.template to simple.")]
    assert "template simple is right 0.38 (± 0.045) more often than complex" in findings[0].reason


def test_how_to_read_a_small_probe() -> None:
    assert rules(measured(*HEALTHY, problems=6), cap=120) == {"other_cap": NOTE, "few_problems": NOTE}
    assert verdict(advise(measured(*HEALTHY, problems=6), {"complex": []}, 120, manifest())) == "ready"
