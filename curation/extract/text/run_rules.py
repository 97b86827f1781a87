"""Where runs of lexemes that may be formulas begin and end: not at words, punctuation, or brackets around them."""

from collections.abc import Iterator

from curation.extract.text import lexemes as lex
from curation.extract.text.lexemes import Lexeme

_PREFIXES = frozenset("-\u2212+±∓¬∀∃∑∏∫∬∮√∂∇")
_POSTFIXES = frozenset("!'\u2032\u2033%…⋯")
_CONSTANTS = frozenset("∞ℝℕℤℚℂℙℵℓℏ∅")
_NEAR = 12  # lexemes after a colon among which the arrow of a map is looked for
_MAX_LEXEMES = 400  # chosen here; a longer one is no line that anyone wrote


def runs_of(lexemes: list[Lexeme]) -> Iterator[list[Lexeme]]:
    """The stretches that may be formulas, without the punctuation and the brackets around them."""
    for stretch in _between_words(lexemes):
        for part in _between_brackets(stretch):
            for run in _between_operands(part):
                if trimmed := _trimmed(run):
                    yield trimmed


def _between_words(lexemes: list[Lexeme]) -> Iterator[list[Lexeme]]:
    stretch: list[Lexeme] = []
    for lexeme in lexemes:
        if lexeme.kind == lex.WORD:
            yield stretch
            stretch = []
        else:
            stretch.append(lexeme)
    yield stretch


def _between_brackets(stretch: list[Lexeme]) -> Iterator[list[Lexeme]]:
    """Cuts at brackets without a partner, and outside of brackets at punctuation before a space."""
    partners = _partners(stretch)
    part: list[Lexeme] = []
    depth = 0
    for index, lexeme in enumerate(stretch):
        following = stretch[index + 1].kind if index + 1 < len(stretch) else lex.SPACE
        named = lexeme.text == ":" and following == lex.SPACE and not _leads_to_arrow(stretch, index)
        alone = lexeme.kind in (lex.OPENING, lex.CLOSING) and index not in partners
        if alone or named or (lexeme.kind == lex.STOP and depth == 0 and following in (lex.SPACE, lex.STOP)):
            yield part
            part = []
            continue
        depth += (lexeme.kind == lex.OPENING) - (lexeme.kind == lex.CLOSING)
        part.append(lexeme)
    yield part


def _leads_to_arrow(stretch: list[Lexeme], index: int) -> bool:
    """Whether a colon is that of `f: A → B`."""
    return any(lexeme.text in ("→", "↦") for lexeme in stretch[index : index + _NEAR])


def _partners(stretch: list[Lexeme]) -> set[int]:
    """The places of the brackets that have a partner; `[0, 1)` is a pair too."""
    opened: list[int] = []
    paired: set[int] = set()
    for index, lexeme in enumerate(stretch):
        if lexeme.kind == lex.OPENING:
            opened.append(index)
        elif lexeme.kind == lex.CLOSING and opened:
            paired |= {opened.pop(), index}
    return paired


def _between_operands(part: list[Lexeme]) -> Iterator[list[Lexeme]]:
    """Cuts at spaces between two operands: `5 <i>n</i>` in a sentence is no product, but `2<i>n</i>` is."""
    begin, depth = 0, 0
    for index in range(1, len(part) - 1):
        depth += (part[index].kind == lex.OPENING) - (part[index].kind == lex.CLOSING)
        before, after = part[index - 1], part[index + 1]
        if part[index].kind != lex.SPACE or depth or before.kind in (lex.FUNCTION, lex.SPACE):
            continue
        starts = after.kind in (lex.VARIABLE, lex.LETTER, lex.NUMBER, lex.FUNCTION, lex.SCRIPT)
        unlike = lex.NUMBER in (before.kind, after.kind) or lex.LETTER in (before.kind, after.kind)
        if before.kind == lex.SCRIPT and _is_large(part, index - 1):
            continue
        if before.kind in lex.OPERANDS and starts and (unlike or before.kind != lex.SCRIPT):
            yield part[begin:index]
            begin = index + 1
    yield part[begin:]


def _is_large(part: list[Lexeme], index: int) -> bool:
    """Whether a script belongs to a sum, a limit or the like, after which an operand follows."""
    while index >= 0 and part[index].kind == lex.SCRIPT:
        index -= 1
    return index >= 0 and part[index].kind in (lex.SYMBOL, lex.FUNCTION)


def _trimmed(run: list[Lexeme]) -> list[Lexeme]:
    """The run without what a formula neither begins nor ends with, and without brackets that hold no list but all."""
    if len(run) > _MAX_LEXEMES:
        return []
    before: int | None = None
    while run and len(run) != before:
        before = len(run)
        while run and not _begins(run[0], run[1].kind if len(run) > 1 else lex.SPACE):
            run = run[1:]
        while run and not _ends(run[-1]):
            run = run[:-1]
        if len(run) > 2 and _encloses(run) and not any(lexeme.kind == lex.STOP for lexeme in run):
            run = run[1:-1]
    return run


def _begins(lexeme: Lexeme, following: str) -> bool:
    if lexeme.kind == lex.OPERATOR:
        return lexeme.text in _PREFIXES and following != lex.SPACE
    if lexeme.kind == lex.SYMBOL:
        return lexeme.text in _PREFIXES or lexeme.text in _CONSTANTS
    return lexeme.kind in (lex.VARIABLE, lex.LETTER, lex.NUMBER, lex.FUNCTION, lex.OPENING)


def _ends(lexeme: Lexeme) -> bool:
    if lexeme.kind in (lex.OPERATOR, lex.SYMBOL):
        return lexeme.text in _POSTFIXES or lexeme.text in _CONSTANTS
    return lexeme.kind in (lex.VARIABLE, lex.LETTER, lex.NUMBER, lex.SCRIPT, lex.CLOSING)


def _encloses(run: list[Lexeme]) -> bool:
    """Whether the first bracket and the last one are partners."""
    if run[0].kind != lex.OPENING:
        return False
    depth = 0
    for index, lexeme in enumerate(run):
        depth += (lexeme.kind == lex.OPENING) - (lexeme.kind == lex.CLOSING)
        if depth == 0:
            return index == len(run) - 1
    return False
