"""Numbers, polynomials and matrices as LaTeX."""

from collections.abc import Sequence
from fractions import Fraction


def number(value: int | Fraction) -> str:
    """An integer, or a fraction in lowest terms with its sign in front."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def plus(value: int | Fraction) -> str:
    """The value as a further summand: `+ 3` or `- 3`."""
    return f"- {number(-value)}" if value < 0 else f"+ {number(value)}"


def bracket(value: int | Fraction) -> str:
    """The value, in brackets where it is negative, so that it can follow a multiplication sign."""
    return f"({number(value)})" if value < 0 else number(value)


def times(value: int | Fraction, symbol: str) -> str:
    """The product of a number and a symbol: `x`, `-x`, `4x`."""
    return symbol if value == 1 else f"-{symbol}" if value == -1 else f"{number(value)}{symbol}"


def poly(coefficients: Sequence[int | Fraction], variable: str = "x") -> str:
    """A polynomial from its coefficients, highest power (at most 9) first; zero terms are left out."""
    terms = ""
    for power, value in zip(range(len(coefficients) - 1, -1, -1), coefficients, strict=True):
        if value == 0:
            continue
        symbol = "" if power == 0 else variable if power == 1 else f"{variable}^{power}"
        term = number(abs(value)) if not symbol else times(abs(value), symbol)
        terms += f" - {term}" if value < 0 and terms else f"-{term}" if value < 0 else f" + {term}" if terms else term
    return terms or "0"


def linear(a: int | Fraction, b: int | Fraction, x: str = "x", y: str = "y") -> str:
    """`ax + by` with tidy signs."""
    first = times(a, x) if a else ""
    if not b:
        return first or "0"
    second = times(abs(b), y)
    return f"{first} {'-' if b < 0 else '+'} {second}" if first else ("-" if b < 0 else "") + second


def factor(root: int, variable: str = "x") -> str:
    """The factor `(x - root)`, simply `x` where the root is zero."""
    return f"({variable} {plus(-root)})" if root else variable


def matrix(rows: Sequence[Sequence[int | Fraction]], kind: str = "pmatrix") -> str:
    """A matrix environment."""
    body = r" \\ ".join(" & ".join(number(value) for value in row) for row in rows)
    return rf"\begin{{{kind}}} {body} \end{{{kind}}}"


def prime_powers(value: int) -> dict[int, int]:
    """The prime factorisation of a positive integer."""
    powers: dict[int, int] = {}
    divisor = 2
    while value > 1:
        while value % divisor == 0:
            powers[divisor] = powers.get(divisor, 0) + 1
            value //= divisor
        divisor += 1
    return powers


def product(powers: dict[int, int]) -> str:
    r"""A factorisation as LaTeX: `2^3 \cdot 5`."""
    return r" \cdot ".join(f"{p}^{{{k}}}" if k > 9 else f"{p}^{k}" if k > 1 else str(p) for p, k in powers.items())


def joined(items: Sequence[str], word: str = "and") -> str:
    """A list in English: `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def dots(values: Sequence[int | Fraction | str]) -> str:
    """A product with dots between its factors; negative numbers after the first stand in brackets."""
    shown = [v if isinstance(v, str) else bracket(v) if i else number(v) for i, v in enumerate(values)]
    return r" \cdot ".join(shown)
