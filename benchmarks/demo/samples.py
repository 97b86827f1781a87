"""Problems about data."""

import random
from fractions import Fraction

from demo.tex import bracket, joined, number, poly
from demo.wording import Family, Problem, say


def spread(rng: random.Random) -> Problem:
    """The mean and the variance of a few numbers."""
    n, mean = rng.choice((4, 5, 6)), rng.randint(6, 40)
    gaps = [rng.randint(-6, 6) for _ in range(n - 1)]
    gaps.append(-sum(gaps))
    if not any(gaps):
        gaps[0], gaps[1] = 1, -1
    rng.shuffle(gaps)
    data = [mean + g for g in gaps]
    squares = sum(g * g for g in gaps)
    variance = Fraction(squares, n)
    reduced = f" = {number(variance)}" if variance.denominator != n else ""
    shown = ", ".join(map(str, data))
    return Problem(
        (tuple(data),),
        say(
            rng,
            f"[[Find|Compute]] the variance of the numbers ${shown}$ (divide by ${n}$).",
            f"The values ${shown}$ were measured. What are their mean and their population variance?",
            f"[[Determine|Work out]] the population variance of the data ${shown}$.",
        ),
        (
            say(
                rng,
                f"The mean is $\\frac{{{sum(data)}}}{{{n}}} = {mean}$.",
                f"The numbers add up to ${sum(data)}$, so the mean is ${mean}$.",
            ),
            say(rng, f"The deviations from the mean are ${', '.join(map(str, gaps))}$."),
            say(
                rng,
                f"Their squares add up to ${squares}$, and dividing by ${n}$ gives ${number(variance)}$.",
                f"The mean of the squared deviations is $\\frac{{{squares}}}{{{n}}}{reduced}$.",
            ),
        ),
        number(variance),
        say(
            rng,
            "Variance is the mean squared distance from the mean, so the mean comes first.",
            "Mean, deviations, squares, mean of the squares.",
        ),
        "The deviations themselves always add up to $0$, so it would be pointless to average them without squaring.",
        f"The other formula, mean of squares minus square of the mean, gives "
        f"${number(Fraction(sum(d * d for d in data), n))} - {mean * mean} = {number(variance)}$.",
    )


def median(rng: random.Random) -> Problem:
    """The median and the mean of a list."""
    data = rng.sample(range(2, 80), rng.randint(5, 9))
    ordered, n = sorted(data), len(data)
    middle = Fraction(ordered[n // 2]) if n % 2 else Fraction(ordered[n // 2 - 1] + ordered[n // 2], 2)
    shown = ", ".join(map(str, data))
    return Problem(
        (tuple(data),),
        say(
            rng,
            f"[[Find|Give]] the median of ${shown}$.",
            f"A list reads ${shown}$. [[Determine|State]] its median.",
            f"Which number is the median of the data ${shown}$?",
        ),
        (
            say(
                rng,
                f"In order of size the numbers are ${', '.join(map(str, ordered))}$.",
                f"Sorting gives ${', '.join(map(str, ordered))}$.",
            ),
            (
                say(
                    rng,
                    f"There are ${n}$ numbers, so the one in place ${n // 2 + 1}$ is in the middle: "
                    f"${number(middle)}$.",
                )
                if n % 2
                else say(
                    rng,
                    f"There are ${n}$ numbers, so we take the mean of the two in the middle: "
                    f"$\\frac{{{ordered[n // 2 - 1]} + {ordered[n // 2]}}}{{2}} = {number(middle)}$.",
                )
            ),
            say(rng, f"The median is ${number(middle)}$.", f"[[So|Hence]] the median equals ${number(middle)}$."),
        ),
        number(middle),
        say(
            rng,
            "The median is the middle of the sorted list, so sorting comes first.",
            "Only the order matters for a median.",
        ),
        f"In the list as given, the entry in the middle is ${data[n // 2]}$, but before sorting that means nothing.",
        f"Exactly ${sum(1 for d in data if d < middle)}$ numbers are smaller and "
        f"${sum(1 for d in data if d > middle)}$ are larger than ${number(middle)}$, which is balanced.",
    )


def regression(rng: random.Random) -> Problem:
    """The least-squares line through a few points."""
    n = rng.choice((3, 4, 5))
    xs = sorted(rng.sample(range(-3, 8), n))
    ys = [rng.randint(-4, 12) for _ in xs]
    mx, my = Fraction(sum(xs), n), Fraction(sum(ys), n)
    sxy = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True))
    sxx = sum((x - mx) ** 2 for x in xs)
    slope = sxy / sxx
    line = poly([slope, my - slope * mx])
    points = joined([f"$({x}, {y})$" for x, y in zip(xs, ys, strict=True)])
    return Problem(
        (tuple(xs), tuple(ys)),
        say(
            rng,
            f"[[Find|Compute]] the least-squares line through the points {points}.",
            f"Which line $y = mx + b$ fits the points {points} best in the sense of least squares?",
        ),
        (
            say(
                rng,
                f"The means are $\\bar x = {number(mx)}$ and $\\bar y = {number(my)}$.",
                f"First, $\\bar x = {number(mx)}$ and $\\bar y = {number(my)}$.",
            ),
            say(rng, f"The sums of products are $S_{{xy}} = {number(sxy)}$ and $S_{{xx}} = {number(sxx)}$."),
            say(
                rng,
                f"The slope is $m = \\frac{{S_{{xy}}}}{{S_{{xx}}}} = {number(slope)}$.",
                f"[[Dividing|Division]] gives the slope $m = {number(slope)}$.",
            ),
            say(
                rng,
                f"The line passes through the point of means, so $b = {number(my)} - {bracket(slope)} \\cdot "
                f"{bracket(mx)} = {number(my - slope * mx)}$ and $y = {line}$.",
                f"With $b = \\bar y - m \\bar x = {number(my - slope * mx)}$ the line is $y = {line}$.",
            ),
        ),
        f"y = {line}",
        say(
            rng,
            "The best line goes through the point of means; only its slope must be found.",
            "Means first, then the slope as a quotient of two sums.",
        ),
        "Joining the first and the last point would ignore the others; least squares uses them all.",
        f"The residuals "
        f"{joined([f'${number(y - slope * x - my + slope * mx)}$' for x, y in zip(xs, ys, strict=True)])} add up to "
        f"$0$, as they must.",
    )


FAMILIES = (
    Family("spread", "statistics", "Mean and variance", spread),
    Family("median", "statistics", "The median", median),
    Family("regression", "statistics", "Least-squares lines", regression),
)
