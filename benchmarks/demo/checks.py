"""What must be true of the demo data before it is written: leaks as planned, nothing held out in the training text."""

import re
from collections.abc import Iterable, Sequence

GRAM = 13
WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return WORD.findall(text.lower())


def grams(text: str, size: int = GRAM) -> set[tuple[str, ...]]:
    """All word n-grams of a text; a shorter text is one gram."""
    found = words(text)
    return {tuple(found[i : i + size]) for i in range(max(1, len(found) - size + 1))}


def overlapping(problems: Sequence[dict[str, str]], texts: Iterable[str]) -> dict[str, int]:
    """How many texts share a 13-gram with each benchmark problem; problems without any are left out."""
    owners: dict[tuple[str, ...], str] = {gram: row["id"] for row in problems for gram in grams(row["problem"])}
    counts: dict[str, int] = {}
    for text in texts:
        for identity in {owners[gram] for gram in grams(text) & owners.keys()}:
            counts[identity] = counts.get(identity, 0) + 1
    return counts


def require(condition: bool, message: str) -> None:
    """Stops the build with an explanation unless the condition holds."""
    if not condition:
        raise RuntimeError(message)
