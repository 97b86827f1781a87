"""Which commands of LaTeX the world knows, and which of a formula's it does not."""

import re
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("commands.txt")  # made by benchmarks/render/commands.mjs
_COMMAND = re.compile(r"\\(?:([A-Za-z]++)|.)", re.DOTALL)


def undefined_commands(tex: str) -> list[str]:
    """The commands, without backslash and each once, that neither LaTeX, AMS, MathJax nor KaTeX defines."""
    if "\\" not in tex:
        return []
    known = _known()
    found = (command[1] for command in _COMMAND.finditer(tex))
    return list(dict.fromkeys(name for name in found if name and name not in known))


def is_standard(name: str) -> bool:
    """Whether LaTeX or one of its renderers on the web defines this command, given without backslash."""
    return name in _known()


@cache
def _known() -> frozenset[str]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())
