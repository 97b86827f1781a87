"""The answer inside a text: `extract(text, rule)`. Every rule takes time linear in the text, whatever the text is.

- `box`: the last \\boxed{…} or \\fbox{…}, or \\boxed 5 (a number without braces).
- `gsm8k`: the number after the last `####`, `A:`, `Answer:` or `the answer is`.
- `last_number`: the last number: integer, decimal or a/b, with $ and thousands separators.
- `choice`: the letter of a multiple choice.
- `plain`: the whole text.
"""

import re
from collections import deque
from collections.abc import Callable

RULES = ("plain", "box", "gsm8k", "last_number", "choice")

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])[ \t\n]*(?:(\{)|(-?[0-9][0-9.,]*))")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_NUMBER_TEXT = r"[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+"
_SIGN = r"(?:(?<![0-9A-Za-z)}\]])[-−])?"
_NUMBER = re.compile(rf"({_SIGN})\\?[$£€]?({_SIGN})((?:{_NUMBER_TEXT})(?:/[0-9]+)?)")
_MARKER = re.compile(r"####[ \t]*(?=[-+$£€\\(0-9.−])|^[ \t]*\**A:|\banswer(?: is\b|\**:)", re.MULTILINE | re.IGNORECASE)
_WRAPPED = r"[ \t*$:]*(?:\\boxed\{ *)?(?:\\(?:text|textbf|mathrm|mathbf)\{ *)?"
_CHOICE_SAID = re.compile(
    rf"(?:\b(?i:answer)(?: is\b|\**:)|(?=\\boxed\{{)){_WRAPPED}(?:\(([A-Ja-j])\)|([A-J])(?![A-Za-z'])|([a-j])(?=\}}))"
)
_CHOICE_BARE = re.compile(r"\(([A-J])\)|\b([A-J])[.):]?[ \t]*$", re.MULTILINE)
_CHOICE_ALONE = re.compile(r"\s*\(?([A-Ja-j])[.):]*\s*")


def extract(text: str, rule: str) -> str | None:
    """The answer that `rule` finds in `text`, stripped; None where it finds none. ValueError for an unknown rule."""
    if rule not in _EXTRACTORS:
        raise ValueError(f"rule {rule!r} is unknown; expected one of {', '.join(RULES)}")
    answer = _EXTRACTORS[rule](text)
    return None if answer is None else answer.strip()


def _plain(text: str) -> str:
    return text


def _box(text: str) -> str | None:
    """The content of the last box. One that never closes is a truncated answer, and no earlier box stands for it.

    What is no box at all is passed over: a bare mention of `\\boxed`, and `\\boxed:{…}`, a sign of looping models.
    """
    box = _last(_BOX, text)
    if box is None:
        return None
    return box[2].rstrip(".,") if box[2] else _group(text, box.end())


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    matches = deque(pattern.finditer(text), maxlen=1)
    return matches[0] if matches else None


def _group(text: str, start: int) -> str | None:
    """The text from `start`, just behind an opening brace, to the brace that closes it; None if none does."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[start : brace.start()]
    return None


def _gsm8k(text: str) -> str | None:
    """The first number of the line behind the last marker; behind its last equals sign where it has one."""
    marker = _last(_MARKER, text)
    if marker is None:
        return None
    line = text[marker.end() :].lstrip().partition("\n")[0]
    number = _NUMBER.search(line, line.rfind("=") + 1)
    return _number_text(number) if number else None


def _last_number(text: str) -> str | None:
    number = _last(_NUMBER, text)
    return _number_text(number) if number else None


def _number_text(number: re.Match[str]) -> str:
    return ("-" if number[1] or number[2] else "") + number[3].rstrip(",")


def _choice(text: str) -> str | None:
    """A letter alone; else the last that is said to be the answer, or boxed; else the last in brackets or at the end
    of a line."""
    found = _CHOICE_ALONE.fullmatch(text) or _last(_CHOICE_SAID, text) or _last(_CHOICE_BARE, text)
    return next(letter for letter in found.groups() if letter).upper() if found else None


_EXTRACTORS: dict[str, Callable[[str], str | None]] = {
    "plain": _plain,
    "box": _box,
    "gsm8k": _gsm8k,
    "last_number": _last_number,
    "choice": _choice,
}
