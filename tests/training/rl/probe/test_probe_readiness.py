"""The whole probe on a checkpoint that learned some sums here: what is asked, found, said and recorded."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, NotFound, TrainingError
from manifests.kinds.rl import RlManifest
from training.rl.probe.loading import with_precision
from training.rl.probe.readiness import Readiness, probe
from training.rl.probe.report import COLUMNS, probe_lines, probe_record, probe_responses, probe_rows
from training.rl.probe.subject import Options, Subject, chosen_rows

TERMS = [(a, b) for a in range(1, 5) for b in range(1, 7)]


def problem(a: int, b: int) -> str:
    """As it stands in the corpus."""
    return f"{a}+{b}="


def row(a: int, b: int) -> dict[str, Any]:
    """A prompt of training under the template plain; sums above 6 are called hard."""
    text = problem(a, b)
    return {
        "data_source": "sums",
        "prompt": [{"role": "user", "content": text}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": str(a + b)},
        "extra_info": {"index": 0, "split": "train", "id": text, "level": "hard" if a + b > 6 else "easy",
                       "problem": text},
    }  # fmt: skip


def manifest(**changes: Any) -> RlManifest:
    """GRPO on sums, 12 tokens at first."""
    content = {
        "kind": "rl",
        "name": "sums",
        "version": 1,
        "checkpoint": "model",
        "prompts": {"corpus": "sums@1", "template": "plain"},
        "templates": {"shouted": "SOLVE! {question}"},
        "rollout": {"prompts_per_step": 8, "responses_per_prompt": 4, "length_schedule": [[0, 12], [5, 24]]},
        "policy": {"minibatch_prompts": 4},
        "rollout_steps": 10,
    }
    return RlManifest.model_validate(content | changes)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, new_model: Callable[..., Any], new_tokenizer: Any) -> Path:
    """A Hugging Face folder whose model answers easy sums in boxes, and hard ones wrongly now and then."""
    import torch

    folder, tokenizer = tmp_path_factory.mktemp("checkpoint"), new_tokenizer(adds_bos=True)
    model = new_model(initializer_range=0.02)
    easy = [(a, b) for a, b in TERMS if a + b <= 6]
    ids = tokenizer([f"{problem(a, b)}\\boxed{{{a + b}}}<eos>" for a, b in easy], padding=True, return_tensors="pt")
    labels = ids["input_ids"].masked_fill(ids["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(120):
        optimizer.zero_grad()
        model(**{name: ids[name] for name in ("input_ids", "attention_mask")}, labels=labels).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def subject(checkpoint: Path) -> Subject:
    """All sums, with a validation set of 10."""
    return Subject(manifest(), "sums/export", checkpoint, checkpoint, [row(a, b) for a, b in TERMS], 10)


@pytest.fixture(scope="module")
def readiness(subject: Subject) -> Readiness:
    """Under two templates, on the CPU."""
    return probe(subject, Options(problems=20, responses=4, templates=("shouted", "plain"), device="cpu"))


def test_the_manifests_template_is_asked_first_and_each_once(readiness: Readiness) -> None:
    assert [asked.template for asked in readiness.asked] == ["plain", "shouted"]
    assert [len(asked.groups) for asked in readiness.asked] == [20, 20]
    assert {len(group) for asked in readiness.asked for group in asked.groups} == {4}
    own, other = ([group[0].prompt for group in asked.groups] for asked in readiness.asked)
    assert own == other


def test_right_answers_are_found_right(readiness: Readiness) -> None:
    own = readiness.own
    assert own.measures.boxed.value > 0.5
    assert own.by_level()["easy"].accuracy.value > 0.5 > own.by_level()["hard"].accuracy.value
    for group in own.groups:
        a, b = group[0].prompt.rstrip("=").split("+")
        for response in group:
            assert response.judgement.verdict.correct == (f"\\boxed{{{int(a) + int(b)}}}" in response.text)
            assert response.tokens <= 12 and "<eos>" not in response.text


def test_the_same_probe_gives_the_same_responses(readiness: Readiness, subject: Subject) -> None:
    again = probe(subject, Options(problems=20, responses=4, device="cpu", sequences_at_once=7))
    assert [r.text for g in again.own.groups for r in g] == [r.text for g in readiness.own.groups for r in g]


def test_fewer_problems_are_the_first_of_more(subject: Subject) -> None:
    few, many = chosen_rows(subject, 5), chosen_rows(subject, 15)
    assert many[:5] == few
    shuffled = Subject(subject.manifest, "x", subject.checkpoint, subject.tokenizer, list(reversed(subject.rows)))
    assert chosen_rows(shuffled, 15) == many
    assert [each["extra_info"]["id"] for each in many] != sorted(each["extra_info"]["id"] for each in many)


def test_rows_have_the_columns_and_levels(readiness: Readiness) -> None:
    rows = probe_rows(readiness)
    assert [(each[0], each[1]) for each in rows] == [
        (template, level) for template in ("plain", "shouted") for level in ("all", "easy", "hard")
    ]
    assert {len(each) for each in rows} == {len(COLUMNS)}
    whole, easy, hard = rows[:3]
    at = COLUMNS.index
    assert whole[at("problems")] == easy[at("problems")] + hard[at("problems")] == 20
    assert whole[at("tokens_max")] <= 12
    assert (whole[at("tokens_per_s")] > 0, easy[at("tokens_per_s")]) == (True, None)


def test_lines_say_what_was_asked_found_and_what_it_costs(readiness: Readiness) -> None:
    lines = probe_lines(readiness)
    assert lines[0] == (
        "sums/export: 20 of 24 prompts, 4 responses each of at most 12 tokens, temperature 1, top_p 1, seed 42, on cpu "
        "in float32"
    )
    assert lines[1].startswith("template plain: boxed ") and "pass@1 " in lines[1] and "pass@4 " in lines[1]
    assert lines[2].startswith("template shouted: boxed ")
    assert lines[3] == f"verdict for template plain: {readiness.verdict}"
    assert any(line.startswith("doubtful: ") and "begin with their answer" in line for line in lines)
    assert any(line.startswith("rollout steps 1 to 5, cap 12: ") for line in lines)
    assert lines[-1].endswith("at 30 % it takes 1.33 times.")


def test_the_record_is_json_and_complete(readiness: Readiness) -> None:
    record = json.loads(json.dumps(probe_record(readiness), allow_nan=False))
    assert record["sampling"]["max_response_tokens"] == record["first_cap"] == 12
    assert (record["verdict"], record["checkpoint"]) == (readiness.verdict, "sums/export")
    assert len(record["problems"]) == 20
    assert set(record["templates"]) == {"plain", "shouted"}
    assert set(record["templates"]["plain"]["levels"]) == {"easy", "hard"}
    assert record["templates"]["plain"]["measures"]["pass_at"]["4"]["low"] >= 0
    assert record["cost"]["spans"][0]["cap"] == 12
    assert {finding["rule"] for finding in record["findings"]} == {finding.rule for finding in readiness.findings}


def test_every_response_can_be_seen(readiness: Readiness) -> None:
    lines = list(probe_responses(readiness))
    assert len(lines) == 2 * 20 * 4
    assert lines[0]["template"] == "plain" and lines[0]["text"] == readiness.own.groups[0][0].text
    assert {"prompt", "truth", "answer", "reason", "tokens", "correct"} <= set(lines[0])


def test_a_shorter_cap_is_said(subject: Subject) -> None:
    short = probe(subject, Options(problems=4, responses=2, cap=3, device="cpu"))
    assert max(response.tokens for group in short.own.groups for response in group) == 3
    assert {"other_cap", "few_problems"} <= {finding.rule for finding in short.findings}
    assert short.verdict == "not ready"


def test_a_template_that_does_not_fit_is_refused_before_anything_is_sampled(subject: Subject) -> None:
    long = Subject(manifest(templates={"long": "so " * 300 + "{question}"}), *list(vars(subject).values())[1:])
    with pytest.raises(TrainingError, match="need .* positions, the model has 256"):
        probe(long, Options(templates=("long",), device="cpu", problems=10**6, responses=10**6))


def test_levels_are_sorted_by_their_numbers(readiness: Readiness) -> None:
    numbered = replace(readiness.own, levels=[f"Level {number}" for number in range(20, 0, -1)])
    assert list(numbered.by_level())[8:11] == ["Level 9", "Level 10", "Level 11"]


def test_unknown_templates_are_refused(subject: Subject) -> None:
    with pytest.raises(TrainingError) as told:
        probe(subject, Options(templates=("fancy",)))
    assert str(told.value) == (
        "--template fancy: is no template; expected one of simple, complex, plain, shouted. Write your own under "
        "`templates` of sums@1."
    )


def test_no_prompts_are_refused(subject: Subject) -> None:
    empty = Subject(subject.manifest, "x", subject.checkpoint, subject.tokenizer, [])
    with pytest.raises(TrainingError, match="rl sums@1: has no prompts to probe with; expected at least one"):
        probe(empty, Options())


def test_a_folder_that_is_no_model_is_refused(subject: Subject, tmp_path: Path) -> None:
    missing = Subject(subject.manifest, "x", tmp_path, subject.tokenizer, subject.rows)
    with pytest.raises((InputError, NotFound), match="expected safetensors weights"):
        probe(missing, Options(device="cpu"))


def test_rotary_frequencies_stay_float32_in_bfloat16(new_model: Any) -> None:
    import torch

    model = with_precision(new_model(), "bfloat16")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert model.model.rotary_emb.inv_freq.dtype == torch.float32
    assert model(torch.tensor([[5, 6]])).logits.dtype == torch.bfloat16
