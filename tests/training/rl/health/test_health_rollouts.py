"""The rules over rollout lines: each sees its failure, tells it once, and leaves healthy runs alone."""

import pytest


def told(alarms):
    return [(alarm.rule, alarm.level) for alarm in alarms]


def test_a_healthy_run_is_quiet(rollout, alarms_of):
    assert alarms_of([rollout(step, accuracy=0.3 + 0.3 * step / 200) for step in range(1, 200)]) == []


def test_a_base_that_learns_out_of_its_loops_is_quiet(rollout, alarms_of):
    lines = [
        rollout(
            step, accuracy=min(0.6, 0.005 * step), repetition=max(0.02, 0.6 - 0.02 * step), early_box=0.2,
            truncated=0.2, groups_all_wrong=max(20, 120 - step), groups_all_right=0,
        )
        for step in range(1, 120)
    ]  # fmt: skip
    assert alarms_of(lines) == []


def test_loops_that_come_late_warn_then_stop(rollout, alarms_of):
    lines = [rollout(step, repetition=0.02 if step <= 100 else 0.8) for step in range(1, 160)]
    found = alarms_of(lines)
    assert told(found) == [("repetition", "warn"), ("repetition", "stop")]
    assert 100 < found[0].rollout_step <= 110
    assert "80% of the responses repeat themselves" in found[0].evidence


def test_boxes_before_the_reasoning_warn_only_with_length(rollout, alarms_of):
    short = [rollout(step, early_box=0.9, response_tokens_mean=9.0) for step in range(1, 60)]
    long = [rollout(step, early_box=0.9, response_tokens_mean=3000.0) for step in range(1, 60)]
    assert alarms_of(short) == []
    assert told(alarms_of(long)) == [("early_box", "warn")]


def test_groups_that_are_never_mixed_warn_then_stop(rollout, alarms_of):
    lines = [rollout(step, groups_all_right=0, groups_all_wrong=128, accuracy=0.5) for step in range(1, 80)]
    found = alarms_of(lines)
    assert told(found) == [("no_gradient", "warn"), ("no_gradient", "stop")]
    assert (
        "of 2,560 groups 0 are all right, 2,560 all wrong, 0 mixed" in found[1].evidence or found[1].rollout_step == 40
    )


def test_a_few_mixed_groups_at_the_start_are_enough(rollout, alarms_of):
    lines = [rollout(step, groups_all_right=0, groups_all_wrong=124, accuracy=0.3) for step in range(1, 80)]
    assert alarms_of(lines) == []


def test_solved_problems_warn(rollout, alarms_of):
    lines = [rollout(step, groups_all_right=120, groups_all_wrong=0, accuracy=0.97) for step in range(1, 60)]
    assert told(alarms_of(lines)) == [("no_gradient", "warn")]


@pytest.mark.parametrize(
    "entropy, level",
    [(lambda step: 0.4 if step < 50 else 0.005, "warn"), (lambda step: 0.3 if step < 50 else 1.4, "warn"),
     (lambda step: 0.4 if step < 50 else 6.0, "stop"), (lambda step: max(0.05, 0.4 - 0.004 * step), None),
     (lambda step: max(1.0, 8.0 - 0.1 * step), None)],
)  # fmt: skip
def test_entropy_that_vanishes_or_explodes(rollout, alarms_of, entropy, level):
    found = alarms_of([rollout(step, entropy=entropy(step)) for step in range(1, 100)])
    assert told(found)[-1:] == ([("entropy", level)] if level else [])


def test_a_jump_of_the_divergence_warns(rollout, alarms_of):
    lines = [rollout(step, kl=0.002 * step if step < 60 else 5.0) for step in range(1, 70)]
    assert told(alarms_of(lines)) == [("kl", "warn")]
    assert alarms_of([rollout(step, kl=0.01 * step) for step in range(1, 100)]) == []


def test_a_gap_between_sampler_and_trainer_warns_and_stops(rollout, alarms_of):
    lines = [rollout(step, probability_gap=0.001 * step * step / 10) for step in range(1, 60)]
    assert told(alarms_of(lines)) == [("probability_gap", "warn"), ("probability_gap", "stop")]


def test_one_error_of_the_reward_is_told_at_once_and_once(rollout, alarms_of):
    lines = [rollout(step, error=1 / 2048 if step in (7, 8, 9) else 0.0) for step in range(1, 25)]
    found = alarms_of(lines)
    assert [(alarm.rule, alarm.level, alarm.rollout_step) for alarm in found] == [("reward_errors", "warn", 7)]
    assert "0.05% of the responses" in found[0].evidence


def test_a_reward_that_keeps_failing_stops_the_run(rollout, alarms_of):
    found = alarms_of([rollout(step, error=0.5) for step in range(1, 12)])
    assert told(found) == [("reward_errors", "warn"), ("reward_errors", "stop")]


def test_errors_after_a_long_quiet_time_are_told_again(rollout, alarms_of):
    lines = [rollout(step, error=0.1 if step in (5, 40) else 0.0) for step in range(1, 60)]
    assert [alarm.rollout_step for alarm in alarms_of(lines)] == [5, 40]


def test_many_timeouts_warn(rollout, alarms_of):
    assert told(alarms_of([rollout(step, timeout=0.05) for step in range(1, 12)])) == [("reward_timeouts", "warn")]


def test_responses_that_go_missing_are_told(rollout, alarms_of):
    lines = [rollout(step, responses=2048 if step != 15 else 1984) for step in range(1, 30)]
    found = alarms_of(lines)
    assert told(found) == [("lost_responses", "warn")]
    assert found[0].evidence == "1,984 responses, 2,048 are usual."


def test_responses_cut_at_the_cap_of_a_stage_below_the_width(rollout, alarms_of):
    lines = [rollout(s, accuracy=0.03, truncated=0.97, cap=2048, response_tokens_mean=2030.0) for s in range(1, 120)]
    found = alarms_of(lines)
    assert ("cap_saturation", "stop") in told(found)
    assert next(a.rollout_step for a in found if a.level == "stop") >= 80
    assert "97% of the responses are cut at the cap of 2,048 tokens" in found[0].evidence


def test_good_training_accuracy_speaks_for_a_run_that_validates_on_hard_problems(rollout, validations, alarms_of):
    hard = validations(lambda step: 1.0, range(0, 300, 4), sets={"olympiadbench": (675, 0.12)}, truncated=0.9)
    both = sorted([*hard, *[rollout(step) for step in range(1, 300)]], key=lambda line: line["rollout_step"])
    assert "stop" in {alarm.level for alarm in alarms_of(hard)}
    assert alarms_of(both) == []


def test_accuracy_of_the_rollouts_alone_can_collapse(rollout, alarms_of):
    lines = [rollout(step, accuracy=0.6 if step <= 80 else 0.01) for step in range(1, 110)]
    assert ("accuracy_collapse", "stop") in told(alarms_of(lines))


def test_training_and_validation_tell_one_collapse_once(rollout, validations, alarms_of):
    fallen = validations(lambda step: 1.0 if step <= 80 else 0.0, range(0, 120, 4))
    lines = [*fallen, *[rollout(step, accuracy=0.6 if step <= 80 else 0.0) for step in range(1, 120)]]
    found = alarms_of(sorted(lines, key=lambda line: line["rollout_step"]))
    assert told(found).count(("accuracy_collapse", "stop")) == 1
