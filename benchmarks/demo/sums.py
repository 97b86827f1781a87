"""Problems about sums, roots and remainders."""

import random
from fractions import Fraction
from math import gcd

from demo.tex import bracket, dots, factor, number, plus, poly
from demo.wording import Family, Problem, say


def arithmetic(rng: random.Random) -> Problem:
    """The sum of an arithmetic series."""
    first, step, n = rng.randint(-10, 40), rng.choice([d for d in range(-6, 10) if d]), rng.randint(11, 40)
    last = first + (n - 1) * step
    total = n * (first + last) // 2
    return Problem(
        (first, step, n),
        say(
            rng,
            f"[[Find|Compute]] the sum of the first ${n}$ terms of the arithmetic sequence ${first}, {first + step}, "
            f"{first + 2 * step}, \\dots$",
            f"An arithmetic sequence starts with ${first}$ and has common difference ${step}$. What is the sum of its "
            f"first ${n}$ terms?",
            f"[[Evaluate|Work out]] $\\sum_{{k=0}}^{{{n - 1}}} ({first} "
            f"{plus(step) if abs(step) > 1 else plus(step).replace('1', '')}k)$.",
        ),
        (
            say(
                rng,
                f"The last term is ${first} {plus(step)} \\cdot {n - 1} = {last}$.",
                f"Term number ${n}$ is ${first} + {n - 1} \\cdot {bracket(step)} = {last}$.",
            ),
            say(
                rng,
                f"The terms pair up around their average $\\frac{{{first} {plus(last)}}}{{2}} = "
                f"{number(Fraction(first + last, 2))}$.",
                f"First and last term have the mean $\\frac{{{first} {plus(last)}}}{{2}} = "
                f"{number(Fraction(first + last, 2))}$, and so has every such pair.",
            ),
            say(
                rng,
                f"[[Multiplying|Multiplication]] by the ${n}$ terms [[gives|yields]] ${n} \\cdot "
                f"{bracket(Fraction(first + last, 2))} = {total}$.",
                f"The sum is ${n}$ times this average, that is, ${total}$.",
            ),
        ),
        str(total),
        say(
            rng,
            "An arithmetic series is the number of terms times the average of first and last.",
            "I will pair the first term with the last, as young Gauss is said to have done.",
        ),
        f"I nearly used ${n}$ steps to reach the last term, which gives ${first + n * step}$, but from the first to "
        f"term ${n}$ there are only ${n - 1}$ steps.",
        f"The closed formula $\\frac{{n}}{{2}}(2a + (n-1)d)$ gives $\\frac{{{n}}}{{2}}({2 * first} "
        f"{plus((n - 1) * step)}) = {total}$ as well.",
    )


def geometric(rng: random.Random) -> Problem:
    """The sum of a geometric series."""
    a, q, n = rng.randint(1, 12), rng.choice((2, 3, 4, 5, -2, -3)), rng.randint(4, 8)
    total = a * (q**n - 1) // (q - 1)
    return Problem(
        (a, q, n),
        say(
            rng,
            f"[[Find|Compute]] the sum of the first ${n}$ terms of the geometric sequence ${a}, {a * q}, {a * q * q}, "
            f"\\dots$",
            f"A geometric sequence has first term ${a}$ and ratio ${q}$. What do its first ${n}$ terms add up to?",
            f"Evaluate $\\sum_{{k=0}}^{{{n - 1}}} {a} \\cdot {bracket(q)}^k$.",
        ),
        (
            say(
                rng,
                f"With ratio $q = {q}$ and first term $a = {a}$, the sum is $a \\cdot \\frac{{q^n - 1}}{{q - 1}}$.",
                "Multiplying the sum by the ratio and subtracting leaves only the ends, which gives $S = a \\frac{q^n "
                "- 1}{q - 1}$.",
            ),
            say(
                rng,
                f"Here ${bracket(q)}^{{{n}}} = {q**n}$, so the fraction is $\\frac{{{q**n} - 1}}{{{q} - 1}} = "
                f"{(q**n - 1) // (q - 1)}$.",
                f"The power is ${bracket(q)}^{{{n}}} = {q**n}$, and $\\frac{{{q**n - 1}}}{{{q - 1}}} = "
                f"{(q**n - 1) // (q - 1)}$.",
            ),
            say(
                rng,
                f"[[Hence|Therefore]] the sum is ${a} \\cdot {bracket((q**n - 1) // (q - 1))} = {total}$.",
                f"Multiplying by ${a}$ gives ${total}$.",
            ),
        ),
        str(total),
        say(
            rng,
            f"Each term is ${q}$ times the one before, so this is a geometric series.",
            "The ratio is constant, so the telescoping trick for geometric sums applies.",
        ),
        f"The exponent must be ${n}$, not ${n - 1}$: with ${n - 1}$ the formula gives "
        f"${a * (q ** (n - 1) - 1) // (q - 1)}$, which leaves out the last term ${a * q ** (n - 1)}$.",
        f"Adding directly, ${' + '.join(bracket(a * q**k) for k in range(n))} = {total}$.",
    )


def vieta(rng: random.Random) -> Problem:
    """A symmetric expression of the roots of a quadratic."""
    p, q = rng.randint(3, 14), rng.choice([n for n in range(-9, 10) if n])
    kind = rng.choice(("squares", "reciprocals", "cubes"))
    shown, value = {
        "squares": ("r^2 + s^2", Fraction(p * p - 2 * q)),
        "reciprocals": (r"\frac{1}{r} + \frac{1}{s}", Fraction(p, q)),
        "cubes": ("r^3 + s^3", Fraction(p**3 - 3 * p * q)),
    }[kind]
    rewritten = {"squares": "(r+s)^2 - 2rs", "reciprocals": r"\frac{r+s}{rs}", "cubes": "(r+s)^3 - 3rs(r+s)"}[kind]
    filled = {
        "squares": f"{p}^2 - 2 \\cdot {bracket(q)}",
        "reciprocals": f"\\frac{{{p}}}{{{q}}}",
        "cubes": f"{p}^3 - 3 \\cdot {bracket(q)} \\cdot {p}",
    }[kind]
    kind_of_roots = (
        "is positive, so the roots are real"
        if p * p > 4 * q
        else "is not positive, but the formulas hold for complex or equal roots too"
    )
    done = f"{filled} = {number(value)}" if kind != "reciprocals" or gcd(p, q) > 1 or q < 0 else filled
    return Problem(
        (p, q, kind),
        say(
            rng,
            f"The equation ${poly([1, -p, q])} = 0$ has roots $r$ and $s$. [[Find|Compute]] ${shown}$.",
            f"Let $r$ and $s$ be the solutions of ${poly([1, -p, q])} = 0$. What is ${shown}$?",
            f"Without solving ${poly([1, -p, q])} = 0$, evaluate ${shown}$ for its two roots $r, s$.",
        ),
        (
            say(
                rng,
                f"By Vieta's formulas, $r + s = {p}$ and $rs = {q}$.",
                f"Comparing with $(x - r)(x - s)$ shows $r + s = {p}$ and $rs = {q}$.",
            ),
            say(rng, f"Now ${shown} = {rewritten}$.", f"The expression is symmetric, and ${shown} = {rewritten}$."),
            say(
                rng,
                f"[[Substituting|Inserting]] the values gives ${done}$.",
                f"With the numbers this becomes ${done}$.",
            ),
        ),
        number(value),
        say(
            rng,
            "The roots themselves are ugly, but their sum and product can be read off.",
            "A symmetric expression never needs the roots one by one.",
        ),
        f"The sign matters: the sum of the roots is $+{p}$, since the coefficient of $x$ is $-{p}$.",
        f"The discriminant ${p}^2 - 4 \\cdot {bracket(q)} = {p * p - 4 * q}$ "
        f"{kind_of_roots}, and the value ${number(value)}$ does not depend on the order of the roots.",
    )


def remainder(rng: random.Random) -> Problem:
    """The remainder of a polynomial on division by a linear factor."""
    coefficients = [rng.choice((1, 2, 3, -1, -2)), rng.randint(-5, 5), rng.randint(-7, 7), rng.randint(-9, 9)]
    c = rng.choice((-3, -2, -1, 1, 2, 3, 4))
    horner = [coefficients[0]]
    for value in coefficients[1:]:
        horner.append(horner[-1] * c + value)
    p = poly(coefficients)
    return Problem(
        (*coefficients, c),
        say(
            rng,
            f"[[Find|Determine]] the remainder when ${p}$ is divided by ${factor(c)[1:-1]}$.",
            f"Divide $p(x) = {p}$ by ${factor(c)[1:-1]}$. Which remainder is left?",
        ),
        (
            say(
                rng,
                f"By the remainder theorem the remainder is $p({c})$.",
                f"Writing $p(x) = {factor(c)} q(x) + R$ and putting $x = {c}$ shows $R = p({c})$.",
            ),
            say(
                rng,
                f"Horner's scheme with ${c}$ gives, one after the other, ${', '.join(map(str, horner))}$.",
                f"Evaluating from the left, the partial results are ${', '.join(map(str, horner))}$.",
            ),
            say(rng, f"The last number is the remainder: ${horner[-1]}$.", f"[[So|Hence]] $R = {horner[-1]}$."),
        ),
        str(horner[-1]),
        say(
            rng,
            "Long division works, but the remainder theorem needs only one evaluation.",
            "I only need the value of the polynomial at one place.",
        ),
        f"The divisor is ${factor(c)[1:-1]}$, so I evaluate at ${c}$ and not at ${-c}$, where the value would be "
        f"${poly_value(coefficients, -c)}$.",
        f"Term by term, $p({c}) = {' + '.join(bracket(v * c ** (3 - i)) for i, v in enumerate(coefficients))} = "
        f"{horner[-1]}$.",
    )


def poly_value(coefficients: list[int], x: int) -> int:
    """The value of a polynomial, highest power first."""
    value = 0
    for c in coefficients:
        value = value * x + c
    return value


def telescope(rng: random.Random) -> Problem:
    """A telescoping sum of partial fractions."""
    k, start, n = rng.randint(1, 4), rng.randint(1, 6), rng.randint(12, 40)
    total = sum(Fraction(1, i * (i + k)) for i in range(start, n + 1))
    head = " + ".join(number(Fraction(1, i)) for i in range(start, start + k))
    tail = " - ".join(rf"\frac{{1}}{{{i}}}" for i in range(n + 1, n + k + 1))
    scale = "" if k == 1 else rf"\frac{{1}}{{{k}}}"
    inner = f"{head} - {tail}"
    return Problem(
        (k, start, n),
        say(
            rng,
            f"[[Evaluate|Compute]] $\\sum_{{i={start}}}^{{{n}}} \\frac{{1}}{{i(i+{k})}}$.",
            f"[[Find|Give]] the exact value of $\\frac{{1}}{{{dots([start, start + k])}}} + "
            f"\\frac{{1}}{{{dots([start + 1, start + 1 + k])}}} + \\dots + \\frac{{1}}{{{dots([n, n + k])}}}$.",
        ),
        (
            say(
                rng,
                f"Partial fractions split each term: $\\frac{{1}}{{i(i+{k})}} = {scale}\\left(\\frac{{1}}{{i}} - "
                f"\\frac{{1}}{{i+{k}}}\\right)$.",
                f"We use $\\frac{{1}}{{i(i+{k})}} = {scale}\\left(\\frac{{1}}{{i}} - \\frac{{1}}{{i+{k}}}\\right)$.",
            ),
            say(rng, "In the sum almost everything cancels.", "Most terms appear once with plus and once with minus."),
            say(
                rng,
                f"What [[remains|is left]] is ${scale}\\left({inner}\\right)$.",
                f"Only the first and the last few terms survive: ${scale}\\left({inner}\\right)$.",
            ),
            say(rng, f"This equals ${number(total)}$.", f"In lowest terms the value is ${number(total)}$."),
        ),
        number(total),
        say(
            rng,
            "Adding fractions one by one would be painful, so I look for a telescoping sum.",
            f"The denominators are products of numbers that differ by ${k}$, which suggests partial fractions.",
        ),
        f"With gap ${k}$ the survivors are ${k}$ term{'s' if k > 1 else ''} at each end, "
        f"{'not just one' if k > 1 else 'no more'}; it is easy to miscount here.",
        f"As an estimate, the value is about ${float(total):.4f}$, and the first term alone is "
        f"${float(Fraction(1, start * (start + k))):.4f}$, so the size is plausible.",
    )


FAMILIES = (
    Family("arithmetic", "algebra", "Arithmetic series", arithmetic),
    Family("geometric", "algebra", "Geometric series", geometric),
    Family("vieta", "algebra", "Symmetric functions of roots", vieta),
    Family("remainder", "algebra", "The remainder theorem", remainder),
    Family("telescope", "algebra", "Telescoping sums", telescope),
)
