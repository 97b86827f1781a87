"""Problems, prompts made of them, and what was left out: the facts that the other files hand on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manifests.kinds.rl import Answers

TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True)
class Problem:
    """One problem with its true answer as text."""

    id: str
    text: str
    truth: str
    level: str | None = None


@dataclass(frozen=True)
class Removed:
    """A problem that is not asked, why, and what shows it."""

    data_source: str  # the corpus, or the name of a validation set
    id: str
    reason: str
    detail: str

    @property
    def line(self) -> dict[str, str]:
        """A line of removed.jsonl."""
        return {
            "data_source": self.data_source,
            "id": self.id,
            "reason": self.reason,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Prompt:
    """A problem as it is asked: `content` is the whole text that the policy continues."""

    data_source: str
    split: str
    index: int  # its place in the file
    problem: Problem
    content: str
    tokens: int | None = None  # of the content; None where no tokenizer was given

    @property
    def row(self) -> dict[str, Any]:
        """The row that verl reads, and TRL unchanged."""
        problem = self.problem
        return {
            "data_source": self.data_source,
            "prompt": [{"role": "user", "content": self.content}],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": problem.truth},
            "extra_info": {
                "index": self.index,
                "split": self.split,
                "id": problem.id,
                "level": problem.level,
                "problem": problem.text,
            },
        }


def read_problem(
    data_source: str, problem_id: str, text: str, columns: Mapping[str, Any], answers: Answers, level: str | None = None
) -> Problem | Removed:
    """The problem with the answer in `columns`, or why it cannot be asked.

    Reasons: `no_problem`, `no_answer`, `bad_answer` (the column holds no answer by the rule), `bad_text` (half a
    character, which no Parquet file can hold).
    """
    from classifiers.answers.truths import truth_text

    value = columns.get(answers.column)
    if not text.strip():
        return Removed(data_source, problem_id, "no_problem", "the text is empty")
    if value is None or value == [] or (isinstance(value, str) and not value.strip()):
        return Removed(data_source, problem_id, "no_answer", f"{answers.column} is {value!r:.60}")
    try:
        problem = Problem(problem_id, text, truth_text(value, answers.rule), level)
        f"{text}{problem.truth}{level}".encode()
    except UnicodeEncodeError as error:
        return Removed(data_source, problem_id, "bad_text", f"its problem, answer or level cannot be written: {error}")
    except (ValueError, RecursionError) as error:
        return Removed(data_source, problem_id, "bad_answer", f"{answers.column}: {error}")
    return problem
