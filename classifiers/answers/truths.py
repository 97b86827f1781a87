"""The true answer of a row as text: `truth_text(value, rule)`, for columns of text, numbers or lists.

OlympiadBench keeps a list (`["$69$,$84$"]`), AMC23 a float (27.0), MATH a solution with a box, GSM8K one with `####`.
"""

import math
import numbers
from decimal import Decimal
from typing import Any

from .rules import extract

LONGEST = 1_000
"""Characters of the longest answer and truth that are compared (chosen here: of 12,500 MATH answers the longest has
159, of 675 of OlympiadBench 318)."""


def truth_text(value: Any, rule: str = "plain") -> str:
    """The true answer in `value`, found by `rule`. ValueError says why a value is no answer.

    A whole float loses its point (27.0 is 27). The entries of a list are alternatives that all belong: they are joined
    by commas, and compared as a whole in any order.
    """
    text = extract(_text(value), rule)
    if text is None:
        raise ValueError(f"{_shown(value)} holds no answer by the rule {rule}")
    text = text.strip()
    if not text:
        raise ValueError(f"{_shown(value)} is empty; expected an answer")
    if len(text) > LONGEST:
        raise ValueError(f"the answer has {len(text):,} characters; expected at most {LONGEST:,}")
    return text


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return _joined(value)
    if isinstance(value, numbers.Integral):  # bool too: True and False
        return str(value) if abs(int(value)) < 10**LONGEST else _no_answer(value)
    if isinstance(value, Decimal) or (isinstance(value, numbers.Real) and math.isfinite(value)):
        return _plain_number(Decimal(repr(float(value))) if not isinstance(value, Decimal) else value)
    return _no_answer(value)


def _joined(values: list[Any] | tuple[Any, ...]) -> str:
    if not values:
        raise ValueError("the list of answers is empty; expected at least one")
    return ", ".join(truth_text(value) for value in values)


def _plain_number(number: Decimal) -> str:
    """Without exponent and without zeros behind the point: `27`, `0.00001`."""
    if not number.is_finite():
        return _no_answer(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _no_answer(value: Any) -> str:
    raise ValueError(f"{_shown(value)} is no answer; expected text, a finite number or a list of them")


def _shown(value: Any) -> str:
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return f"an integer of {int(value).bit_length():,} bits"  # printing a huge one fails in itself
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
