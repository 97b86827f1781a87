"""verl's file log and dumps as lines of ours; the names are those that verl 0.9.1 writes."""

import json

import pytest

from manifests.errors import InputError
from training.rl.health.jsonl import Notes
from training.rl.health.offline import check_health
from training.rl.health.stages import parse_schedules, parse_stages
from training.rl.verl.log import VerlFacts, read_verl_dump, read_verl_dumps, read_verl_metrics

STAGES = parse_stages("0:2048,100:4096,160:8192")


def data_of(step, **facts):
    """The numbers of one rollout step, as verl's V1 trainer logs them."""
    return {
        "training/global_step": step, "training/epoch": 0, "critic/score/mean": -0.4, "critic/score/max": 1.0,
        "critic/rewards/mean": -0.4, "critic/advantages/mean": 0.0, "critic/returns/mean": 0.0,
        "response_length/mean": 1500.0, "response_length/max": 2048.0, "response_length/min": 3.0,
        "response_length/clip_ratio": 0.0, "response_length_non_aborted/mean": 1500.0, "response/aborted_ratio": 0.0,
        "prompt_length/mean": 110.0, "prompt_length/clip_ratio": 0.0, "actor/entropy": 0.31, "actor/pg_loss": 0.01,
        "actor/pg_clipfrac": 0.002, "actor/ppo_kl": 0.0001, "actor/pg_clipfrac_lower": 0.0, "actor/grad_norm": 0.2,
        "actor/lr": 1e-6, "training/rollout_probs_diff_valid": 1, "training/rollout_probs_diff_mean": 0.004,
        "training/rollout_probs_diff_max": 0.4, "training/rollout_actor_probs_pearson_corr": 0.99,
        "perf/throughput": 900.0, "perf/mfu/actor": 0.3, "perf/total_num_tokens": 3000000, "timing_s/step": 140.0,
        "timing_s/gen": 80.0, "timing_per_token_ms/gen": 0.02, "num_turns/mean": 2.0,
        "training/num_turns/mean": 2.0, "training/off_policy/trajectory_staleness/mean": 0.0,
        "variance_proxy/proxy1_signal_strength": 0.04, "global_seqlen/mean": 9000,
    } | facts  # fmt: skip


def validation_of(accuracy, source="math500", **facts):
    """The numbers of one validation set whose reward is ours."""
    section = f"val-aux/{source}"
    return {
        f"val-core/{source}/acc/mean@1": accuracy, f"{section}/reward/mean@1": 2 * accuracy - 1,
        f"{section}/score/mean@1": 2 * accuracy - 1, f"{section}/boxed/mean@1": 0.9,
        f"{section}/correct/mean@1": accuracy,
        f"{section}/truncated/mean@1": 0.2, f"{section}/repetition/mean@1": 0.1,
        f"{section}/response_tokens/mean@1": 800.0, f"{section}/max_response_tokens/mean@1": 2048.0,
        "val-aux/num_turns/mean": 2.0,
    } | facts  # fmt: skip


def write_log(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"step": step, "data": data}) + "\n" for step, data in records))
    return path


def dump_of(step, prompts=4, each=4, score=lambda number: -1.0, text=lambda number: "so \\boxed{1}"):
    return [
        {"input": f"question {n // each}", "output": text(n), "gts": "1", "score": score(n), "step": step,
         "uid": f"uuid-{n // each}_{n % each}_0"}
        for n in range(prompts * each)
    ]  # fmt: skip


def write_dump(folder, step, dump, noted=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{step}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in dump))
    if noted is not None:
        notes = folder.with_name("rewards")
        notes.mkdir(exist_ok=True)
        (notes / f"{step:08d}-host-1-ab.jsonl").write_text("".join(json.dumps(note) + "\n" for note in noted))


def note_of(dump, tokens, truncated):
    signals = ("boxed", "early_box", "many_boxes", "repetition", "mixed_language", "timeout", "error")
    metrics = {"score": dump["score"], "correct": float(dump["score"] > 0), "acc": float(dump["score"] > 0)}
    return {
        "uid": dump["uid"], "rollout_step": dump["step"], "set": "math8k", "split": "train", "prompt": "17",
        "response_tokens": tokens, "max_response_tokens": 2048, "truncated": truncated,
        "metrics": metrics | dict.fromkeys(signals, 0.0) | {"truncated": float(truncated)},
    }  # fmt: skip


def test_the_numbers_of_a_step_have_our_names(tmp_path):
    path = write_log(tmp_path / "log.jsonl", [(0, validation_of(0.1)), (1, data_of(1) | validation_of(0.2))])
    notes = Notes()
    before, rollout, after = read_verl_metrics(path, VerlFacts(STAGES, steps_per_rollout=2), notes)
    assert (before["rollout_step"], before["set"], before["accuracy"]) == (0, "math500", 0.1)
    assert (after["rollout_step"], after["accuracy"], after["truncated"], after["cap"]) == (1, 0.2, 0.2, 2048)
    expected = {"rollout_step": 1, "step": 2, "cap": 2048, "reward": -0.4, "entropy": 0.31, "probability_gap": 0.004,
                "grad_norm": 0.2, "learning_rate": 1e-6, "wall_s": 140.0, "response_tokens_mean": 1500.0}  # fmt: skip
    assert {key: rollout[key] for key in expected} == expected
    assert notes.lines == []


@pytest.mark.parametrize(
    "facts, numbers, truncated",
    [
        (VerlFacts(STAGES), {}, None),  # some response has the cap's length, and nothing says how many
        (VerlFacts(STAGES), {"response_length/max": 1900.0}, 0.0),
        (VerlFacts(STAGES), {"training/global_step": 170, "response_length/clip_ratio": 0.3}, 0.3),
        (VerlFacts(parse_stages("0:4096"), width=2048), {"response_length/clip_ratio": 0.4}, 0.4),
    ],
)
def test_truncation_is_against_the_cap_of_the_step(tmp_path, facts, numbers, truncated):
    step = numbers.get("training/global_step", 5)
    line = next(read_verl_metrics(write_log(tmp_path / "log.jsonl", [(step, data_of(step, **numbers))]), facts))
    assert line["truncated"] == truncated


def test_without_a_schedule_the_ratio_is_taken_and_that_is_said(tmp_path):
    path = write_log(tmp_path / "log.jsonl", [(3, data_of(3, **{"response_length/clip_ratio": 0.25}))])
    found = check_health(path)[0]
    assert "1 × rollout step without a schedule" in found.notes[0]
    assert next(read_verl_metrics(path))["truncated"] == 0.25


def test_notes_of_the_reward_tell_truncation_accuracy_and_groups(tmp_path):
    dump = dump_of(1, score=lambda number: 1.0 if number in (0, 4, 5, 6, 7) else -1.0)
    noted = [note_of(line, 2048 if n < 12 else 700, n < 12) for n, line in enumerate(dump)]
    write_dump(tmp_path / "rollouts", 1, dump, noted)
    path = write_log(tmp_path / "metrics-001.jsonl", [(1, data_of(1))])
    line = next(read_verl_metrics(path, VerlFacts(STAGES)))
    assert (line["truncated"], line["accuracy"], line["correct"], line["responses"]) == (0.75, 5 / 16, 5, 16)
    assert (line["groups"], line["groups_all_right"], line["groups_all_wrong"]) == (4, 1, 2)
    assert line["response_tokens_max"] == 2048


def test_dumps_without_notes_are_judged_by_score_and_text(tmp_path):
    dump = dump_of(
        7, score=lambda number: 1.0 if number % 4 == 0 else -1.0, text=lambda number: "\\boxed{3}" + " ab" * 900
    )
    write_dump(tmp_path / "rollouts", 7, dump)
    responses = read_verl_dump(tmp_path / "rollouts" / "7.jsonl", Notes())
    assert [response["correct"] for response in responses[:5]] == [True, False, False, False, True]
    assert {response["prompt"] for response in responses} == {f"uuid-{n}" for n in range(4)}
    assert all(response["early_box"] == response["repetition"] == 1.0 for response in responses)
    assert [step for step, _ in read_verl_dumps(tmp_path / "rollouts")] == [7]


def test_health_of_dumps_alone_and_of_a_log_shows_examples(tmp_path):
    records = []
    for step in range(1, 60):
        bad = step > 20
        write_dump(
            tmp_path / "rollouts", step, dump_of(step, text=lambda n, bad=bad: "wait " * 400 if bad else "\\boxed{2}")
        )
        records.append((step, data_of(step)))
    write_log(tmp_path / "metrics-001.jsonl", records)
    for place in (tmp_path / "rollouts", tmp_path, tmp_path / "metrics-001.jsonl"):
        found = check_health(place, parse_schedules(["0:2048"]))[0]
        loops = next(alarm for alarm in found.alarms if alarm.rule == "repetition")
        assert loops.examples and all("wait wait" in example for example in loops.examples)


def test_a_chain_of_stages_is_one_run_and_a_later_attempt_replaces_what_it_samples_anew(tmp_path):
    first = [(step, data_of(step, **{"critic/score/mean": -1.0})) for step in range(1, 51)]
    write_log(tmp_path / "stage-1" / "metrics-001.jsonl", first)
    again = [(40, validation_of(0.3)), *[(step, data_of(step)) for step in range(41, 101)]]
    write_log(tmp_path / "stage-1" / "metrics-002.jsonl", again)
    write_log(tmp_path / "stage-2" / "metrics-001.jsonl", [(step, data_of(step)) for step in range(101, 121)])
    found = check_health(tmp_path, parse_schedules(["0:2048,100:4096"]))
    assert [(health.rollouts, health.rollout_step, health.evaluations) for health in found] == [(120, 120, 1)]


def test_a_collapse_in_validation_is_stopped(tmp_path):
    def accuracy(step):
        return 0.5 if step < 90 else 0.02

    records = [
        (step, data_of(step) | validation_of(accuracy(step)) | validation_of(accuracy(step), "lighteval/MATH"))
        for step in range(1, 110)
    ]
    found = check_health(write_log(tmp_path / "log.jsonl", records), parse_schedules(["0:2048"]))[0]
    stop = next(alarm for alarm in found.alarms if alarm.level == "stop")
    assert (stop.rule, stop.rollout_step) == ("accuracy_collapse", 90)
    assert "lighteval/MATH 0.500" in stop.evidence


def test_a_gap_that_verl_could_not_measure_is_unknown(tmp_path):
    facts = {"training/rollout_probs_diff_valid": 0, "training/rollout_probs_diff_mean": 0.9}
    assert (
        next(read_verl_metrics(write_log(tmp_path / "l.jsonl", [(1, data_of(1, **facts))])))["probability_gap"] is None
    )


def test_groups_that_verl_threw_away_are_told(tmp_path):
    lost = {"training/rollout_failure/evicted_samples": 16}
    found = check_health(write_log(tmp_path / "l.jsonl", [(1, data_of(1)), (2, data_of(2, **lost))]))[0]
    assert [(alarm.rule, alarm.evidence) for alarm in found.alarms] == [
        ("lost_responses", "16 responses were thrown away.")
    ]


def test_unknown_numbers_are_counted(tmp_path):
    path = write_log(tmp_path / "l.jsonl", [(1, data_of(1, **{"novel/number": 1.0}))])
    assert "1 × unknown number 'novel/number' of verl" in check_health(path)[0].notes


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"step": 1, "data": {}}\n{"step": 2}\n', r"l.jsonl:2: is no line of verl's file logger"),
        ('{"step": 1, "data": {}}\n{"step": "a", "data": {}}\n', r"l.jsonl:2: is no line of verl's file logger"),
        ('{"step": 1, "data": {"critic/score/mean": "x"}}\n', r"l.jsonl:1: reward is 'x'; expected a number"),
        ('{"step": 1, "data": {"val-core/a/acc/mean@1": 50}}\n', r"l.jsonl:1: accuracy is 50; expected a share"),
        (
            '{"step": 1, "data": {"val-core/a/reward/mean@1": 0.5}}\n',
            r"l.jsonl:1: the validation of 'a' has reward; expected acc",
        ),
    ],
)
def test_a_wrong_log_is_named_with_its_place(tmp_path, text, message):
    (tmp_path / "l.jsonl").write_text(text)
    with pytest.raises(InputError, match=message):
        list(read_verl_metrics(tmp_path / "l.jsonl"))


def test_wrong_dumps_and_notes_are_named_with_their_place(tmp_path):
    write_dump(tmp_path / "rollouts", 1, [*dump_of(1), {"input": "q", "output": None, "score": 1.0}])
    with pytest.raises(InputError, match="1.jsonl:17: has no text"):
        read_verl_dump(tmp_path / "rollouts" / "1.jsonl", Notes())
    write_dump(tmp_path / "rollouts", 2, dump_of(2), [{"uid": 5}])
    with pytest.raises(InputError, match="00000002-host-1-ab.jsonl:1: is no note of a reward"):
        read_verl_dump(tmp_path / "rollouts" / "2.jsonl", Notes())
