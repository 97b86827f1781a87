"""Problems about lengths, angles and areas."""

import random
from fractions import Fraction
from math import isqrt

from demo.tex import bracket, number, plus
from demo.wording import Family, Problem, say

TRIPLES = [(m * m - n * n, 2 * m * n, m * m + n * n) for m in range(2, 8) for n in range(1, m) if (m - n) % 2]


def surd(square: int) -> str:
    """The square root of a whole number in simplest form."""
    outer = max(k for k in range(1, isqrt(square) + 1) if square % (k * k) == 0)
    inner = square // outer**2
    return str(outer) if inner == 1 else f"\\sqrt{{{inner}}}" if outer == 1 else f"{outer}\\sqrt{{{inner}}}"


def pythagoras(rng: random.Random) -> Problem:
    """A missing side of a right triangle, in a small story."""
    a, b, c = rng.choice(TRIPLES)
    k, hypotenuse = rng.randint(1, 6), rng.random() < 0.5
    a, b, c = a * k, b * k, c * k
    if rng.random() < 0.5:
        a, b = b, a
    if hypotenuse:
        text = say(
            rng,
            f"The legs of a right triangle are ${a}$ and ${b}$ long. [[Find|Compute]] the hypotenuse.",
            f"A ship sails ${a}$ km east and then ${b}$ km north. How far is it from its starting point in a straight "
            f"line?",
            f"A rectangle measures ${a}$ cm by ${b}$ cm. [[What is the length of|How long is]] its diagonal?",
        )
        steps = (
            say(
                rng,
                f"By Pythagoras, $c^2 = {a}^2 + {b}^2 = {a * a} + {b * b} = {c * c}$.",
                f"The theorem of Pythagoras gives $c = \\sqrt{{{a * a} + {b * b}}} = \\sqrt{{{c * c}}}$.",
            ),
            say(rng, f"[[So|Hence]] the length is ${c}$.", f"Taking the root, we get ${c}$."),
        )
        slip = (
            f"Adding the two lengths gives ${a + b}$, but the straight way is always shorter than the way round the "
            f"corner."
        )
    else:
        text = say(
            rng,
            f"A right triangle has hypotenuse ${c}$ and one leg ${a}$. [[Find|Compute]] the other leg.",
            f"A ladder of length ${c}$ dm leans against a wall with its foot ${a}$ dm away. How high does it reach?",
            f"The diagonal of a rectangle is ${c}$ cm and one side is ${a}$ cm. How long is the other side?",
        )
        steps = (
            say(
                rng,
                f"By Pythagoras, $b^2 = {c}^2 - {a}^2 = {c * c} - {a * a} = {b * b}$.",
                f"Since ${a}^2 + b^2 = {c}^2$, we have $b = \\sqrt{{{c * c} - {a * a}}} = \\sqrt{{{b * b}}}$.",
            ),
            say(rng, f"[[So|Hence]] the length is ${b}$.", f"The positive root is ${b}$."),
        )
        slip = (
            f"The squares are subtracted, not added: ${c}$ is the longest side, so the result must be smaller than "
            f"${c}$."
        )
    return Problem(
        (a, b, c, hypotenuse),
        text,
        steps,
        str(c if hypotenuse else b),
        say(
            rng, "There is a right angle, so Pythagoras applies.", "I make a sketch; the lengths form a right triangle."
        ),
        slip,
        f"Indeed ${a}$, ${b}$, ${c}$ is a Pythagorean triple: ${a * a} + {b * b} = {c * c}$.",
    )


def distance(rng: random.Random) -> Problem:
    """The distance and the midpoint of two points."""
    x, y, u, v = (rng.randint(-9, 9) for _ in range(4))
    u += 20 * (u == x and v == y)
    square = (u - x) ** 2 + (v - y) ** 2
    middle = f"\\left({number(Fraction(x + u, 2))}, {number(Fraction(y + v, 2))}\\right)"
    mid = rng.random() < 0.3
    root = surd(square)
    shown = f"\\sqrt{{{square}}}" + (f" = {root}" if root != f"\\sqrt{{{square}}}" else "")
    if mid:
        text = say(
            rng,
            f"[[Find|Give]] the midpoint of the segment from $({x}, {y})$ to $({u}, {v})$.",
            f"Which point lies exactly halfway between $({x}, {y})$ and $({u}, {v})$?",
        )
        steps = (
            say(
                rng, "The coordinates of the midpoint are the means of the coordinates.", "We average the coordinates."
            ),
            f"This gives $\\frac{{{x} {plus(u)}}}{{2}} = {number(Fraction(x + u, 2))}$ and $\\frac{{{y} "
            f"{plus(v)}}}{{2}} = {number(Fraction(y + v, 2))}$.",
            f"The midpoint is ${middle}$.",
        )
        slip = "Halving the differences instead of the sums would give a direction, not a point between the two."
    else:
        text = say(
            rng,
            f"[[Find|Compute]] the distance between the points $({x}, {y})$ and $({u}, {v})$.",
            f"How far apart are $({x}, {y})$ and $({u}, {v})$ in the plane?",
            f"A circle has centre $({x}, {y})$ and passes through $({u}, {v})$. What is its radius?",
        )
        steps = (
            say(
                rng,
                f"The coordinates differ by ${u - x}$ and ${v - y}$.",
                f"Horizontally the difference is ${u - x}$, vertically ${v - y}$.",
            ),
            f"Squaring and adding, ${bracket(u - x)}^2 + {bracket(v - y)}^2 = {square}$.",
            say(rng, f"The distance is ${shown}$.", f"[[Hence|So]] the length is ${shown}$."),
        )
        slip = (
            f"Adding the differences gives ${abs(u - x) + abs(v - y)}$, the way along the grid lines, not the "
            f"straight distance."
        )
    return Problem(
        (x, y, u, v, mid),
        text,
        steps,
        middle if mid else root,
        say(rng, "The points span a right triangle parallel to the axes.", "Coordinates turn this into arithmetic."),
        slip,
        f"Swapping the two points changes nothing, since only {'sums' if mid else 'squares of differences'} are used, "
        f"so the result is at least symmetric as it should be.",
    )


def sector(rng: random.Random) -> Problem:
    """The area or the arc length of a sector."""
    r, angle, arc = (
        rng.randint(3, 30),
        rng.choice((20, 24, 30, 36, 40, 45, 60, 72, 80, 90, 100, 108, 120, 135, 144, 150, 210, 240, 270, 300)),
        rng.random() < 0.5,
    )
    share = Fraction(angle, 360)
    value = share * 2 * r if arc else share * r * r
    answer = (number(value) if value != 1 else "") + "\\pi"
    what = "arc" if arc else "sector"
    return Problem(
        (r, angle, arc),
        say(
            rng,
            f"A circle has radius ${r}$. [[Find|Compute]] the {'length of the arc' if arc else 'area of the sector'} "
            f"with central angle ${angle}^\\circ$.",
            (
                f"How long is the crust of a piece of a pizza of radius ${r}$ cm if the piece has an angle of "
                f"${angle}^\\circ$ at its tip?"
                if arc
                else f"A lamp lights up a sector of ${angle}^\\circ$ with radius ${r}$ metres. What area is that, in "
                f"square metres?"
            ),
        ),
        (
            say(
                rng,
                f"The {what} is the fraction $\\frac{{{angle}}}{{360}} = {number(share)}$ of the full circle.",
                f"A full circle has $360^\\circ$, so the share is ${number(share)}$.",
            ),
            (
                say(rng, f"The circumference is $2\\pi \\cdot {r} = {2 * r}\\pi$.")
                if arc
                else say(rng, f"The full area is $\\pi \\cdot {r}^2 = {r * r}\\pi$.")
            ),
            say(
                rng,
                f"[[So|Hence]] the result is ${number(share)} \\cdot {2 * r if arc else r * r}\\pi = {answer}$.",
                f"Multiplying by the share [[gives|yields]] ${answer}$.",
            ),
        ),
        answer,
        say(
            rng,
            "A sector is a fraction of the whole circle, and so is its arc.",
            "First the share of the circle, then the share of its measure.",
        ),
        f"Mixing up the formulas for area and circumference would give "
        f"${number(share * (r * r if arc else 2 * r))}\\pi$; here the {'length' if arc else 'area'} is wanted.",
        f"Numerically this is about ${float(value) * 3.14159265:.1f}$, compared with about "
        f"${(2 * r if arc else r * r) * 3.14159265:.1f}$ for the full circle.",
    )


def shoelace(rng: random.Random) -> Problem:
    """The area of a triangle from the coordinates of its corners."""
    while True:
        a, b, c = [(rng.randint(-8, 9), rng.randint(-8, 9)) for _ in range(3)]
        p, q = (b[0] - a[0], b[1] - a[1]), (c[0] - a[0], c[1] - a[1])
        cross = p[0] * q[1] - p[1] * q[0]
        if cross:
            break
    area = Fraction(abs(cross), 2)
    return Problem(
        (a, b, c),
        say(
            rng,
            f"[[Find|Compute]] the area of the triangle with vertices ${a}$, ${b}$ and ${c}$.",
            f"A triangle has the corners ${a}$, ${b}$, ${c}$. What is its area?",
        ),
        (
            say(
                rng,
                f"Two sides from the first vertex are the vectors ${p}$ and ${q}$.",
                f"Subtracting the first corner from the others gives ${p}$ and ${q}$.",
            ),
            f"Their determinant is ${p[0]} \\cdot {bracket(q[1])} - {bracket(p[1])} \\cdot {bracket(q[0])} = {cross}$.",
            say(
                rng,
                f"The area is half its absolute value, $\\frac{{1}}{{2}} \\cdot {abs(cross)} = {number(area)}$.",
                f"Half of the absolute value is ${number(area)}$, the area.",
            ),
        ),
        number(area),
        say(
            rng,
            "With coordinates, half a determinant is faster than base times height.",
            "I move one corner to the origin and use a determinant.",
        ),
        f"Without the factor one half I would get ${abs(cross)}$, the area of the parallelogram."
        + (" And an area cannot be negative, so the sign goes." if cross < 0 else ""),
        f"Starting from the second corner instead, the determinant again has absolute value ${abs(cross)}$, so the "
        f"area ${number(area)}$ does not depend on the choice.",
    )


def similar(rng: random.Random) -> Problem:
    """A height by similar triangles, or an area by a scale factor."""
    pole, shadow = rng.sample(range(2, 13), 2)
    k = rng.randint(3, 12)
    tall, long = Fraction(pole * k), shadow * k
    what = rng.choice(("tree", "tower", "flagpole", "chimney", "lighthouse"))
    return Problem(
        (pole, shadow, k),
        say(
            rng,
            f"A stick ${pole}$ dm tall casts a shadow of ${shadow}$ dm. At the same time a {what} casts a shadow of "
            f"${long}$ dm. How tall is the {what}?",
            f"The shadow of a {what} is ${long}$ dm long, while a post of height ${pole}$ dm has a shadow of "
            f"${shadow}$ dm. [[Find|Determine]] the height of the {what}.",
        ),
        (
            say(
                rng,
                "The rays of the sun are parallel, so the two triangles are similar.",
                "Object, shadow and ray form similar right triangles.",
            ),
            say(
                rng,
                f"Hence $\\frac{{h}}{{{long}}} = \\frac{{{pole}}}{{{shadow}}}$.",
                f"Corresponding sides are proportional: $h : {long} = {pole} : {shadow}$.",
            ),
            say(
                rng,
                f"This gives $h = {long} \\cdot \\frac{{{pole}}}{{{shadow}}} = {number(tall)}$ dm.",
                f"The shadow is ${k}$ times as long, so the height is ${k} \\cdot {pole} = {number(tall)}$ dm.",
            ),
        ),
        number(tall),
        say(rng, "Same sun, same angle: similar triangles.", "The ratio of height to shadow is the same for both."),
        f"Adding the difference of the shadows, ${long - shadow}$, to the height of the stick is wrong, because the "
        f"relation is a ratio and not a difference.",
        f"Both ratios agree: $\\frac{{{number(tall)}}}{{{long}}} = \\frac{{{pole}}}{{{shadow}}}$.",
    )


FAMILIES = (
    Family("pythagoras", "geometry", "Right triangles", pythagoras),
    Family("distance", "geometry", "Distances in the plane", distance),
    Family("sector", "geometry", "Arcs and sectors", sector),
    Family("shoelace", "geometry", "Triangle areas from coordinates", shoelace),
    Family("similar", "geometry", "Similar triangles", similar),
)
