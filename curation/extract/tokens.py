"""Formulas as opaque words: what the main-content chooser sees in their place, and what comes back afterwards."""

import re
from collections import Counter
from dataclasses import dataclass
from zlib import crc32

INLINE, DISPLAY, PLAIN = "i", "d", "p"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as LaTeX without delimiters; `kind` says how the page wrote it."""

    tex: str
    display: bool
    kind: str


class Tokens:
    """The formulas of one page by their tokens. A token is `zq`, the form, a number and `qz`, as in `zqi12qz`.

    The same page always gives the same tokens. One that holds `zq` itself gets an opening of its own.
    """

    def __init__(self, page: bytes) -> None:
        self.opening = "zq" if b"zq" not in page else "zq" + _letters(crc32(page))
        self.pattern = re.compile(rf"{self.opening}([idp])(\d{{1,7}})qz")
        self.display_mark = self.opening + DISPLAY
        self.unconverted = 0
        self._entries: list[Formula | str] = []

    @property
    def formulas(self) -> int:
        """How many formulas with TeX were found."""
        return len(self._entries) - self.unconverted

    def add(self, formula: Formula) -> str:
        """The token of a formula."""
        self._entries.append(formula)
        return f"{self.opening}{DISPLAY if formula.display else INLINE}{len(self._entries) - 1}qz"

    def add_unconverted(self, text: str) -> str:
        """The token of a formula without TeX, of which only its readable text is left."""
        self._entries.append(text or "[formula]")
        self.unconverted += 1
        return f"{self.opening}{PLAIN}{len(self._entries) - 1}qz"

    def entry(self, token: re.Match[str]) -> Formula | str | None:
        """What a match of `pattern` stands for; None if the page itself wrote something that looks like a token."""
        index = int(token[2])
        return self._entries[index] if index < len(self._entries) else None

    def kinds(self, text: str) -> Counter[str]:
        """The kinds of the formulas whose tokens stand in `text`, with their numbers. A formula counts once."""
        entries = {match[0]: self.entry(match) for match in self.pattern.finditer(text)}
        return Counter(entry.kind for entry in entries.values() if isinstance(entry, Formula))


def _letters(number: int) -> str:
    """A number below 2**32 as seven letters from g to v, one of them for every four bits but the last."""
    return "".join(chr(ord("g") + (number >> shift & 15)) for shift in range(0, 28, 4))
