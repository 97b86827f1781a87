"""The training rows: short worked answers, long reasoning and dialogues, all from the same supply of problems."""

import random

from demo.supply import Supply
from demo.wording import Problem

Row = dict[str, str]

ENDINGS = (
    "The answer is ${a}$.",
    "So the answer is ${a}$.",
    "Answer: ${a}$.",
    "The final answer is ${a}$.",
    "Therefore the answer is ${a}$.",
)


def short_qa(supply: Supply, count: int, prefix: str) -> list[Row]:
    """Short worked problems; `text` is question and answer, `answer` the bare result."""
    rows = []
    for number in range(1, count + 1):
        made = supply.problem(supply.family())
        check = f" {made.check}" if supply.rng.random() < 0.12 else ""
        solution = f"{' '.join(made.steps)}{check} {supply.rng.choice(ENDINGS).replace('{a}', made.answer)}"
        rows.append(
            {
                "id": f"{prefix}-{number:04d}",
                "text": f"Question: {made.statement}\nAnswer: {solution}",
                "problem": made.statement,
                "answer": made.answer,
            }
        )
    return rows


THINK = (
    "Let me think about this carefully.",
    "Okay, let me first understand what is being asked.",
    "What is the shortest way to the answer?",
    "I will go slowly here, since it is easy to make a slip.",
    "First, what do I know, and what do I want?",
    "Let me see which method fits.",
)
BEGIN = (
    "Let me try it.",
    "Here we go.",
    "Let me write this down properly.",
    "Now the calculation.",
    "Let me carry it out step by step.",
)
LINKS = ("Okay.", "Good.", "Fine.", "So far so good.", "Moving on.", "Right.", "Let me go on.")
WAIT = (
    "Wait, let me think about a possible mistake.",
    "Hmm, let me stop for a moment.",
    "Wait.",
    "Hold on, is that really right?",
    "Hmm, there is a trap here.",
)
RESUME = (
    "So my steps above avoid this. Let me continue.",
    "Good that I noticed; the plan above is still the right one.",
    "That settles it, so I go on as planned.",
    "I will keep that in mind.",
)
VERIFY = (
    "Let me double-check the result in another way.",
    "Before I answer, let me verify this.",
    "Let me check it once more.",
    "I want to be sure, so here is a test.",
    "Does this make sense? Let me see.",
)
CONFIRM = (
    "That matches.",
    "Great, it agrees.",
    "So I am confident.",
    "The check works out.",
    "Everything fits together.",
)
SECOND = (
    "Could there be another way? I could also try small cases first, but the direct method is short enough.",
    "As an alternative I might draw a picture, but the calculation already gives a clear path.",
    "Maybe I should estimate first, so that I notice if the result is far off.",
    "Let me also ask whether the answer is unique. The question expects one answer, and the method gives one.",
    "I could guess and test, but a method that always works is better.",
)
CLOSE = (
    "So the final answer is",
    "Therefore the answer is",
    "Putting everything together, the answer is",
    "I conclude that the answer is",
    "Hence the final answer is",
)


def reasoning(rng: random.Random, made: Problem) -> str:
    """A long train of thought that explores, stumbles, recovers, checks and ends in a boxed answer."""
    lines = [rng.choice(THINK) + " " + made.idea]
    if rng.random() < 0.6:
        lines.append(rng.choice(SECOND))
    cut = rng.randint(1, len(made.steps))
    steps = [f"{rng.choice(LINKS)} {step}" if i and rng.random() < 0.35 else step for i, step in enumerate(made.steps)]
    lines.append(f"{rng.choice(BEGIN)} {' '.join(steps[:cut])}")
    lines.append(f"{rng.choice(WAIT)} {made.slip} {rng.choice(RESUME)}")
    lines += [" ".join(steps[cut:])] if steps[cut:] else []
    lines.append(f"{rng.choice(VERIFY)} {made.check} {rng.choice(CONFIRM)}")
    if rng.random() < 0.5:
        lines.append(f"Let me go through it one last time: {' '.join(made.steps)}")
    return "\n".join([*lines, f"{rng.choice(CLOSE)} $\\boxed{{{made.answer}}}$."])


def long_cot(supply: Supply, count: int, prefix: str, least: int = 600, most: int = 2000) -> list[Row]:
    """Problems with long reasoning of 600 to 2,000 characters; others are thrown away."""
    rows: list[Row] = []
    while len(rows) < count:
        made = supply.problem(supply.family())
        text = f"{made.statement}\n{reasoning(supply.rng, made)}"
        if least <= len(text) <= most:
            rows.append({"id": f"{prefix}-{len(rows) + 1:04d}", "text": text})
    return rows
