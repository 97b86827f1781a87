"""What `octo rl health` may be pointed at, and what it says of input that is wrong."""

import gzip
import json
import re

import pytest

from manifests.errors import InputError, NotFound
from manifests.layout import DataFolder
from training.rl.health.curves import read_curves
from training.rl.health.jsonl import LONGEST_LINE_BYTES, Notes
from training.rl.health.offline import COLUMNS, check_health, details, health_of
from training.rl.health.stages import parse_schedules, parse_stages
from training.rl.health.watch import HealthWatch

HEADER = "run,benchmark,step,accuracy,mean_correct_length_tokens,max_response_length_tokens\n"


def write_lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def write_responses(folder, step, texts, **facts):
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / f"{step:08d}.jsonl.gz", "wt", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            line = {"rollout_step": step, "prompt": f"p{number // 2}", "text": text, "tokens": 4096, "reason": "no_box"}
            file.write(
                json.dumps(line | {"correct": 0.0, "score": -1.0, "truncated": 1.0, "repetition": 1.0} | facts) + "\n"
            )


@pytest.fixture
def run(tmp_path, rollout, validations):
    """A run of ours in a data folder that begins to loop after rollout step 60."""
    folder = tmp_path / "runs" / "looping@1"
    lines = [rollout(step, repetition=0.01 if step <= 60 else 0.7) for step in range(1, 101)]
    write_lines(folder / "grpo" / "metrics.jsonl", lines)
    write_lines(folder / "grpo" / "validation.jsonl", validations(lambda step: 1.0, range(0, 101, 20)))
    for step in (50, 70, 100):
        write_responses(folder / "grpo" / "responses", step, ["wait, " * 2000, "short", "\x1b[31mno\u202e\x07" * 9])
    (folder / "run.json").write_text('{"kind": "rl"}')
    return folder


def test_a_run_is_found_by_name_and_by_folder(tmp_path, run):
    data = DataFolder(tmp_path)
    by_name = health_of("looping", data)
    assert by_name == health_of("looping@1", data) == health_of(str(run), data)
    assert [(alarm.rule, alarm.level) for alarm in by_name[0].alarms] == [
        ("repetition", "warn"),
        ("repetition", "stop"),
    ]
    assert (by_name[0].rollouts, by_name[0].evaluations, by_name[0].rollout_step) == (100, 6, 100)
    assert dict(zip(COLUMNS, by_name[0].row, strict=True))["verdict"] == "stop"


def test_offline_says_what_the_watch_said_online(run):
    watch, online = HealthWatch(), []
    lines = [json.loads(line) for name in ("metrics", "validation") for line in (run / "grpo" / f"{name}.jsonl").open()]
    for line in sorted(lines, key=lambda line: line["rollout_step"]):
        online += watch.observe(line)
    offline = check_health(run)[0].alarms
    assert [(a.rule, a.level, a.rollout_step, a.evidence) for a in online] == [
        (a.rule, a.level, a.rollout_step, a.evidence) for a in offline
    ]


def test_examples_come_from_the_step_or_the_last_one_kept_and_cannot_move_a_terminal(run):
    first = check_health(run)[0].alarms[0]
    assert len(first.examples) == 3
    assert all(example.isprintable() for example in first.examples)
    assert any("characters left out" in example for example in first.examples)
    assert any("␛[31mno‹U+202E›‹U+0007›" in example for example in first.examples)
    assert {example.split(",")[0] for example in first.examples} == {"rollout step 70"}
    text = details(check_health(run))
    assert all(line.isprintable() for line in text.split("\n"))
    assert "not judged, for want of data: kl" in text


def test_one_file_of_a_run_can_be_judged_alone(run):
    assert check_health(run / "grpo" / "metrics.jsonl")[0].verdict == "stop"
    assert check_health(run / "grpo" / "validation.jsonl")[0].verdict == "healthy"
    assert check_health(run / "grpo")[0].verdict == "stop"


def test_responses_alone_make_lines(tmp_path):
    for step in range(1, 45):
        write_responses(tmp_path / "responses", step, [f"{step}"] * 16)
    found = check_health(tmp_path / "responses", parse_schedules(["0:4096"]))[0]
    assert found.rollouts == 44
    assert ("no_gradient", "stop") in [(alarm.rule, alarm.level) for alarm in found.alarms]
    assert check_health(tmp_path / "responses" / "00000003.jsonl.gz")[0].rollouts == 1


def test_an_unfinished_last_line_is_left_out_and_counted(run):
    with (run / "grpo" / "metrics.jsonl").open("a") as file:
        file.write('{"rollout_step": 101, "acc')
    found = check_health(run)[0]
    assert found.rollouts == 100
    assert "1 × unfinished last line of metrics.jsonl" in found.notes


def test_unknown_keys_are_counted_and_shown(run):
    write_lines(run / "grpo" / "metrics.jsonl", [{"rollout_step": 1, "accuracy": 0.5, "novel": 3}])
    found = check_health(run)
    assert "1 × unknown key 'novel'" in found[0].notes
    assert "left out: 1 × unknown key 'novel'" in details(found)


@pytest.mark.parametrize(
    "line, message",
    [
        ('{"rollout_step": 2, "accuracy": 47.5}', r"metrics.jsonl:2: accuracy is 47.5; expected a share from 0 to 1"),
        ('{"rollout_step": "x"}', r"metrics.jsonl:2: rollout_step is 'x'; expected a whole number"),
        ('{"rollout_step": -3}', r"metrics.jsonl:2: rollout_step is -3; expected a whole number of 0 or more"),
        ('{"rollout_step": 2, "entropy": "high"}', r"metrics.jsonl:2: entropy is 'high'; expected a number"),
        ('{"rollout_step": 2, "entropy": 1e999}', r"metrics.jsonl:2: entropy is inf; expected a finite number"),
        ('{"rollout_step": 0}', r"metrics.jsonl:2: rollout step 0 comes after 1; expected rising steps"),
        ('{"rollout_step": 2, "set": ""}', r"metrics.jsonl:2: set is ''; expected the name of a validation set"),
        ('{"rollout_step": 2, "set": "a"}', r"metrics.jsonl:2: the validation of 'a' has no accuracy"),
        ("not json", r"metrics.jsonl:2: is not a JSON object"),
        ("[" * 100_000, r"metrics.jsonl:2: is not a JSON object"),
        ("[1, 2]", r"metrics.jsonl:2: is not a JSON object \(holds list\)"),
        ("9" * 5000, r"metrics.jsonl:2: is not a JSON object"),
    ],
)
def test_a_wrong_line_is_named_with_its_place(tmp_path, line, message):
    (tmp_path / "metrics.jsonl").write_text('{"rollout_step": 1, "accuracy": 0.5}\n' + line + "\n")
    with pytest.raises(InputError, match=message):
        check_health(tmp_path)


def test_nan_is_an_unknown_number(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"rollout_step": 1, "accuracy": 0.5, "entropy": NaN}\n')
    assert "entropy" in check_health(tmp_path)[0].not_judged


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with path.open("wb") as file:
        file.write(b'{"rollout_step": 1, "x": "')
        for _ in range(17):
            file.write(b"a" * (1 << 20))
    with pytest.raises(InputError, match=f"longer than {LONGEST_LINE_BYTES:,} bytes"):
        check_health(path)


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_damaged_gzip_is_named(tmp_path, run, cut):
    path = run / "grpo" / "responses" / "00000070.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match=re.escape(str(path))):
        check_health(run)


@pytest.mark.parametrize(
    "line, message",
    [
        ({"rollout_step": 1, "text": 5}, "has no text"),
        ({"rollout_step": 1, "text": "a", "tokens": "x"}, "tokens is 'x'"),
    ],
)
def test_a_wrong_response_is_named(tmp_path, line, message):
    write_lines(tmp_path / "00000001.jsonl", [{"rollout_step": 1, "text": "a", "score": 1.0}, line])
    with pytest.raises(InputError, match=f"00000001.jsonl:2: .*{message}"):
        check_health(tmp_path / "00000001.jsonl")


def test_files_of_responses_need_their_step_as_name(tmp_path):
    write_lines(tmp_path / "all.jsonl", [{"rollout_step": 1, "text": "a", "score": 1.0}])
    with pytest.raises(InputError, match="is no file of responses; expected a rollout step as its name"):
        check_health(tmp_path / "all.jsonl")


def test_an_empty_file_of_responses_is_named(tmp_path):
    with gzip.open(tmp_path / "00000001.jsonl.gz", "wt"):
        pass
    with pytest.raises(InputError, match="rollout step 1: its file holds no responses"):
        check_health(tmp_path)


def test_what_is_nothing_to_judge_is_said(tmp_path):
    with pytest.raises(NotFound, match="there is no such file or folder; expected metrics.jsonl"):
        check_health(tmp_path / "nothing")
    with pytest.raises(InputError, match="holds nothing to judge; expected metrics.jsonl"):
        check_health(tmp_path)
    path = write_lines(tmp_path / "health.jsonl", [{"rollout_step": 3, "rule": "kl", "level": "warn"}])
    with pytest.raises(InputError, match="its first line has the keys rollout_step, rule, level"):
        check_health(path)
    with pytest.raises(NotFound, match="neither a run of .* nor a file or folder"):
        health_of("no-such-run", DataFolder(tmp_path))


def test_curves_may_have_their_columns_in_any_order_and_many_runs(tmp_path, validations, rising):
    rows = [
        f"{line['accuracy']},{name},{line['rollout_step']},{line['set']}\n"
        for name, course in (("good", rising), ("bad", lambda step: rising(step) if step < 100 else 0.0))
        for line in validations(course, range(0, 140, 4))
    ]
    path = tmp_path / "curves.csv.gz"
    path.write_bytes(gzip.compress(("\ufeffaccuracy,run,step,benchmark\n" + "".join(reversed(rows))).encode()))
    found = {health.run: health for health in check_health(path)}
    assert {run: health.verdict for run, health in found.items()} == {"good": "healthy", "bad": "stop"}
    assert "cap_saturation, never_learning" in found["good"].not_judged


def test_a_curve_of_step_and_accuracy_alone_is_one_run(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("step,accuracy\n" + "".join(f"{step},{0.6 if step < 60 else 0.05}\n" for step in range(0, 100, 4)))
    assert [(health.run, health.verdict) for health in check_health(path)] == [("mine.csv", "stop")]


def test_empty_cells_and_unknown_columns_are_counted(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("step,accuracy,mean_correct_length_tokens,colour\n0,0.5,,red\n4,,,red\n8,NaN,12,red\n")
    found = check_health(path)[0]
    assert found.evaluations == 1
    assert set(found.notes) == {"2 × row without accuracy, not evaluated", "1 × column 'colour', not used"}


@pytest.mark.parametrize(
    "text, message",
    [
        (
            HEADER + "r,gsm8k,0,0.5,,8192\nr,gsm8k,4,47.5,,8192\n",
            r":3: accuracy is 47.5; expected a share from 0 to 1. Divide",
        ),
        (HEADER + "r,gsm8k,0,0.5,,8192\nr,gsm8k,0,0.6,,8192\n", r":3: gsm8k of r at step 0 stands in line 2 too"),
        (HEADER + "r,gsm8k,x,0.5,,8192\n", r":2: step is 'x'; expected a number"),
        (HEADER + "r,gsm8k,1.5,0.5,,8192\n", r":2: step is '1.5'; expected a whole number of 0 or more"),
        (HEADER + "r,gsm8k,0,high,,8192\n", r":2: accuracy is 'high'; expected a number"),
        (HEADER + "r,gsm8k,0,0.5,,inf\n", r":2: max_response_length_tokens is 'inf'; expected a number"),
        (HEADER + "r,gsm8k,0\n", r":2: has 3 cells for 6 columns; expected as many"),
        ("run,accuracy\n", r":1: has no column step; its columns are run, accuracy. Expected step and accuracy"),
        ("step,accuracy,step\n", r":1: has column step twice"),
        ("", r":1: has no column step, accuracy; its columns are none"),
        (HEADER + 'r,"gsm8k,0,0.5,,1\n', r":\d: cannot be read"),
    ],
)
def test_a_wrong_table_is_named_with_its_place(tmp_path, text, message):
    path = tmp_path / "curves.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=f"curves.csv{message}"):
        check_health(path)


def test_a_table_in_another_encoding_or_damaged_is_named(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_bytes(HEADER.encode() + "r,gsm8k,0,0.5,,\xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match="cannot be read .* expected CSV in UTF-8"):
        read_curves(path, Notes())
    path.write_bytes(gzip.compress((HEADER + "".join(f"r,a,{n},0.5,,1\n" for n in range(9999))).encode())[:-30])
    with pytest.raises(InputError, match="cannot be read"):
        read_curves(path, Notes())


def test_schedules_are_for_all_runs_or_for_some():
    schedules = parse_schedules(["0:8192", "rl2.4k=0:2048, 100:4K", "a=b=0:1024"])
    assert [(s.from_rollout_step, s.max_response_tokens) for s in schedules.of("x-rl2.4k-y")] == [
        (0, 2048),
        (100, 4000),
    ]
    assert [s.max_response_tokens for s in schedules.of("other")] == [8192]
    assert [s.max_response_tokens for s in schedules.of("1a=b2")] == [1024]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "'': '' is no pair; expected FROM_ROLLOUT_STEP:TOKENS pairs"),
        ("2048", "'2048' is no pair"),
        ("0:2048,,100:4096", "'' is no pair"),
        ("0:many", "'many' is not a count"),
        ("0:0", "max_response_tokens"),
        ("-1:2048", "'-1:2048' is no pair"),
        ("10:2048", r"the stages start at rollout steps \[10\]; expected 0 first"),
        ("0:2048,100:4096,50:8192", r"\[0, 100, 50\]; expected 0 first, then rising steps"),
    ],
)
def test_a_wrong_schedule_is_explained(text, message):
    with pytest.raises(InputError, match=message):
        parse_stages(text)


def test_schedules_that_clash_or_fit_no_run_are_refused(tmp_path):
    with pytest.raises(InputError, match="a second schedule for every run"):
        parse_schedules(["0:2048", "0:4096"])
    path = tmp_path / "c.csv"
    path.write_text("run,step,accuracy\na,0,0.5\n")
    with pytest.raises(InputError, match="no run's name holds 'zzz'; runs: a"):
        check_health(path, parse_schedules(["zzz=0:2048"]))


def test_hostile_names_are_made_visible(tmp_path):
    path = tmp_path / "c.csv"
    rows = "".join(f"\x1b[2J\u202e,evil\x07,{step},{0.9 if step < 50 else 0.0}\n" for step in range(0, 80, 4))
    path.write_text("run,benchmark,step,accuracy\n" + rows)
    found = check_health(path)
    assert found[0].verdict == "stop"
    assert all(line.isprintable() for line in details(found).split("\n"))
    assert found[0].run == "␛[2J‹U+202E›"


def test_a_file_of_too_many_responses_is_refused(tmp_path):
    path = tmp_path / "00000001.jsonl"
    path.write_text('{"rollout_step": 1, "text": ""}\n' * 200_001)
    with pytest.raises(InputError, match="has more than 200,000 responses; expected those of one rollout step"):
        check_health(path)
