"""One problem as the demo data knows it, and the small language its sentences are written in."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

CHOICE = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """One question with its worked solution; formulas stand in `$…$`, and `answer` is LaTeX without dollars."""

    key: tuple[object, ...]
    """The numbers that make the problem: no two problems of a family share a key."""
    statement: str
    steps: tuple[str, ...]
    answer: str
    idea: str
    """The first thought, before anything is calculated."""
    slip: str
    """A natural mistake, made and noticed."""
    check: str
    """A second way to see that the answer is right."""


Maker = Callable[[random.Random], Problem]


@dataclass(frozen=True)
class Family:
    """One kind of problem: `make` returns a fresh one for each state of the random source."""

    name: str
    area: str
    title: str
    make: Maker


def vary(rng: random.Random, text: str) -> str:
    """`text` with every `[[one|two|three]]` replaced by one of its choices."""
    return CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)


def say(rng: random.Random, *variants: str) -> str:
    """One of the variants, its inner choices made too."""
    return vary(rng, rng.choice(variants))
