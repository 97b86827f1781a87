"""Problems about equations."""

import random

from demo.tex import bracket, factor, plus, poly, times
from demo.wording import Family, Problem, say


def quadratic(rng: random.Random) -> Problem:
    """A monic quadratic equation with integer roots, by factoring."""
    r = rng.choice([n for n in range(-12, 13) if n])
    r, s = sorted((r, rng.choice([n for n in range(-12, 13) if n and abs(n) != abs(r)])))
    equation = f"{poly([1, -r - s, r * s])} = 0"
    return Problem(
        (r, s),
        say(
            rng,
            f"Solve ${equation}$ by factoring.",
            f"[[Find|Determine]] all real solutions of ${equation}$.",
            f"For which values of $x$ is ${equation}$?",
            f"[[Find|State]] the larger root of the equation ${equation}$ and name the other root too.",
        ),
        (
            say(
                rng,
                f"We look for two numbers with sum ${r + s}$ and product ${r * s}$.",
                f"The two roots must add up to ${r + s}$ and multiply to ${r * s}$.",
            ),
            say(
                rng,
                f"The pair ${r}$ and ${s}$ [[fits|does it]], so ${poly([1, -r - s, r * s])} = {factor(r)}{factor(s)}$.",
                f"Going through the divisors of ${abs(r * s)}$, the pair ${r}$ and ${s}$ works, and the left side is "
                f"${factor(r)}{factor(s)}$.",
            ),
            say(
                rng,
                f"A product is zero only if a factor is zero, [[so|hence]] $x = {r}$ or $x = {s}$.",
                f"Setting each factor to zero gives $x = {r}$ and $x = {s}$.",
            ),
        ),
        f"x = {r} \\text{{ or }} x = {s}",
        say(
            rng,
            "The leading coefficient is $1$, so factoring is worth a try before the formula.",
            "I will try to read off the roots from their sum and product.",
        ),
        f"Careful with the signs: the coefficient of $x$ is minus the sum of the roots, so roots ${-r}$ and ${-s}$ "
        f"would belong to ${poly([1, r + s, r * s])}$ instead.",
        f"Putting $x = {s}$ into the left side: ${s * s} {plus((-r - s) * s)} {plus(r * s)} = 0$, and $x = {r}$ gives "
        f"${r * r} {plus((-r - s) * r)} {plus(r * s)} = 0$.",
    )


def vertex(rng: random.Random) -> Problem:
    """The extreme value of a quadratic function by completing the square."""
    a, h, k = rng.choice((1, 1, 2, 3, -1, -2)), rng.choice([n for n in range(-7, 8) if n]), rng.randint(-20, 20)
    c = a * h * h + k
    f, word = poly([a, -2 * a * h, c]), "minimum" if a > 0 else "maximum"
    outer = {1: "", -1: "-"}.get(a, str(a))
    square = f"{outer}(x {plus(-h)})^2"
    return Problem(
        (a, h, k),
        say(
            rng,
            f"[[Find|Determine]] the {word} value of $f(x) = {f}$.",
            f"Complete the square to find the {word} of $f(x) = {f}$ and where it is attained.",
            f"What is the {'smallest' if a > 0 else 'largest'} value that ${f}$ can take for real $x$?",
        ),
        (
            say(
                rng,
                f"Half the coefficient of $x$, after taking out ${a}$, is ${-h}$."
                if a != 1
                else f"Half the coefficient of $x$ is ${-h}$.",
                f"We compare with the [[pattern|identity]] $(x {plus(-h)})^2 = {poly([1, -2 * h, h * h])}$.",
            ),
            say(
                rng,
                f"[[Therefore|So]] $f(x) = {square} {plus(k)}$."
                if k
                else f"[[Therefore|So]] $f(x) = {square}$ exactly.",
                f"Completing the square gives $f(x) = {square}{' ' + plus(k) if k else ''}$.",
            ),
            say(
                rng,
                f"A square is never negative, so the {word} is reached [[where the bracket vanishes|when the bracket "
                f"is zero]], at $x = {h}$.",
                f"The squared term {'adds' if a > 0 else 'takes away'} nothing only for $x = {h}$.",
            ),
            say(rng, f"The {word} value is $f({h}) = {k}$.", f"There the function has the value ${k}$."),
        ),
        str(k),
        say(
            rng,
            "A quadratic has its extreme value at the vertex, and completing the square shows the vertex directly.",
            "I could use calculus, but completing the square is shorter.",
        ),
        f"At first I wrote ${c}$, the value at $x = 0$, but the vertex is not at zero unless the linear term is "
        f"missing.",
        f"Comparing neighbours, $f({h - 1}) = {a + k}$ and $f({h + 1}) = {a + k}$ are both "
        f"{'larger' if a > 0 else 'smaller'} than ${k}$.",
    )


def brackets(rng: random.Random) -> Problem:
    """A linear equation with brackets on both sides."""
    x, a, b, c = rng.randint(-9, 12), rng.randint(2, 9), rng.randint(-8, 8) or 3, rng.randint(2, 9)
    a += a == c
    d = a * (x + b) - c * x
    left, right = f"{a}(x {plus(b)})", poly([c, d])
    return Problem(
        (x, a, b, c),
        say(
            rng,
            f"Solve ${left} = {right}$ for $x$.",
            f"[[Find|Determine]] $x$ if ${left} = {right}$.",
            f"Ada thinks of a number. Adding ${b}$ and multiplying by ${a}$ gives the same as ${right}$, where $x$ is "
            f"her number. What is it?",
        ),
        (
            say(
                rng,
                f"Expand the bracket: ${poly([a, a * b])} = {right}$.",
                f"Multiplying out, the left side [[becomes|is]] ${poly([a, a * b])}$.",
            ),
            say(
                rng,
                f"Collect the terms with $x$ on one side: ${poly([a - c, 0])} = {d - a * b}$.",
                f"Subtract ${times(c, 'x')}$ and ${a * b}$ from both sides to get ${poly([a - c, 0])} = {d - a * b}$.",
            ),
            say(
                rng,
                f"[[Dividing|Division]] by ${a - c}$ gives $x = {x}$."
                if a - c != 1
                else f"This already says $x = {x}$.",
            ),
        ),
        str(x),
        say(
            rng,
            "One unknown, one equation: expand, collect, divide.",
            "First the bracket has to go, then all the $x$ move to one side.",
        ),
        f"If I forget to multiply the ${b}$ by ${a}$, I get ${poly([a, b])} = {right}$, whose solution is different; "
        f"the factor in front belongs to both terms.",
        f"For $x = {x}$ the left side is ${a} \\cdot {bracket(x + b)} = {a * (x + b)}$ and the right side is ${c} "
        f"\\cdot {bracket(x)} {plus(d)} = {c * x + d}$.",
    )


def absolute(rng: random.Random) -> Problem:
    """An absolute-value equation with two solutions."""
    a, u, v = rng.randint(2, 7), *sorted(rng.sample(range(-9, 12), 2))
    if (a * (u + v)) % 2:
        v += 1
    b, c = -a * (u + v) // 2, a * (v - u) // 2
    inside = poly([a, b])
    return Problem(
        (a, u, v),
        say(
            rng,
            f"Solve $\\lvert {inside} \\rvert = {c}$.",
            f"[[Find|Give]] both solutions of $\\lvert {inside} \\rvert = {c}$.",
            f"For which $x$ is the distance of ${inside}$ from zero equal to ${c}$?",
        ),
        (
            say(
                rng,
                f"The expression inside is either ${c}$ or $-{c}$.",
                f"An absolute value equals ${c}$ in two cases.",
            ),
            say(rng, f"[[First|In the first case]], ${inside} = {c}$ gives ${a}x = {c - b}$ and $x = {v}$."),
            say(rng, f"[[Second|In the other case]], ${inside} = -{c}$ gives ${a}x = {-c - b}$ and $x = {u}$."),
            say(rng, f"The solutions are $x = {u}$ and $x = {v}$.", f"[[So|Hence]] $x = {u}$ or $x = {v}$."),
        ),
        f"x = {u} \\text{{ or }} x = {v}",
        say(
            rng,
            "An absolute value hides a sign, so there will be two cases.",
            "Two numbers have the same distance from zero, hence two equations.",
        ),
        f"Solving only ${inside} = {c}$ would lose the solution $x = {u}$, so I must not drop the negative case.",
        f"Both work: ${a} \\cdot {bracket(v)} {plus(b)} = {a * v + b}$ and ${a} \\cdot {bracket(u)} {plus(b)} = "
        f"{a * u + b}$.",
    )


def logarithm(rng: random.Random) -> Problem:
    """A logarithmic equation."""
    base, exponent = rng.choice([(b, e) for b in (2, 3, 4, 5, 6, 7, 10) for e in (2, 3, 4) if b**e != e**b])
    a = rng.randint(2, 7)
    x = rng.randint(-5, 30)
    b = base**exponent - a * x
    return Problem(
        (base, exponent, a, x),
        say(
            rng,
            f"Solve $\\log_{{{base}}}({poly([a, b])}) = {exponent}$.",
            f"[[Find|Determine]] the real number $x$ with $\\log_{{{base}}}({poly([a, b])}) = {exponent}$.",
        ),
        (
            say(
                rng,
                f"[[Rewrite|Write]] the equation as a power: ${poly([a, b])} = {base}^{exponent} = {base**exponent}$.",
                f"By definition of the logarithm, ${poly([a, b])}$ equals ${base}^{exponent} = {base**exponent}$.",
            ),
            say(
                rng,
                f"[[Then|So]] ${a}x = {base**exponent - b}$.",
                f"Moving the constant, ${a}x = {base**exponent} {plus(-b)} = {base**exponent - b}$."
                if b
                else f"That is, ${a}x = {base**exponent}$.",
            ),
            say(rng, f"[[Hence|Therefore]] $x = {x}$.", f"Dividing by ${a}$ gives $x = {x}$."),
        ),
        str(x),
        say(
            rng,
            "A logarithm is an exponent, so I undo it with a power.",
            f"The equation says which power of ${base}$ the bracket is.",
        ),
        f"Confusing base and exponent would give ${exponent}^{{{base}}} = {exponent**base}$ on the right, but the "
        f"base of the logarithm is the base of the power.",
        f"The argument is ${a} \\cdot {bracket(x)} {plus(b)} = {base**exponent} > 0$, and $\\log_{{{base}}} "
        f"{base**exponent} = {exponent}$.",
    )


FAMILIES = (
    Family("quadratic", "algebra", "Factoring quadratics", quadratic),
    Family("vertex", "algebra", "Completing the square", vertex),
    Family("brackets", "algebra", "Linear equations with brackets", brackets),
    Family("absolute", "algebra", "Absolute value equations", absolute),
    Family("logarithm", "algebra", "Logarithmic equations", logarithm),
)
