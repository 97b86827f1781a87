"""The signals of a response's text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.rl.rewards.signals import NOTHING_SEEN, Signals, signals

REASONING = "Both legs are given, so the hypotenuse is the root of nine plus sixteen. "


def test_a_reasoned_answer() -> None:
    expected = Signals(boxes=1, boxed=True, early_box=False, many_boxes=False, repetition=False, mixed_language=False)
    assert signals(REASONING + "Thus \\boxed{5}.") == expected


def test_an_empty_response_shows_nothing() -> None:
    assert signals("") == NOTHING_SEEN


@pytest.mark.parametrize("text", ["\\boxed{5}", "  \n$$\\boxed{5}$$ because", "The answer is $x = \\boxed{5}$"])
def test_a_box_without_reasoning_is_early(text: str) -> None:
    assert signals(text).early_box


@pytest.mark.parametrize("before", [REASONING, "3 + 4 = 7 and 7 + 5 = 12: ", "x" * 1_000, "数" * 100])
def test_a_box_after_reasoning_is_not_early(before: str) -> None:
    assert not signals(before + "\\boxed{5}").early_box


def test_without_a_box_none_is_early() -> None:
    assert not signals("Yes.").early_box


def test_a_box_that_cannot_be_read_counts_and_holds_nothing() -> None:
    for text in ("\\boxed:{42}", "so \\boxed{42"):
        shown = signals(text)
        assert (shown.boxes, shown.boxed) == (1, False)


def test_boxes_are_counted() -> None:
    shown = signals("\\boxed{1} or \\boxed{2}")
    assert (shown.boxes, shown.boxed, shown.many_boxes) == (2, True, True)
    assert signals("\\boxedness of \\boxed{1}").boxes == 1


def test_two_scripts_are_a_mixed_language() -> None:
    chinese = "因此三角形的内角和等于两个直角这就是我们要证明的结论"
    assert signals(chinese + " which is what was to be shown").mixed_language
    assert signals("ありがとうございますもう一度確かめましょう and so we check it once more").mixed_language
    assert not signals(chinese + " x + y = z").mixed_language
    assert not signals(REASONING + "中").mixed_language


def test_right_solutions_look_healthy(healthy: dict[str, list[str]]) -> None:
    for name, texts in healthy.items():
        shown = [signals(text) for text in texts]
        assert sum(each.early_box for each in shown) <= len(texts) / 1_000, name
        assert not any(each.repetition for each in shown), name
        assert sum(each.mixed_language for each in shown) <= len(texts) / 10, name
        assert name != "math" or all(each.boxed for each in shown)


@given(st.text(max_size=300) | st.text("\\boxed{}1 \n", max_size=300))
@settings(max_examples=200, deadline=None)
def test_the_signals_of_any_text_agree(text: str) -> None:
    shown = signals(text)
    assert shown.many_boxes == (shown.boxes >= 2)
    assert not shown.early_box or shown.boxes
    assert signals(text) == shown


@pytest.mark.parametrize("unit", ["\\boxed{", "\\boxed{1}", "{", "}", "\\", "\ud800", "a数"])
def test_a_megabyte_of_hostile_text_is_read(unit: str) -> None:
    shown = signals(unit * (1_000_000 // len(unit)))
    assert shown.repetition
    assert shown.many_boxes == ("boxed" in unit)
