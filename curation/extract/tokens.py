"""Formulas as opaque words: what the main-content chooser sees in their place, and what comes back afterwards."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from zlib import crc32

INLINE, DISPLAY, PLAIN, BLOCK = "i", "d", "p", "b"
MARKER = "[formula]"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as LaTeX without delimiters; `kind` says how the page wrote it, `converted` that it was not in TeX."""

    tex: str
    display: bool
    kind: str
    converted: bool = False


class Tokens:
    """The formulas of one page by their tokens. A token is `zq`, the form, a number and `qz`, as in `zqi12qz`.

    The same page always gives the same tokens. One that holds `zq` itself gets an opening of its own. `definitions` are
    the macro definitions that stood in formulas, as TeX.
    """

    def __init__(self, page: bytes) -> None:
        self.opening = "zq" if b"zq" not in page else "zq" + _letters(crc32(page))
        self.pattern = re.compile(rf"{self.opening}([idpb])(\d{{1,7}})qz")
        self.display_mark = self.opening + DISPLAY
        self.failures: Counter[str] = Counter()
        self.formulas = 0
        self.definitions: list[str] = []
        self._entries: list[Formula | str] = []

    @property
    def is_used(self) -> bool:
        """Whether there is any token."""
        return bool(self._entries)

    def add(self, formula: Formula) -> str:
        """The token of a formula."""
        self.formulas += 1
        return self._token(DISPLAY if formula.display else INLINE, formula)

    def add_unconverted(self, text: str, why: str) -> str:
        """The token of a formula without TeX: its readable text, or a marker. `why` is counted in `failures`."""
        self.failures[why] += 1
        return self._token(PLAIN, text or MARKER)

    def add_block(self, markdown: str) -> str:
        """The token of a piece of finished Markdown, such as fenced code or a table; it may hold other tokens."""
        return self._token(BLOCK, markdown)

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Replaces the TeX of every formula by what `change` makes of it."""
        for index, entry in enumerate(self._entries):
            if isinstance(entry, Formula) and (tex := change(entry.tex)) != entry.tex:
                self._entries[index] = replace(entry, tex=tex)

    def entry(self, token: re.Match[str]) -> Formula | str | None:
        """What a match of `pattern` stands for; None if the page itself wrote something that looks like a token."""
        index = int(token[2])
        return self._entries[index] if index < len(self._entries) else None

    def kept(self, text: str) -> list[Formula]:
        """The formulas whose tokens stand in `text` or in a block that stands there; each counts once."""
        return [entry for entry in self._entries_in(text) if isinstance(entry, Formula)]

    def _token(self, form: str, entry: Formula | str) -> str:
        self._entries.append(entry)
        return f"{self.opening}{form}{len(self._entries) - 1}qz"

    def _entries_in(self, text: str) -> Iterator[Formula | str]:
        seen, texts = set[str](), [text]
        while texts:
            for token in self.pattern.finditer(texts.pop()):
                entry = self.entry(token)
                if entry is None or token[0] in seen:
                    continue
                seen.add(token[0])
                if isinstance(entry, str) and token[1] == BLOCK:
                    texts.append(entry)
                yield entry


def _letters(number: int) -> str:
    """A number below 2**32 as seven letters from g to v, one of them for every four bits but the last."""
    return "".join(chr(ord("g") + (number >> shift & 15)) for shift in range(0, 28, 4))
