"""How often the answer checker agrees with known verdicts, how long it takes, and what it makes of every MATH answer.

    python benchmarks/answer_checker.py DATA [--limit ROWS] [--json FILE]

DATA holds `grading/` and `benchmarks/math.test.jsonl.gz`. Three sets of model answers come with the verdicts of their
origin's own checker, which are wrong here and there: `answer_checker_adjudicated.json` lists the pairs (set, row,
index) where they are, with the right verdict and why. Every disagreement is printed. Then

- every answer of MATH's test set against itself, rewritten (`\\dfrac`, spaces, `\\left`), against itself with one digit
  changed, and against the answer of the next problem;
- the pairs labelled by hand of `tests/classifiers/answers/labelled_pairs.json`, beside plain math-verify.
"""

import argparse
import gzip
import json
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.answers.check import Verdict, check_answer, check_extracted, require_checker
from classifiers.answers.rules import extract
from classifiers.answers.truths import truth_text

ADJUDICATED = Path(__file__).with_name("answer_checker_adjudicated.json")
LABELLED = Path(__file__).parents[1] / "tests" / "classifiers" / "answers" / "labelled_pairs.json"
GSM8K_MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
NO_VERDICT = ("timeout", "memory", "error")


@dataclass(frozen=True)
class Pair:
    """A response, its truth and what the origin's checker said. The key is (set, row, index)."""

    key: tuple[str, int, int]
    response: str
    truth: str
    rule: str
    label: bool


def read_rows(path: Path, limit: int | None = None) -> list[dict[str, Any]]:
    """The rows of a gzipped JSONL file, or the first `limit` of them."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for _, line in zip(range(limit or 10**9), lines, strict=False)]


def gsm8k_pairs(data: Path, limit: int | None) -> Iterator[Pair]:
    """Four models' solutions to each problem."""
    for row, entry in enumerate(read_rows(data / "grading" / "gsm8k.model_solutions.jsonl.gz", limit)):
        truth = truth_text(entry["ground_truth"], "gsm8k")
        for index, model in enumerate(GSM8K_MODELS):
            solution = entry[model]
            yield Pair(("gsm8k", row, index), solution["solution"], truth, "gsm8k", bool(solution["is_correct"]))


def math_pairs(data: Path, limit: int | None) -> Iterator[Pair]:
    """Eight sampled solutions to each of 100 MATH problems."""
    for row, entry in enumerate(read_rows(data / "grading" / "math.cot_samples_100.jsonl.gz", limit)):
        for index, (response, score) in enumerate(zip(entry["code"], entry["score"], strict=True)):
            yield Pair(("math", row, index), response, truth_text(entry["gt"]), "box", bool(score))


def case_pairs(data: Path, limit: int | None) -> Iterator[Pair]:
    """Sixteen generations to each of ten prompts; a reward of 5 or -5."""
    for row, entry in enumerate(read_rows(data / "grading" / "math_answer_cases.jsonl.gz", limit)):
        truth = truth_text(entry["solutions"][0], "box")
        for index, (response, reward) in enumerate(zip(entry["generateds"], entry["rewards"], strict=True)):
            yield Pair(("cases", row, index), response, truth, "box", reward > 0)


def adjudicated() -> dict[tuple[str, int, int], bool]:
    """The right verdicts of pairs whose label is wrong."""
    entries = json.loads(ADJUDICATED.read_text("utf-8"))
    return {(entry["set"], entry["row"], entry["index"]): entry["correct"] for entry in entries}


def timed(pair: Pair) -> tuple[Verdict, float]:
    """The verdict and its milliseconds."""
    start = time.perf_counter()
    verdict = check_answer(pair.response, pair.truth, pair.rule)
    return verdict, (time.perf_counter() - start) * 1e3


def measure_set(name: str, pairs: list[Pair], right: dict[tuple[str, int, int], bool]) -> dict[str, Any]:
    """One set: agreement before and after adjudication, times; prints every disagreement."""
    start = time.perf_counter()
    judged = [(pair, *timed(pair)) for pair in pairs]
    wall_s = time.perf_counter() - start
    milliseconds = sorted(took for _, _, took in judged)
    differ = [(pair, verdict) for pair, verdict, _ in judged if verdict.correct != pair.label]
    wrong = [(p, v) for p, v, _ in judged if v.correct != right.get(p.key, p.label)]
    for pair, verdict in differ:
        mark = "label is wrong" if right.get(pair.key, pair.label) == verdict.correct else "NOT ADJUDICATED"
        print(f"  {pair.key}: {verdict.answer!r} for {pair.truth!r}: label {pair.label}, ours {verdict.reason}; {mark}")
    return {
        "set": name,
        "pairs": len(pairs),
        "agreement_raw": 1 - len(differ) / len(pairs),
        "agreement": 1 - len(wrong) / len(pairs),
        "no_verdict": sum(verdict.reason in NO_VERDICT for _, verdict, _ in judged),
        "p50_ms": round(statistics.median(milliseconds), 3),
        "p99_ms": round(milliseconds[int(0.99 * len(milliseconds))], 2),
        "max_ms": round(milliseconds[-1], 1),
        "pairs_per_s": round(len(pairs) / wall_s),
    }


def rewritten(answer: str) -> str:
    """The same answer as another writer would have it."""
    text = re.sub(r"\\[dt]?frac(?![a-z])", r"\\dfrac", answer)
    text = re.sub(r"(?<!\\left)\((?=[^()]*\))", r"\\left( ", text)
    text = re.sub(r"\\left\( ([^()]*)\)", r"\\left( \1 \\right)", text) if "\\right" not in answer else answer
    return " " + re.sub(r"(?<=[0-9])\s*([-+])\s*(?=[0-9])", r" \1 ", text) + " ."


def perturbed(answer: str) -> str | None:
    """With its last digit changed; None where it has none."""
    at = max((place for place, letter in enumerate(answer) if letter in "0123456789"), default=-1)
    return None if at < 0 else answer[:at] + str((int(answer[at]) + 1) % 10) + answer[at + 1 :]


def measure_math(data: Path, limit: int | None) -> dict[str, Any]:
    """Every MATH answer against itself and against others; prints what should not be."""
    rows = read_rows(data / "benchmarks" / "math.test.jsonl.gz", limit)
    answers = [answer for row in rows if (answer := extract(row["solution"], "box"))]
    start = time.perf_counter()
    others = zip(answers, [*answers[1:], answers[0]], strict=True)
    trials = {
        "itself": [(answer, answer) for answer in answers],
        "rewritten": [(answer, rewritten(answer)) for answer in answers],
        "perturbed": [(answer, other) for answer in answers if (other := perturbed(answer))],
        "next": list(others),
    }
    counts: dict[str, Any] = {"answers": len(answers)}
    for name, pairs in trials.items():
        expected = name in ("itself", "rewritten")
        verdicts = [(truth, answer, check_extracted(answer, truth)) for truth, answer in pairs]
        for truth, answer, verdict in verdicts:
            if verdict.correct != expected or verdict.reason in NO_VERDICT:
                print(f"  {name}: {answer!r} for {truth!r}: {verdict.reason}")
        counts[name] = f"{sum(v.correct for *_, v in verdicts)} of {len(verdicts)} equal"
    return {**counts, "pairs_per_s": round(sum(map(len, trials.values())) / (time.perf_counter() - start))}


def plain_math_verify(truth: str, answer: str) -> bool:
    """What math-verify says by itself of the two in boxes."""
    from math_verify import parse, verify

    return bool(verify(parse(f"\\boxed{{{truth}}}"), parse(f"\\boxed{{{answer}}}")))


def measure_labelled() -> dict[str, Any]:
    """The pairs labelled by hand: mistakes of ours and of plain math-verify."""
    pairs = json.loads(LABELLED.read_text("utf-8"))
    ours = [p for p in pairs if check_extracted(p["answer"], p["truth"]).correct != p["equal"]]
    plain = [p for p in pairs if plain_math_verify(p["truth"], p["answer"]) != p["equal"]]
    for who, mistakes in (("ours", ours), ("math-verify", plain)):
        for pair in mistakes:
            print(f"  {who}: {pair['answer']!r} for {pair['truth']!r} is {pair['equal']}: {pair['why']}")
    return {"pairs": len(pairs), "mistakes": len(ours), "mistakes_of_plain_math_verify": len(plain)}


def main() -> None:
    """Prints a line a set and every disagreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, help="rows of each file")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    options = parser.parse_args()
    require_checker()
    right = adjudicated()
    makers = {"gsm8k": gsm8k_pairs, "math": math_pairs, "cases": case_pairs}
    results: dict[str, Any] = {}
    for name, make in makers.items():
        results[name] = measure_set(name, list(make(options.data, options.limit)), right)
        print(json.dumps(results[name]))
    for name, measured in (("math_test", measure_math(options.data, options.limit)), ("labelled", measure_labelled())):
        results[name] = measured
        print(json.dumps({"set": name, **measured}))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
