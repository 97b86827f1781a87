"""Whether two formulas are equal, by math-verify: `same_formula(truth, answer)`.

Runs formulas that a model wrote, which may take for ever: only in the child process (serve.py), under its limits.
Formulas are parsed one by one with math-verify's own parser and compared with its `verify`, truth first, without the
search for answers in a text, which joins boxes, and without its timeouts, which are signals (math-verify 0.9.0).
"""

import re
from typing import Any

from latex2sympy2_extended.latex2sympy2 import ConversionConfig, NormalizationConfig, latex2sympy
from math_verify import verify
from sympy import Expr, Float, Rational

_SPELLING = NormalizationConfig(malformed_operators=True, nits=True, boxed="none")
_MEANING = ConversionConfig(interpret_as_mixed_fractions=False, lowercase_symbols=False)

_DECIMAL = re.compile(r"(?<![0-9.])([0-9]*)\.([0-9]+)(?![0-9.])")
_MIXED = re.compile(r"(?<![0-9A-Za-z.}\])^_])([0-9]+)\\frac\{([0-9]+)\}\{([0-9]+)\}")
_COMMAND = re.compile(r"\\text\{[^{}]*\}|\\[A-Za-z]+|_\{[^{}]*\}")
_LETTER_I = re.compile(rf"{_COMMAND.pattern}|[iI]")
_APART = 1e-9  # of the larger value; values are computed to 20 places
_DEGREES = re.compile(r"([0-9]+(?:/[0-9]+)?|\\frac\{[0-9]+\}\{[0-9]+\})\^\{\\circ\}")


def same_formula(truth: str, answer: str) -> bool:
    """Whether two squeezed formulas are equal. One that cannot be parsed equals nothing.

    Decimals count as the fractions they are, degrees as parts of a half turn; symbols are real numbers, unless one of
    the two formulas has an imaginary unit.
    """
    real = not (_is_complex(truth) or _is_complex(answer))
    mine, yours = _formula(truth, real), _formula(answer, real)
    if mine is None or yours is None or _clearly_apart(mine, yours):
        return False
    return bool(verify(mine, yours, timeout_seconds=None, allow_set_relation_comp=True))


def _formula(text: str, real: bool) -> Any:
    """A SymPy expression, or None where the parser finds none."""
    try:
        return latex2sympy(
            _rewritten(text),
            is_real=real or None,
            normalization_config=_SPELLING,
            conversion_config=_MEANING,
        )
    except MemoryError:
        raise
    except Exception:  # whatever the parser raises on what is no formula, too deep a recursion among it
        return None


def _rewritten(text: str) -> str:
    text = _imaginary(_MIXED.sub(_mixed, text))
    text = _DECIMAL.sub(lambda found: f"\\frac{{{found[1]}{found[2]}}}{{1{'0' * len(found[2])}}}", text)
    return _DEGREES.sub(r"(\1\\cdot\\frac{\\pi}{180})", text)


def _mixed(found: re.Match[str]) -> str:
    """`2\\frac{1}{2}` is a sum where the fraction is proper."""
    proper = int(found[2]) < int(found[3])
    return f"({found[1]}+\\frac{{{found[2]}}}{{{found[3]}}})" if proper else found[0]


def _is_complex(text: str) -> bool:
    """Whether a letter i is the imaginary unit: it stands in no command and no index, and counts no sum."""
    return "i" in _COMMAND.sub(" ", text) and "\\sum" not in text and "\\prod" not in text


def _imaginary(text: str) -> str:
    """With `I`, which is what the parser takes for the imaginary unit; a variable I becomes another symbol."""
    letters = {"i": "I" if _is_complex(text) else "i", "I": "\\Upsilon "}
    return _LETTER_I.sub(lambda found: letters.get(found[0], found[0]), text)


def _clearly_apart(truth: Any, answer: Any) -> bool:
    """Whether the values of two formulas differ at one point: spares simplification, which is slow, and sees what a
    fixed number of places does not (1/2004! is not 1/2005!). False wherever the values say nothing."""
    if not (isinstance(truth, Expr) and isinstance(answer, Expr)):
        return False
    symbols = sorted(truth.free_symbols | answer.free_symbols, key=str)
    point = {symbol: Rational(7 * place + 11, 5) for place, symbol in enumerate(symbols)}
    try:
        mine, yours = truth.evalf(20, subs=point), answer.evalf(20, subs=point)
        if not (mine.is_number and yours.is_number and mine.is_finite and yours.is_finite):
            return False
        reliable = all(isinstance(value, Float) and value._prec > 1 for value in (mine, yours))
        scale = max(abs(mine), abs(yours)) if reliable else max(1, abs(mine), abs(yours))
        return bool(abs(mine - yours) > _APART * scale)
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return False
