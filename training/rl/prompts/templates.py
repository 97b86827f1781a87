"""Prompt templates: the text a base model continues, made of one problem.

`complex` is the text in the style of Open-Reasoner-Zero that the OctoThinker paper trains with: found in an evaluation
harness as `ORZMathPrompt`, and not confirmed against the authors' own data code. Open-Reasoner-Zero itself asks for
`<think>` and `<answer>` tags. `simple` is the wording of the authors' evaluation README; the text they trained with is
not published, and SimpleRL-Zoo's `Question:\\n…\\nAnswer:\\nLet's think step by step.\\n` may be it as well.
"""

from collections.abc import Mapping

from manifests.errors import TrainingError
from manifests.kinds.rl import BUILT_IN_TEMPLATES, QUESTION

_TEXTS = {
    "simple": QUESTION + "\nPlease reason step by step, and put your final answer within \\boxed{}.",
    "complex": (
        "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The "
        "assistant first thinks about the reasoning process in the mind and then provides the user with the answer. "
        "User: You must put your answer inside \\boxed{} and Your final answer will be extracted automatically by the "
        "\\boxed{} tag.\n" + QUESTION + "\nAssistant:"
    ),
    "plain": QUESTION,
}
assert tuple(_TEXTS) == BUILT_IN_TEMPLATES


def template_text(template: str, templates: Mapping[str, str]) -> str:
    """The text of a built-in template or of one of `templates`, with `{question}` once. TrainingError for another."""
    known = {**templates, **_TEXTS}
    if template not in known:
        raise TrainingError(f"prompts.template: is {template!r}; expected one of {', '.join(known)}.")
    text = known[template]
    if text.count(QUESTION) != 1:
        raise TrainingError(f"templates.{template}: holds {QUESTION} {text.count(QUESTION)} times; expected it once.")
    return text


def render(template: str, templates: Mapping[str, str], question: str) -> str:
    """The prompt of one problem. Nothing in the question is interpreted: braces, `{question}` and `%` stay."""
    before, _, after = template_text(template, templates).partition(QUESTION)
    return before + question + after
