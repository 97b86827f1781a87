"""What a response's text shows besides its answer, cheap enough for every response of a run."""

import re
from dataclasses import dataclass
from itertools import islice

from classifiers.answers.rules import extract
from training.rl.rewards.repetition import loops

EARLY_PIECES = 10  # "within about ten tokens" of the text alone: words and signs, of which a token holds about one
FEWEST_LETTERS = 20  # of each script, OctoThinker's mixed-language test

_BOX = re.compile(r"\\boxed(?![A-Za-z])")
# Chosen here. Of 6,858 solutions the first box of 16 came within ten tokens of GPT-NeoX; these pieces find 12 of them
# and one more, 25 characters find 12 and four more.
_PIECE = re.compile(r"\d{1,3}|[^\W\d_]{1,8}|[^\w\s]|_")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True)
class Signals:
    """What one response's text shows."""

    boxes: int
    """How often `\\boxed` stands in it, whatever follows."""
    boxed: bool
    """Whether an answer can be read from a box; `\\boxed:{42}` and a box that never closes hold none."""
    early_box: bool
    """Whether the first `\\boxed` comes after at most EARLY_PIECES pieces: an answer without reasoning."""
    many_boxes: bool
    """Whether `\\boxed` stands in it twice or more."""
    repetition: bool
    """Whether it loops (`repetition.loops`)."""
    mixed_language: bool
    """Whether it holds FEWEST_LETTERS Chinese, Japanese or Korean letters and as many Latin ones."""


NOTHING_SEEN = Signals(0, False, False, False, False, False)


def signals(text: str) -> Signals:
    """The signals of a response's text; O(n log n), a megabyte of hostile text within a second or so."""
    boxes = sum(1 for _ in _BOX.finditer(text))
    return Signals(
        boxes=boxes,
        boxed=extract(text, "box") is not None,
        early_box=_starts_with_box(text),
        many_boxes=boxes >= 2,
        repetition=loops(text),
        mixed_language=_has(_CJK, text) and _has(_LATIN, text),
    )


def _starts_with_box(text: str) -> bool:
    first = _BOX.search(text)
    if first is None:
        return False
    pieces = _PIECE.finditer(text, 0, first.start())
    return sum(1 for _ in islice(pieces, EARLY_PIECES + 1)) <= EARLY_PIECES


def _has(letter: re.Pattern[str], text: str) -> bool:
    return sum(1 for _ in islice(letter.finditer(text), FEWEST_LETTERS)) == FEWEST_LETTERS
