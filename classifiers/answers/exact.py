"""Numbers as answers write them, as exact fractions: `read_number(text)`, and when two of them are the same answer.

Read from a squeezed text: `-12`, `1.50`, `.5`, `0.\\overline{3}`, `3/4`, `\\frac{3}{4}`, `12\\frac{3}{5}` (a mixed
number where the fraction is proper), `1.2\\cdot10^{5}`, `10^{5}`, `1e5`, `1010_{2}`, `\\text{four}`, and each with `%`.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

_DECIMAL = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_PATTERN = re.compile(
    rf"""(?P<sign>[-+]?)(?:
        (?P<digits>[0-9A-Z]+)_\{{(?P<base>[0-9]{{1,2}})\}}
      | (?P<start>[0-9]*)\.(?P<fixed>[0-9]*)\\overline\{{(?P<repeated>[0-9]+)\}}
      | (?P<whole>[0-9]*)\\frac\{{(?P<sign1>[-+]?)(?P<over>{_DECIMAL})\}}\{{(?P<sign2>[-+]?)(?P<under>{_DECIMAL})\}}
      | (?P<numerator>{_DECIMAL})/(?P<sign3>[-+]?)(?P<denominator>{_DECIMAL})
      | 10\^\{{(?P<power>-?[0-9]{{1,3}})\}}
      | (?P<decimal>{_DECIMAL})(?:(?:\\cdot10\^\{{|[eE])(?P<exponent>[-+]?[0-9]{{1,3}})\}}?)?
    )(?P<percent>%?)""",
    re.VERBOSE,
)
_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_FEWEST_PLACES = 2  # chosen here: places behind the point from which on a decimal truth may stand for a fraction


@dataclass(frozen=True)
class Number:
    """An exact number with what its spelling tells. `places`: digits behind the point of a decimal, None for others;
    `base`: of the numeral, 10 unless an index says another; `value` of another base is what the digits denote."""

    value: Fraction
    places: int | None = None
    percent: bool = False
    base: int = 10


def read_number(text: str) -> Number | None:
    """The number that a squeezed text is, or None where it is none (or a division by zero)."""
    if text.lower() in _WORDS:
        return Number(Fraction(_WORDS.index(text.lower())))
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    try:
        value = _magnitude(part)
    except (ValueError, ZeroDivisionError):
        return None
    if value is None:
        return None
    signs = sum(part[name] == "-" for name in ("sign", "sign1", "sign2", "sign3"))
    plain = part["decimal"] is not None and part["exponent"] is None
    places = len(part["decimal"].partition(".")[2]) if plain else None
    return Number(-value if signs % 2 else value, places, bool(part["percent"]), int(part["base"] or 10))


def _magnitude(part: dict[str, str]) -> Fraction | None:
    """Without sign. None for a mixed number that is none; ValueError for digits that are not of the base."""
    if part["digits"] is not None:
        return _numeral(part["digits"], int(part["base"]))
    if part["repeated"] is not None:
        return _repeating(part["start"], part["fixed"], part["repeated"])
    if part["over"] is not None:
        return _fraction(part)
    if part["numerator"] is not None:
        return _decimal(part["numerator"]) / _decimal(part["denominator"])
    if part["power"] is not None:
        return Fraction(10) ** int(part["power"])
    return _decimal(part["decimal"]) * Fraction(10) ** int(part["exponent"] or 0)


def _decimal(text: str) -> Fraction:
    return Fraction(f"0{text}0" if text.endswith(".") else f"0{text}")


def _numeral(digits: str, base: int) -> Fraction:
    """ValueError, too, for a base that is none (1, 99): such an index is no base."""
    return Fraction(int(digits, base))


def _repeating(start: str, fixed: str, repeated: str) -> Fraction:
    cycle = Fraction(int(repeated), 10 ** len(repeated) - 1)
    return _decimal(start or "0") + (int(fixed or 0) + cycle) / 10 ** len(fixed)


def _fraction(part: dict[str, str]) -> Fraction | None:
    fraction = _decimal(part["over"]) / _decimal(part["under"])
    if not part["whole"]:
        return fraction
    proper = fraction < 1 and not part["sign1"] and not part["sign2"]
    return int(part["whole"]) + fraction if proper else None


def same_number(truth: Number, answer: Number) -> bool:
    """Whether the numbers are the same answer.

    Exactly equal, in the same base. A percentage equals its value and, since problems ask `what percent`, the bare
    number of it: 25% is 25 and 0.25. A truth with two or more places may be a rounded fraction: 0.33 accepts 1/3, which
    no decimal equals, and never 33.1/100, which one does.
    """
    if truth.base != answer.base:
        return False
    if truth.percent != answer.percent:
        percent, bare = (truth, answer) if truth.percent else (answer, truth)
        return bare.value in (percent.value, percent.value / 100)
    return truth.value == answer.value or _rounded(truth, answer)


def _rounded(truth: Number, answer: Number) -> bool:
    if (truth.places or 0) < _FEWEST_PLACES or answer.places is not None or _terminates(answer.value.denominator):
        return False
    return round(answer.value, truth.places) == truth.value


def _terminates(denominator: int) -> bool:
    for factor in (2, 5):
        while denominator % factor == 0:
            denominator //= factor
    return denominator == 1
