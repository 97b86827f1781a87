"""Two spellings of one formula as one string, in pure Python: what to compare when a formula has been through a page.

Left out of a comparison is what says how a formula is set and not what it says: spaces, sizes, upright or italic
letters, redundant braces, and which of several names a symbol is called by. What is kept: the order of things, scripts,
fractions, roots, rows and cells, accents, and the alphabets that are symbols of their own (bold, blackboard, script).
"""

import re
from functools import lru_cache

from curation.extract.scoring.comparable_names import (
    ALPHABETS,
    ARGUMENTS,
    CHARS,
    DROPPED,
    DROPPED_WITH_ARGUMENT,
    FENCED,
    GRIDS,
    OVER,
    SIZES,
    SPELLED,
    SYNONYMS,
    UPRIGHT,
)

MAX_CHARS = 20_000
MAX_DEPTH = 60  # chosen here; deeper formulas are compared by their characters
_SPACE = re.compile(r"[\s\u00a0\u200b\u2009\u202f\ufeff\u2061-\u2064]+")
_COMMENT = re.compile(r"(?<!\\)%[^\n]*\n")
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[^\\]", re.DOTALL)
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{\s*([A-Za-z]+)\*?\s*\}")
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_WRAPPERS = re.compile(
    r"\\(?:displaystyle|textstyle)(?![A-Za-z])|\\label\{[^{}]*\}|\\(?:begin|end)\{(?:equation\*?|displaymath|math)\}"
)


class _TooDeep(ValueError):
    """Groups within groups beyond the bound."""


@lru_cache(maxsize=8192)
def comparable_tex(tex: str) -> str:
    r"""The formula in a normal form: `x_{1} \le \dfrac12` and `x_1\leq\frac{1}{2}` give the same string."""
    bare = without_space(tex)
    if len(tex) > MAX_CHARS:
        return bare
    source = _ENVIRONMENT.sub(r"\\\1{\2}", undressed(tex))
    try:
        return "".join(_without_last_break(_Reader(_TOKEN.findall(source)).items(0))) or bare
    except _TooDeep:
        return bare


def without_space(tex: str) -> str:
    """The formula without delimiters, wrappers, labels and white space: what has to be equal in an exact copy."""
    tex = _SPACE.sub("", undressed(tex))
    while tex.startswith("{") and _closing(tex) == len(tex) - 1:
        tex = tex[1:-1]
    return tex


def undressed(tex: str) -> str:
    """The formula without delimiters, comments, labels, and wrappers that only say that it is a display formula."""
    bare = _WRAPPERS.sub(" ", _COMMENT.sub("", undelimited(tex)))
    return bare.replace("{array}[]", "{array}").strip()  # as LaTeXML writes it


def undelimited(tex: str) -> str:
    """The formula without the delimiters around all of it."""
    tex = tex.strip()
    for opening, closing in _DELIMITERS:
        if len(tex) > len(opening) + len(closing) and tex.startswith(opening) and tex.endswith(closing):
            return tex[len(opening) : -len(closing)].strip()
    return tex


def _closing(tex: str) -> int:
    """Where the group that opens the text ends; -1 if it does not."""
    depth, at = 0, 0
    while at < len(tex):
        char = tex[at]
        at += 1 + (char == "\\")
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return at - 1
    return -1


class _Reader:
    """The tokens of a formula read once from left to right; every method returns finished pieces of the normal form."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def items(self, depth: int, closing: str | None = None) -> list[str]:
        """The pieces up to a closing token, which is consumed, or to the end."""
        if depth > MAX_DEPTH:
            raise _TooDeep
        found: list[str] = []
        while (token := self._next()) is not None and token != closing:
            if token in OVER:
                return [*_over(token, found, self.items(depth + 1, closing))]
            self._read(token, found, depth)
        return found

    def _next(self) -> str | None:
        """The next token that is not white space, or None at the end."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if not _SPACE.fullmatch(token):
                return token
        return None

    def _read(self, token: str, found: list[str], depth: int) -> None:
        """Appends what the token, with what belongs to it, comes to."""
        token = SYNONYMS.get(token, token)
        if token == "{":
            found.extend(self.items(depth + 1, "}"))
        elif token in ("_", "^", "'"):
            self._scripts(token, found, depth)
        elif token in DROPPED_WITH_ARGUMENT:
            self._argument(depth)
        elif token in SIZES:
            self._drop_empty_fence()
        elif token == "\\begin":
            found.extend(self._environment(depth))
        elif token not in DROPPED:
            found.extend(self._command(token, depth) if token[0] == "\\" else _char(token))

    def _argument(self, depth: int) -> list[str]:
        """The pieces of a group, or of the one token that stands for it."""
        token = self._next()
        if token is None or token == "}":
            self.at -= token is not None
            return []
        found: list[str] = []
        if token in ("_", "^", "'"):
            return [token]
        if depth > MAX_DEPTH:
            raise _TooDeep
        self._read(token, found, depth + 1)
        return found

    def _command(self, token: str, depth: int) -> list[str]:
        if token in SPELLED:
            return list(SPELLED[token])
        if token in UPRIGHT:
            return [piece for piece in self._argument(depth) if piece not in ("$", "~")]
        if token in ALPHABETS:
            return [f"{ALPHABETS[token]}{{{piece}}}" for piece in self._argument(depth)]
        if token == "\\pmod":
            return ["(", "m", "o", "d", *self._argument(depth), ")"]
        if token == "\\not":
            return _negated(self._argument(depth))
        optional = self._optional(depth) if token in ("\\sqrt", "\\xrightarrow", "\\xleftarrow") else ""
        arguments = [f"{{{''.join(self._argument(depth))}}}" for _ in range(ARGUMENTS.get(token, 0))]
        return [token + optional + "".join(arguments) + ("" if arguments else " ")]

    def _optional(self, depth: int) -> str:
        if self._peek() != "[":
            return ""
        self._next()
        return f"[{''.join(self.items(depth + 1, ']'))}]"

    def _scripts(self, token: str | None, found: list[str], depth: int) -> None:
        """Puts the scripts on the last piece, lower before upper, whatever order they come in."""
        scripts = {"_": "", "^": ""}
        while token in ("_", "^", "'"):
            if token == "'":
                scripts["^"] += "\\prime "
            else:
                scripts[token] += "".join(self._argument(depth))
            token = self._peek()
            if token in ("_", "^", "'"):
                self._next()
        written = "".join(f"{mark}{{{script}}}" for mark, script in scripts.items() if script)
        found.append((found.pop() if found else "") + written)

    def _peek(self) -> str | None:
        before = self.at
        token = self._next()
        self.at = before
        return SYNONYMS.get(token, token) if token else None

    def _drop_empty_fence(self) -> None:
        r"""The point of `\left.` stands for no bracket at all."""
        if self._peek() == ".":
            self._next()

    def _environment(self, depth: int) -> list[str]:
        name = "".join(self._argument(depth))
        before, after = FENCED.get(name, ("", ""))
        if name in ("array", "alignedat", "alignat"):
            self._optional(depth)
            self._argument(depth)
        rows = self.items(depth + 1, "\\end")
        self._argument(depth)
        rows = _without_last_break(rows)
        if name in GRIDS or name in FENCED:
            return [*before, f"\\grid{{{''.join(rows)}}}", *after]
        return rows


def _without_last_break(pieces: list[str]) -> list[str]:
    """The pieces without line breaks at their end, which start no line."""
    while pieces and pieces[-1] == "\\\\ ":
        pieces.pop()
    return pieces


def _over(token: str, above: list[str], below: list[str]) -> list[str]:
    written = f"{{{''.join(above)}}}{{{''.join(below)}}}"
    return ["(", f"\\grid{written}", ")"] if token == "\\choose" else [f"{OVER[token]}{written}"]


def _char(token: str) -> list[str]:
    known = CHARS.get(token)
    return [known] if known else [token]


def _negated(pieces: list[str]) -> list[str]:
    names = {"=": "\\neq ", "\\in ": "\\notin ", "\\equiv ": "\\not\\equiv "}
    return [names.get(pieces[0], "\\not" + pieces[0]), *pieces[1:]] if pieces else []
