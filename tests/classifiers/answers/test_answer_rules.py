"""The answer inside a text, by rule; on long texts too."""

import pytest

from classifiers.answers.rules import RULES, extract

MEGABYTE = 10**6


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{5}.", "5"),
        (r"\boxed{5} wait, \boxed{7}", "7"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"\fbox{3}", "3"),
        (r"\boxed 5$.", "5"),
        (r"\boxed {17}.$$- OR -", "17"),
        (r"\boxed-1,250.", "-1,250"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{x \le 3 \}}", r"x \le 3 \}"),
        (r"\boxed{\text{a \boxed{3}", "3"),
        (r"\boxed{5}, in a \boxed as asked", "5"),
        (r"\boxed{}", ""),
        (r"\boxed{4} then \boxed{42", None),
        (r"\boxed:{42}", None),
        (r"\boxedfoo{42}", None),
        ("the answer is 42", None),
        ("", None),
    ],
)
def test_the_last_closed_box(text: str, answer: str | None) -> None:
    assert extract(text, "box") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("5 + 5 = <<5+5=10>>10\n#### 10", "10"),
        ("She has 3.\nA: 1,250", "1,250"),
        ("A: 1\nA: 2", "2"),
        ("The answer is $18 per day.", "18"),
        ("the final answer is: 5 + 3 = 8", "8"),
        ("Answer: -1.5 degrees", "-1.5"),
        ("**Answer:** 7/14", "7/14"),
        ("#### Step 2\nA: 4", "4"),
        ("A: $-3", "-3"),
        ("A: nothing", None),
        ("18", None),
        ("NA: 5 and BA: 6", None),
    ],
)
def test_the_number_behind_the_last_marker(text: str, answer: str | None) -> None:
    assert extract(text, "gsm8k") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("so 3 or 7.", "7"),
        ("it costs $1,234.50!", "1,234.50"),
        ("10-3 = -7", "-7"),
        ("between 3-4", "4"),
        ("about 3/4 of it", "3/4"),
        ("x = .5", ".5"),
        ("none", None),
    ],
)
def test_the_last_number(text: str, answer: str | None) -> None:
    assert extract(text, "last_number") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("c", "C"),
        (" (B). ", "B"),
        (r"\boxed{C}", "C"),
        (r"\boxed{\text{(D)}}", "D"),
        (r"\boxed{c}", "C"),
        ("The answer is (b) since A fails", "B"),
        ("Answer: **E**", "E"),
        ("Between (A) and (C), (C) is larger", "C"),
        ("The answer is a number", None),
        ("I cannot say", None),
    ],
)
def test_the_letter_of_a_multiple_choice(text: str, answer: str | None) -> None:
    assert extract(text, "choice") == answer


def test_plain_is_the_text_itself() -> None:
    assert extract(" 5 cm\n", "plain") == "5 cm"


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(
        ValueError, match="rule 'boxes' is unknown; expected one of plain, box, gsm8k, last_number, choice"
    ):
        extract("5", "boxes")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "unit",
    ["\\boxed{", "\\boxed ", "{", "\\", "#### ", "\nA: ", "answer is ", "1,", "-$", "(A", " ", "\\boxed{1} ", "\x00"],
)
def test_a_megabyte_of_anything_is_read(rule: str, unit: str) -> None:
    found = extract(unit * (MEGABYTE // len(unit)), rule)
    assert found is None or isinstance(found, str)


def test_an_answer_behind_a_megabyte_is_found() -> None:
    assert extract("\\boxed{" * 10**5 + "x" * MEGABYTE + "\\boxed{7}", "box") == "7"
    assert extract("{" * 10**5 + "\\boxed{" + "{" * 10**5 + "}" * 10**5 + "}", "box") == "{" * 10**5 + "}" * 10**5
