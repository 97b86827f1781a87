"""True answers out of columns of every type, and what is refused."""

import math
from decimal import Decimal
from typing import Any

import pytest

from classifiers.answers.truths import LONGEST, truth_text


@pytest.mark.parametrize(
    ("value", "rule", "truth"),
    [
        (27.0, "plain", "27"),
        (0.1, "plain", "0.1"),
        (1e-05, "plain", "0.00001"),
        (1e20, "plain", "100000000000000000000"),
        (-0.5, "plain", "-0.5"),
        (Decimal("3.50"), "plain", "3.5"),
        (362880, "plain", "362880"),
        (True, "plain", "True"),
        (" 025 ", "plain", "025"),
        (["$69$,$84$"], "plain", "$69$,$84$"),
        (["1", 2.0], "plain", "1, 2"),
        (r"We get $$\boxed{\frac12}.$$", "box", r"\frac12"),
        ("2+2=<<2+2=4>>4\n#### 4", "gsm8k", "4"),
        ("c", "choice", "C"),
    ],
)
def test_a_truth_as_text(value: Any, rule: str, truth: str) -> None:
    assert truth_text(value, rule) == truth


@pytest.mark.parametrize(
    ("value", "rule", "message"),
    [
        (None, "plain", "None is no answer; expected text, a finite number or a list of them"),
        (math.nan, "plain", "nan is no answer"),
        (math.inf, "plain", "inf is no answer"),
        (Decimal("Infinity"), "plain", "is no answer"),
        ({"a": 1}, "plain", "is no answer"),
        ("", "plain", "'' is empty; expected an answer"),
        (" \n", "plain", "is empty"),
        ([], "plain", "the list of answers is empty; expected at least one"),
        (["5", ""], "plain", "is empty"),
        (r"\boxed{}", "box", "is empty"),
        ("no box", "box", "'no box' holds no answer by the rule box"),
        ("x" * 5000, "box", "x… holds no answer by the rule box"),
        ("x" * (LONGEST + 1), "plain", "the answer has 1,001 characters; expected at most 1,000"),
        ("5", "best", "rule 'best' is unknown"),
    ],
)
def test_what_is_no_answer_is_refused(value: Any, rule: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        truth_text(value, rule)
    assert message in str(error.value)


def test_a_huge_integer_is_refused_without_printing_it() -> None:
    with pytest.raises(ValueError, match="an integer of 16,610 bits is no answer"):
        truth_text(10**5000)
