"""Training lines from labelled texts, with variants that make the text of web pages look familiar.

Three differences between a LaTeX file and a page are trained away. A page may have lost its formulas (`drop_formulas`)
or show them as glyphs (`plain_formulas`); and it may be a line or a book, with paragraphs that say little, while
labelled texts are of one length (`windows`). What each is worth is measured in `docs/classifiers.md`.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator

from classifiers.fasttext_model import PREFIX
from classifiers.labelled import LabelledText
from classifiers.latex_words import GLYPH_WORDS, GREEK_WORDS
from classifiers.normalise import normalise
from manifests.errors import ClassifierError
from manifests.kinds.classifier import Augmentation, Labels

REVISION = 1
"""Raised with every change that gives other training lines."""

SHORTEST_WORDS = 3
LONGEST_WORDS = 100
"""Windows are this long, their logarithm evenly spread (chosen here among six ranges, see DECISIONS.md)."""

MIN_PROSE_CHARS = 60
"""A text that keeps less than this without its formulas is no example of prose."""

_FORMULA = re.compile(
    r"\$\$.{1,4000}?\$\$|\$[^$]{1,4000}\$|\\\[.{1,4000}?\\\]|\\\(.{1,1000}?\\\)"
    r"|\\begin\{(equation|align|eqnarray|displaymath|gather|multline)(\*?)\}.{1,4000}?\\end\{\1\2\}",
    re.DOTALL,
)
_COMMAND = re.compile(r"\\[A-Za-z]+")
_SHOWN = {word.strip() for word in [*GLYPH_WORDS.values(), *GREEK_WORDS.values()]}


def drop_formulas(text: str) -> str:
    """The prose of a text: what is left where a page shows its formulas as images."""
    return _FORMULA.sub(" ", text)


def plain_formulas(text: str) -> str:
    """The text with formulas as a reader sees them: commands without a glyph, such as \\frac, are gone."""
    return _FORMULA.sub(lambda formula: _COMMAND.sub(_glyph_only, formula[0]), text)


def _glyph_only(command: re.Match[str]) -> str:
    return command[0] if command[0].lower() in _SHOWN else " "


def training_lines(
    texts: list[LabelledText], labels: Labels, augment: list[Augmentation], epochs: int, seed: int
) -> Iterator[str]:
    """fastText lines of all epochs: each epoch in another order, with as many lines of each label.

    The rarer label repeats within an epoch. With `windows`, each repetition and each epoch is cut anew.
    Raises ClassifierError where a label has no text.
    """
    rng = random.Random(seed)
    variants = {label: _variants(texts, label, augment, label == labels.positive) for label in _both(labels)}
    for label, groups in variants.items():
        if not any(groups):
            raise ClassifierError(f"training: no text has the label {label!r}; expected texts of both labels.")
    for _ in range(epochs):
        yield from _epoch(variants, augment, rng)


def _epoch(variants: dict[str, list[list[str]]], augment: list[Augmentation], rng: random.Random) -> list[str]:
    lines = {label: _cut(groups, augment, rng) for label, groups in variants.items()}
    wanted = max(map(len, lines.values()))
    for label in lines:
        while len(lines[label]) < wanted:
            lines[label] += _cut(variants[label], augment, rng)
    balanced = [f"{PREFIX}{label} {line}" for label in lines for line in lines[label][:wanted]]
    rng.shuffle(balanced)
    return balanced


def _both(labels: Labels) -> tuple[str, str]:
    return labels.positive, labels.negative


def _variants(
    texts: list[LabelledText], label: str, augment: list[Augmentation], with_formulas: bool
) -> list[list[str]]:
    """The texts of one label in normal form, a list for each source and variant."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        if text.label == label:
            by_source[text.source].append(text.text)
    groups = [group for _, group in sorted(by_source.items())]
    changed: list[list[str]] = []
    if with_formulas and "drop_formulas" in augment:
        changed += [[prose for prose in map(drop_formulas, g) if len(prose) > MIN_PROSE_CHARS] for g in groups]
    if with_formulas and "plain_formulas" in augment:
        changed += [[plain_formulas(text) for text in group] for group in groups]
    return [[line for text in group if (line := normalise(text))] for group in groups + changed]


def _cut(groups: list[list[str]], augment: list[Augmentation], rng: random.Random) -> list[str]:
    """The lines of one round: every text, or with `windows` every group in random order, cut anew."""
    lines: list[str] = []
    for group in groups:
        rng.shuffle(group)
        lines += _windows(" ".join(group).split(" "), rng) if "windows" in augment and group else group
    rng.shuffle(lines)
    return lines


def _windows(words: list[str], rng: random.Random) -> Iterator[str]:
    """Pieces of the words, one after the other, of random lengths."""
    start = 0
    while start < len(words):
        length = int(SHORTEST_WORDS * (LONGEST_WORDS / SHORTEST_WORDS) ** rng.random())
        yield " ".join(words[start : start + length])
        start += length
