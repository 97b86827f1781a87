"""Problems about limits, derivatives and integrals."""

import random
from fractions import Fraction

from demo.tex import bracket, factor, number, plus, poly, times
from demo.wording import Family, Problem, say


def value_at(coefficients: list[int], x: int) -> int:
    """The value of a polynomial, highest power first."""
    value = 0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


def derivative_of(coefficients: list[int]) -> list[int]:
    """The coefficients of the derivative."""
    degree = len(coefficients) - 1
    return [c * (degree - i) for i, c in enumerate(coefficients[:-1])]


def tangent(rng: random.Random) -> Problem:
    """The tangent line of a cubic."""
    f = [rng.choice((1, 1, 2, -1)), rng.randint(-4, 4), rng.randint(-6, 6), rng.randint(-9, 9)]
    x = rng.choice((-2, -1, 1, 2, 3))
    d = derivative_of(f)
    y, m = value_at(f, x), value_at(d, x)
    line = poly([m, y - m * x])
    return Problem(
        (*f, x),
        say(
            rng,
            f"Find the tangent line to $y = {poly(f)}$ at $x = {x}$.",
            f"[[Determine|Give]] the equation of the tangent to the graph of $f(x) = {poly(f)}$ at the point with $x "
            f"= {x}$.",
            f"Which straight line touches the curve $y = {poly(f)}$ at $x = {x}$?",
        ),
        (
            say(rng, f"The derivative is $f'(x) = {poly(d)}$.", f"Differentiating term by term, $f'(x) = {poly(d)}$."),
            say(
                rng,
                f"At $x = {x}$ the slope is $f'({x}) = {m}$.",
                f"[[Putting in|Inserting]] $x = {x}$ gives the slope ${m}$.",
            ),
            say(
                rng,
                f"The point of contact is $({x}, {y})$, since $f({x}) = {y}$.",
                f"The curve passes through $({x}, {y})$ there.",
            ),
            say(
                rng,
                f"The line with this slope through this point is $y = {line}$.",
                f"From $y {plus(-y)} = {times(m, f'(x {plus(-x)})')}$ we get $y = {line}$.",
            ),
        ),
        f"y = {line}",
        say(
            rng,
            "A tangent needs a point and a slope; the slope is the derivative.",
            "First the derivative, then the point, then the line.",
        ),
        f"Using $f({x}) = {y}$ as the slope would mix up the function with its derivative; the slope is "
        f"{'also ' if y == m else ''}${m}$.",
        f"The line has the value ${m} \\cdot {bracket(x)} {plus(y - m * x)} = {y}$ at $x = {x}$, so it does pass "
        f"through the point.",
    )


def differentiate(rng: random.Random) -> Problem:
    """A derivative with the product rule or the chain rule."""
    a, b, n = rng.randint(2, 9), rng.randint(-7, 7) or 4, rng.randint(3, 7)
    kind = rng.choice(("chain", "product", "sine"))
    inner = poly([a, b])
    f, answer, rule, parts, slip = {
        "chain": (
            f"({inner})^{n}",
            f"{n * a}({inner})^{n - 1}",
            "chain rule",
            f"the outer function is $u^{n}$ with derivative ${n}u^{n - 1}$, and the inner function ${inner}$ has "
            f"derivative ${a}$",
            f"the factor ${a}$ from the inside is easily forgotten; without it the result would be only "
            f"${n}({inner})^{n - 1}$",
        ),
        "product": (
            f"({inner}) e^{{{n}x}}",
            f"({poly([n * a, a + n * b])}) e^{{{n}x}}",
            "product rule",
            f"the first factor has derivative ${a}$, the second has derivative ${n}e^{{{n}x}}$, so we get "
            f"${a}e^{{{n}x}} + {n}({inner})e^{{{n}x}}$",
            f"multiplying the two derivatives, ${a} \\cdot {n}e^{{{n}x}}$, is not the product rule; each factor is "
            f"differentiated while the other one stays",
        ),
        "sine": (
            f"{times(b, 'x')} \\sin({a}x)",
            f"{times(b, '')}\\sin({a}x) {plus(a * b)}x\\cos({a}x)".replace("1\\sin", "\\sin")
            if abs(b) > 1
            else f"{'-' if b < 0 else ''}\\sin({a}x) {plus(a * b)}x\\cos({a}x)",
            "product rule",
            f"the first factor has derivative ${b}$, and by the chain rule $\\sin({a}x)$ has derivative "
            f"${a}\\cos({a}x)$",
            f"the derivative of $\\sin({a}x)$ is not just $\\cos({a}x)$; the inner factor ${a}$ comes out",
        ),
    }[kind]
    return Problem(
        (a, b, n if kind != "sine" else 0, kind),
        say(
            rng,
            f"Differentiate $f(x) = {f}$.",
            f"[[Find|Compute]] $f'(x)$ for $f(x) = {f}$.",
            f"What is the derivative of ${f}$ with respect to $x$?",
        ),
        (
            say(rng, f"We use the {rule}.", f"This calls for the {rule}."),
            f"Here {parts}.",
            say(
                rng,
                f"[[Together|Putting this together]], $f'(x) = {answer}$.",
                f"Collecting terms, $f'(x) = {answer}$.",
            ),
        ),
        answer,
        say(
            rng,
            f"The function is built from simpler ones, so the {rule} should do it.",
            "Before calculating, I look at how the function is put together.",
        ),
        f"{slip[0].upper()}{slip[1:]}.",
        f"At $x = 0$ the formula gives {differentiate_at_zero(kind, a, b, n)}, which agrees with the slope read off "
        f"from the terms of first order.",
    )


def differentiate_at_zero(kind: str, a: int, b: int, n: int) -> str:
    """The derivative at zero, as a formula."""
    value = {"chain": n * a * b ** (n - 1), "product": a + n * b, "sine": 0}[kind]
    return f"${value}$"


def integral(rng: random.Random) -> Problem:
    """A definite integral of a quadratic polynomial."""
    f = [3 * rng.choice((1, 2, -1)), 2 * rng.randint(-4, 4), rng.randint(-6, 8)]
    lower, upper = sorted(rng.sample(range(-2, 5), 2))
    primitive = [f[0] // 3, f[1] // 2, f[2], 0]
    top, bottom = value_at(primitive, upper), value_at(primitive, lower)
    return Problem(
        (*f, lower, upper),
        say(
            rng,
            f"[[Evaluate|Compute]] $\\int_{{{lower}}}^{{{upper}}} ({poly(f)}) \\, dx$.",
            f"What is the value of $\\int_{{{lower}}}^{{{upper}}} ({poly(f)}) \\, dx$?",
            f"Integrate ${poly(f)}$ from $x = {lower}$ to $x = {upper}$.",
        ),
        (
            say(
                rng,
                f"An antiderivative is $F(x) = {poly(primitive)}$.",
                f"[[Raising|Increasing]] each exponent by one and dividing by it gives $F(x) = {poly(primitive)}$.",
            ),
            say(
                rng,
                f"At the limits, $F({upper}) = {top}$ and $F({lower}) = {bottom}$.",
                f"We need $F({upper}) = {top}$ and $F({lower}) = {bottom}$.",
            ),
            say(
                rng,
                f"The integral is ${top} - {bracket(bottom)} = {top - bottom}$.",
                f"[[Subtracting|Taking the difference]], the value is ${top} - {bracket(bottom)} = {top - bottom}$.",
            ),
        ),
        str(top - bottom),
        say(
            rng,
            "A polynomial is easy to integrate: find an antiderivative and subtract its values.",
            "By the fundamental theorem of calculus I need one antiderivative and two values.",
        ),
        f"If I subtract in the wrong order I get ${bottom - top}$; the value at the upper limit comes first.",
        f"Simpson's rule is exact for quadratics: $\\frac{{{upper - lower}}}{{6}}\\left({value_at(f, lower)} + 4 "
        f"\\cdot {bracket(Fraction(value_at([f[0], 2 * f[1], 4 * f[2]], lower + upper), 4))} "
        f"{plus(value_at(f, upper))}\\right) = {top - bottom}$.",
    )


def limit(rng: random.Random) -> Problem:
    """A limit of the form zero over zero."""
    c, r, s = rng.sample([n for n in range(-9, 10) if n], 3)
    a = rng.randint(1, 4)
    top, bottom = [a, -a * (c + r), a * c * r], [1, -c - s, c * s]
    value = Fraction(a * (c - r), c - s)
    ratio = f"\\frac{{{poly(top)}}}{{{poly(bottom)}}}"
    outer = "" if a == 1 else str(a)
    left, right = f"\\frac{{{a * (c - r)}}}{{{c - s}}}", number(value)
    shown = f"{left} = {right}" if left != right else right
    return Problem(
        (c, r, s, a),
        say(
            rng,
            f"[[Find|Evaluate|Compute]] $\\lim_{{x \\to {c}}} {ratio}$.",
            f"Does ${ratio}$ have a limit as $x \\to {c}$, and if so, which?",
            f"What does ${ratio}$ approach when $x$ tends to ${c}$?",
        ),
        (
            say(
                rng,
                f"At $x = {c}$ both numerator and denominator vanish, so ${factor(c)[1:-1]}$ is a common factor.",
                f"[[Direct substitution|Substituting]] gives $\\frac{{0}}{{0}}$, which means that both parts contain "
                f"the factor ${factor(c)[1:-1]}$.",
            ),
            say(
                rng,
                f"Factoring, ${ratio} = \\frac{{{outer}{factor(c)}{factor(r)}}}{{{factor(c)}{factor(s)}}}$.",
                f"The numerator is ${outer}{factor(c)}{factor(r)}$ and the denominator is ${factor(c)}{factor(s)}$.",
            ),
            say(
                rng,
                f"After cancelling, the limit is ${shown}$.",
                f"Cancel the common factor and insert $x = {c}$: the limit is ${shown}$.",
            ),
        ),
        number(value),
        say(
            rng,
            "Zero over zero says nothing yet; factoring will show what is hidden.",
            "A common factor must be responsible for the double zero, so I factor.",
        ),
        "Writing $\\frac{0}{0} = 1$ or $= 0$ would be wrong: the expression is undefined there, and only the "
        "behaviour nearby counts.",
        f"L'Hôpital's rule gives the same: the derivatives are ${poly([2 * a, -a * (c + r)])}$ and "
        f"${poly([2, -c - s])}$, with values ${a * (c - r)}$ and ${c - s}$ at $x = {c}$.",
    )


def fence(rng: random.Random) -> Problem:
    """The largest rectangle beside a wall, or the largest product with a given sum."""
    sides = rng.choice((2, 2, 3, 4))
    wall = sides > 2 or rng.random() < 0.5
    total = 4 * rng.randint(5, 60)
    if wall:
        x, y = Fraction(total, 2 * sides), Fraction(total, 2)
        equation, slope = f"A(x) = x({total} - {sides}x)", f"A'(x) = {total} - {2 * sides}x"
    else:
        x = y = Fraction(total, 4)
        equation, slope = f"A(x) = x({total // 2} - x)", f"A'(x) = {total // 2} - 2x"
    area = x * y
    pen = "A rectangular pen along a wall, divided by"
    subject = (
        {
            2: "A rectangular meadow along a straight river",
            3: f"{pen} one fence across into two parts,",
            4: f"{pen} two fences across into three parts,",
        }[sides]
        if wall
        else say(rng, "A rectangular [[garden|field|playground]]")
    )
    word = "the river" if wall and sides == 2 else "the wall"
    return Problem(
        (total, sides, wall),
        say(
            rng,
            f"{subject} is to be enclosed with ${total}$ metres of fence"
            + (f", and no fence is needed along {word}" if wall else "")
            + ". [[What is the largest possible area|Which area can be enclosed at most]]?",
            f"{subject} gets exactly ${total}$ metres of fence"
            + (f"; the side along {word} stays open" if wall else "")
            + ". Find the maximal area.",
        ),
        (
            say(
                rng,
                f"Let $x$ be the length of a side {'at right angles to ' + word if wall else 'of the rectangle'}, in "
                f"metres.",
                f"Call one side {'pointing away from ' + word if wall else 'of the rectangle'} $x$.",
            ),
            say(
                rng,
                f"Then the area is ${equation}$.",
                f"The other side uses what is left of the fence, so ${equation}$.",
            ),
            say(
                rng,
                f"The derivative ${slope}$ vanishes at $x = {number(x)}$.",
                f"Setting ${slope} = 0$ gives $x = {number(x)}$.",
            ),
            say(
                rng,
                f"The other side is ${number(y)}$, and the area is ${number(x)} \\cdot {number(y)} = {number(area)}$ "
                f"square metres.",
                f"With the other side ${number(y)}$ the largest area is ${number(area)}$ square metres.",
            ),
        ),
        number(area),
        say(
            rng,
            "One length determines the other through the total fence, so the area depends on one variable.",
            "I express the area by a single side and look for the vertex of the parabola.",
        ),
        (
            f"A square would be my guess, but here the fence runs along {sides} sides of length $x$ and only one long "
            f"side, so the best shape is longer."
            if wall
            else f"Using $x({total} - x)$ would forget that every side length occurs twice."
        ),
        f"The area is zero at $x = 0$ and at $x = {number(2 * x)}$, and a parabola has its top in the middle, at $x = "
        f"{number(x)}$.",
    )


def series(rng: random.Random) -> Problem:
    """The sum of an infinite geometric series."""
    q = rng.choice(
        [Fraction(n, d) for d in range(2, 11) for n in range(-d + 1, d) if n and Fraction(n, d).denominator == d]
    )
    a = rng.randint(2, 12)
    total = Fraction(a) / (1 - q)
    terms = [number(a * q**k) for k in range(4)]
    shown = " + ".join(t if i == 0 or not t.startswith("-") else f"({t})" for i, t in enumerate(terms))
    return Problem(
        (a, q),
        say(
            rng,
            f"[[Find|Compute]] the sum of the infinite series ${shown} + \\dots$",
            f"Does the series $\\sum_{{n=0}}^{{\\infty}} {a} \\left({number(q)}\\right)^n$ converge? If so, find its "
            f"sum.",
            f"What is $\\sum_{{n=0}}^{{\\infty}} {a} \\cdot \\left({number(q)}\\right)^n$?",
        ),
        (
            say(
                rng,
                f"This is a geometric series with first term ${a}$ and ratio $q = {number(q)}$.",
                f"Each term is ${number(q)}$ times the previous one, so the series is geometric.",
            ),
            say(
                rng,
                "It converges because $\\lvert q \\rvert < 1$.",
                "Since the ratio is smaller than one in absolute value, the series converges.",
            ),
            say(
                rng,
                f"The sum is $\\frac{{{a}}}{{1 - q}} = \\frac{{{a}}}{{{number(1 - q)}}} = {number(total)}$.",
                f"With $1 - q = {number(1 - q)}$ the sum is ${a} : {number(1 - q)} = {number(total)}$.",
            ),
        ),
        number(total),
        say(
            rng,
            "Before summing I must know whether the series converges at all.",
            "The ratio decides: below one in absolute value, there is a finite sum.",
        ),
        f"Dividing by $q$ instead of $1 - q$ would give ${number(a / q)}$, which cannot be right, because the limit "
        f"formula comes from $S - qS = {a}$.",
        f"The first five terms add up to about ${float(sum(a * q**k for k in range(5))):.3f}$, and ${number(total)}$ "
        f"is about ${float(total):.3f}$: {'the sums approach it from below' if q > 0 else 'the sums swing around it'}.",
    )


FAMILIES = (
    Family("tangent", "calculus", "Tangent lines", tangent),
    Family("differentiate", "calculus", "Product rule and chain rule", differentiate),
    Family("integral", "calculus", "Definite integrals", integral),
    Family("limit", "calculus", "Limits by factoring", limit),
    Family("fence", "calculus", "Largest areas", fence),
    Family("series", "calculus", "Infinite geometric series", series),
)
