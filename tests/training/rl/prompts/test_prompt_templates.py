"""Templates: the built-in texts, one's own, and questions that look like templates."""

import pytest

from manifests.errors import TrainingError
from manifests.kinds.rl import BUILT_IN_TEMPLATES
from training.rl.prompts.templates import render, template_text


def test_the_built_in_templates_are_what_the_recipe_says() -> None:
    assert render("plain", {}, "What is 1 + 1?") == "What is 1 + 1?"
    assert render("simple", {}, "What is 1 + 1?") == (
        "What is 1 + 1?\nPlease reason step by step, and put your final answer within \\boxed{}."
    )
    asked = render("complex", {}, "What is 1 + 1?")
    assert asked.startswith(
        "A conversation between User and Assistant. The user asks a question, and the Assistant solves"
    )
    assert asked.endswith("extracted automatically by the \\boxed{} tag.\nWhat is 1 + 1?\nAssistant:")
    assert "<think>" not in asked


@pytest.mark.parametrize("name", BUILT_IN_TEMPLATES)
@pytest.mark.parametrize(
    "question", ["{question}", "{", "}}{0}%s", "\\frac{1}{2}", " a\n", "$\\boxed{}$ {{ x }}", "\\1 \\g<0>", ""]
)
def test_nothing_in_a_question_is_interpreted(name: str, question: str) -> None:
    before, after = template_text(name, {}).split("{question}")
    assert render(name, {}, question) == before + question + after


def test_own_templates_are_used_and_do_not_hide_the_built_in_ones() -> None:
    templates = {"mine": "Q: {question}\nA:", "plain": "no {question}"}
    assert render("mine", templates, "why {}?") == "Q: why {}?\nA:"
    assert render("plain", templates, "why?") == "why?"


def test_a_template_that_is_not_there_or_has_no_place_for_the_question_is_an_error() -> None:
    with pytest.raises(TrainingError, match=r"is 'orz'; expected one of mine, simple, complex, plain"):
        render("orz", {"mine": "{question}"}, "x")
    with pytest.raises(TrainingError, match=r"templates\.mine: holds \{question\} 2 times; expected it once"):
        render("mine", {"mine": "{question}{question}"}, "x")
