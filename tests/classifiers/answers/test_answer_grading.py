"""Agreement with the verdicts of three published sets, on a sample; benchmarks/answer_checker.py does all of it."""

from pathlib import Path

import answer_checker as benchmark
import pytest

from classifiers.answers.check import check_answer, check_extracted
from classifiers.answers.rules import extract

MAKERS = {"gsm8k": benchmark.gsm8k_pairs, "math": benchmark.math_pairs, "cases": benchmark.case_pairs}


@pytest.mark.parametrize(("name", "rows"), [("gsm8k", 300), ("math", 100), ("cases", 3)])
def test_known_verdicts(shared_data: Path, name: str, rows: int) -> None:
    right = benchmark.adjudicated()
    pairs = list(MAKERS[name](shared_data, rows))
    judged = [(pair, check_answer(pair.response, pair.truth, pair.rule)) for pair in pairs]
    assert [p.key for p, verdict in judged if verdict.correct != right.get(p.key, p.label)] == []
    assert [p.key for p, verdict in judged if verdict.reason in benchmark.NO_VERDICT] == []
    assert {pair.label for pair, _ in judged} == {True, False}


def test_the_answers_of_math_equal_themselves_and_not_what_has_another_digit(shared_data: Path) -> None:
    rows = benchmark.read_rows(shared_data / "benchmarks" / "math.test.jsonl.gz", 400)
    answers = [answer for row in rows if (answer := extract(row["solution"], "box"))]
    assert len(answers) == 400
    for answer in answers:
        assert check_extracted(benchmark.rewritten(answer), answer).reason == "right"
    plain = [answer for answer in answers if answer.lstrip("-").isdigit()]
    assert plain and not any(check_extracted(benchmark.perturbed(answer), answer).correct for answer in plain)
