"""The rules on the published curves, and on synthetic courses of accuracy that no threshold was chosen by."""

import random
from pathlib import Path

import pytest

from training.rl.health.curves import read_curves
from training.rl.health.jsonl import Notes
from training.rl.health.offline import check_health
from training.rl.health.scores import problems_of
from training.rl.health.stages import parse_schedules, parse_stages

BASE = "llama.3b_math.8k_0411_2024"
COLLAPSE = "openr1.ins.89101_cpt8k_rl8k_math.8k_0411_2035"
LATE_FALL = "orztemplate_0419_0137"
STAGED = "rl2.4k"


@pytest.fixture(scope="module")
def curves_file(shared_data):
    return shared_data / "rl-curves" / "octothinker_rl_curves.csv.gz"


@pytest.fixture(scope="module")
def curves(curves_file):
    return read_curves(curves_file, Notes())


def test_the_published_runs_are_told_apart(curves_file):
    verdicts = {health.run: health.verdict for health in check_health(curves_file)}
    assert len(verdicts) == 15
    assert {run for run, verdict in verdicts.items() if verdict == "stop"} == {
        run for run in verdicts if BASE in run or COLLAPSE in run
    }
    assert [run for run, verdict in verdicts.items() if verdict == "warn"] == [
        run for run in verdicts if LATE_FALL in run
    ]


def test_the_failed_runs_are_stopped_for_what_they_died_of(curves_file):
    found = {health.run: health.alarms for health in check_health(curves_file)}
    stops = {run: [a.rule for a in alarms if a.level == "stop"] for run, alarms in found.items()}
    assert next(rules for run, rules in stops.items() if BASE in run) == ["cap_saturation"]
    assert next(rules for run, rules in stops.items() if COLLAPSE in run) == ["accuracy_collapse"]


@pytest.mark.parametrize("every", [2, 3, 5])
def test_sparser_evaluations_stop_the_same_runs(curves, alarms_of, every):
    stopped = set()
    for run, lines in curves.items():
        steps = sorted({line["rollout_step"] for line in lines})[::every]
        if any(alarm.level == "stop" for alarm in alarms_of([line for line in lines if line["rollout_step"] in steps])):
            stopped.add(run)
    assert stopped == {run for run in curves if BASE in run or COLLAPSE in run}


@pytest.mark.parametrize("start", [24, 48, 64])
def test_curves_without_their_beginning_stop_the_same_runs(curves, alarms_of, start):
    stopped = {
        run
        for run, lines in curves.items()
        if any(a.level == "stop" for a in alarms_of([line for line in lines if line["rollout_step"] >= start]))
    }
    assert stopped == {run for run in curves if BASE in run or COLLAPSE in run}


@pytest.mark.parametrize("seed", range(3))
def test_noisier_accuracies_stop_the_same_runs(curves, alarms_of, seed):
    drawn = random.Random(seed)

    def again(line):
        problems = problems_of(line["set"])
        return line | {"accuracy": sum(drawn.random() < line["accuracy"] for _ in range(problems)) / problems}

    stopped = set()
    for run, lines in curves.items():
        last = [line for line in lines if line["rollout_step"] <= 240]
        if any(alarm.level == "stop" for alarm in alarms_of([again(line) for line in last])):
            stopped.add(run)
    assert stopped == {run for run in curves if BASE in run or COLLAPSE in run}


@pytest.mark.parametrize("schedule", [(), ("rl2.4k=0:2048,100:4096",)])
def test_the_staged_run_is_healthy_with_and_without_its_schedule(curves_file, schedule):
    found = check_health(curves_file, parse_schedules(schedule))
    assert next(health.verdict for health in found if STAGED in health.run) == "healthy"


def test_the_same_lines_give_the_same_alarms(curves, alarms_of):
    lines = next(lines for run, lines in curves.items() if BASE in run)
    assert alarms_of(lines) == alarms_of(lines) != []


@pytest.mark.parametrize("speed", [4, 12, 40])
@pytest.mark.parametrize("seed", range(3))
def test_a_collapse_of_any_speed_is_stopped_and_not_before_it_begins(validations, alarms_of, rising, speed, seed):
    lines = validations(lambda step: rising(step) * (1 - min(max(step - 120, 0) / speed, 1)), range(0, 240, 4), seed)
    alarms = alarms_of(lines)
    stop = next(alarm for alarm in alarms if alarm.level == "stop")
    assert stop.rule == "accuracy_collapse"
    assert all(alarm.rollout_step > 120 for alarm in alarms)
    assert stop.rollout_step <= 120 + speed


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_run_of_any_noise_is_quiet(validations, alarms_of, rising, seed):
    assert alarms_of(validations(rising, range(0, 400, 4), seed)) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_small_late_decline_is_quiet(validations, alarms_of, rising, seed):
    lines = validations(lambda step: rising(step) * (1 - 0.05 * max(step - 200, 0) / 100), range(0, 300, 4), seed)
    assert alarms_of(lines) == []


@pytest.mark.parametrize("seed", range(3))
def test_one_bad_set_of_four_is_no_collapse(validations, alarms_of, rising, seed):
    lines = validations(rising, range(0, 200, 4), seed)
    for line in lines:
        if line["set"] == "math500" and line["rollout_step"] >= 150:
            line["accuracy"] *= 0.55
    assert not [alarm for alarm in alarms_of(lines) if alarm.level == "stop"]


@pytest.mark.parametrize(
    "sets",
    [
        {"my-algebra": (300, 0.6), "my-geometry": (250, 0.4)},
        {"held out": (1000, 0.6)},
        {"AIME 2024": (30, 0.2), "AIME 2025": (30, 0.2), "MATH-500": (500, 0.7)},
    ],
)
def test_other_sets_of_other_sizes_collapse_too(validations, alarms_of, rising, sets):
    fallen = validations(lambda step: rising(step) if step < 100 else 0.02, range(0, 130, 4), 1, sets)
    assert "stop" in {alarm.level for alarm in alarms_of(fallen)}
    assert alarms_of(validations(rising, range(0, 200, 4), 1, sets)) == []


def test_a_set_of_forty_problems_alone_decides_nothing_small(validations, alarms_of, rising):
    lines = validations(rising, range(0, 200, 4), 2, {"amc23": (40, 0.3)})
    assert alarms_of(lines) == []


def test_a_second_collapse_after_a_recovery_is_told_again(validations, alarms_of):
    def course(step):
        return 0.1 if step in range(100, 120) or step >= 200 else 1.0

    stops = [alarm.rollout_step for alarm in alarms_of(validations(course, range(0, 240, 4))) if alarm.level == "stop"]
    assert stops == [100, 200]


def test_lengths_at_the_cap_without_accuracy_stop_late_and_warn_first(validations, alarms_of):
    lines = validations(lambda step: 0.12, range(0, 200, 4), correct_tokens_mean=7900.0)
    found = [(alarm.rule, alarm.level) for alarm in alarms_of(lines)]
    assert found[0] == ("cap_saturation", "warn")
    assert ("cap_saturation", "stop") in found
    assert len(found) == len(set(found))
    assert next(a.rollout_step for a in alarms_of(lines) if a.level == "stop") >= 80


def test_lengths_at_the_cap_with_accuracy_are_how_stages_work(validations, alarms_of, rising):
    assert alarms_of(validations(rising, range(0, 200, 4), truncated=0.7)) == []


def test_few_correct_answers_say_nothing_of_lengths(validations, alarms_of):
    lines = validations(lambda step: 0.005, range(0, 76, 4), correct_tokens_mean=8192.0)
    assert alarms_of(lines) == []


def test_a_stage_with_a_larger_cap_begins_afresh(validations, alarms_of):
    stages = parse_stages("0:1000,90:4000")
    lines = validations(lambda step: 0.12, range(0, 104, 4), correct_tokens_mean=950.0)
    early = [a for a in alarms_of(lines, stages) if a.level == "stop" and a.rule == "cap_saturation"]
    lines = [line for line in lines if line["rollout_step"] >= 92]
    assert early
    assert not alarms_of(lines, stages)


def test_never_anything_right_is_never_learning(validations, alarms_of):
    found = alarms_of(validations(lambda step: 0.0, range(0, 200, 4)))
    assert [(alarm.rule, alarm.level) for alarm in found] == [("never_learning", "warn"), ("never_learning", "stop")]
    assert "too few to tell lengths" in found[0].evidence


def test_hard_problems_alone_never_stop_a_run(validations, alarms_of):
    lines = validations(lambda step: 1.0, range(0, 300, 4), sets={"aime24": (30, 0.08)}, truncated=0.9)
    assert not [alarm for alarm in alarms_of(lines) if alarm.level == "stop"]


def test_evidence_has_the_numbers(curves_file):
    found = [alarm for health in check_health(Path(curves_file)) for alarm in health.alarms]
    stop = next(alarm for alarm in found if alarm.level == "stop" and alarm.rule == "accuracy_collapse")
    assert "gsm8k 0.751 (step 76) → 0.357" in stop.evidence
    assert "complex template" in stop.remedy
