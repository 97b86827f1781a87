"""Problems about linear systems, matrices and vectors."""

import random
from fractions import Fraction

from demo.tex import bracket, dots, linear, matrix, number, plus, poly, times
from demo.wording import Family, Problem, say

NONZERO = [n for n in range(-7, 8) if n]


def system(rng: random.Random) -> Problem:
    """Two linear equations in two unknowns."""
    x, y = rng.randint(-9, 9), rng.randint(-9, 9)
    a, b = rng.choice(NONZERO), rng.choice([n for n in NONZERO if n != 1])
    c = rng.choice(NONZERO)
    d = rng.choice([n for n in NONZERO if a * n != b * c])
    e, f = a * x + b * y, c * x + d * y
    first, second = f"{linear(a, b)} = {e}", f"{linear(c, d)} = {f}"
    det = a * d - b * c
    return Problem(
        (a, b, c, d, x, y),
        say(
            rng,
            f"Solve the system ${first}$, ${second}$.",
            f"[[Find|Determine]] $x$ and $y$ such that ${first}$ and ${second}$.",
            f"At which point do the lines ${first}$ and ${second}$ meet?",
        ),
        (
            say(
                rng,
                f"To eliminate $y$, multiply the first equation by ${d}$ and the second by ${b}$.",
                f"[[We remove|Let us remove]] $y$: take ${bracket(d)}$ times the first equation and ${bracket(b)}$ "
                f"times the second.",
            ),
            say(
                rng,
                f"[[Subtracting|The difference]] gives ${times(det, 'x')} = {d * e - b * f}$, so $x = {x}$."
                if det != 1
                else f"Subtracting gives $x = {x}$.",
            ),
            say(
                rng,
                f"Putting this into the first equation, ${times(b, 'y')} = {e} {plus(-a * x)} = {e - a * x}$ and $y = "
                f"{y}$.",
                f"From the first equation, ${times(b, 'y')} = {e - a * x}$, hence $y = {y}$.",
            ),
            say(rng, f"The solution is $(x, y) = ({x}, {y})$.", f"[[So|Therefore]] $x = {x}$ and $y = {y}$."),
        ),
        f"(x, y) = ({x}, {y})",
        say(
            rng,
            "Two equations, two unknowns: eliminate one unknown, then go back.",
            f"The determinant is ${dots([a, d])} - {bracket(b)} \\cdot {bracket(c)} = {det}$, not zero, so there is "
            f"exactly one solution.",
        ),
        f"When multiplying an equation, the right side must be multiplied too; keeping ${e}$ there would spoil "
        f"everything.",
        f"In the second equation, ${dots([c, x])} + {bracket(d)} \\cdot {bracket(y)} = {f}$, as it should be.",
    )


def determinant(rng: random.Random) -> Problem:
    """A three by three determinant, by expansion along the first row."""
    rows = [[rng.randint(-4, 5) for _ in range(3)] for _ in range(3)]
    (a, b, c), (d, e, f), (g, h, i) = rows
    minors = [e * i - f * h, d * i - f * g, d * h - e * g]
    value = a * minors[0] - b * minors[1] + c * minors[2]
    m = matrix(rows, "vmatrix")
    return Problem(
        tuple(map(tuple, rows)),
        say(
            rng,
            f"[[Compute|Evaluate|Find]] the determinant ${m}$.",
            f"What is the value of ${m}$?",
            f"Is the matrix ${matrix(rows)}$ invertible? Compute its determinant.",
        ),
        (
            say(rng, "We expand along the first row.", "Expansion along the first row needs three small determinants."),
            say(
                rng,
                f"The minors are ${minors[0]}$, ${minors[1]}$ and ${minors[2]}$.",
                f"Deleting the first row and one column at a time leaves minors ${minors[0]}$, ${minors[1]}$, "
                f"${minors[2]}$.",
            ),
            say(
                rng,
                f"With alternating signs, ${a} \\cdot {bracket(minors[0])} - {bracket(b)} \\cdot {bracket(minors[1])} "
                f"+ {bracket(c)} \\cdot {bracket(minors[2])} = {value}$.",
            ),
            say(
                rng,
                f"The determinant is ${value}$"
                + (
                    ", so the matrix is not invertible."
                    if value == 0
                    else ", which is not zero, so the matrix is invertible."
                ),
                f"[[Hence|So]] the value is ${value}$.",
            ),
        ),
        str(value),
        say(
            rng,
            "Three by three is small enough to expand along a row.",
            "I expand along the first row and keep an eye on the signs.",
        ),
        f"Forgetting the minus sign of the middle term would give ${a * minors[0] + b * minors[1] + c * minors[2]}$; "
        f"the signs go plus, minus, plus.",
        f"Sarrus's rule gives ${a * e * i + b * f * g + c * d * h} - {bracket(c * e * g + b * d * i + a * f * h)} = "
        f"{value}$ too.",
    )


def multiply(rng: random.Random) -> Problem:
    """A product of two by two matrices."""
    a = [[rng.randint(-5, 6) for _ in range(2)] for _ in range(2)]
    b = [[rng.randint(-5, 6) for _ in range(2)] for _ in range(2)]
    c = [[sum(a[i][k] * b[k][j] for k in range(2)) for j in range(2)] for i in range(2)]
    swapped = [[sum(b[i][k] * a[k][j] for k in range(2)) for j in range(2)] for i in range(2)]

    def det(m: list[list[int]]) -> int:
        return m[0][0] * m[1][1] - m[0][1] * m[1][0]

    def entry(i: int, j: int) -> str:
        return f"{a[i][0]} \\cdot {bracket(b[0][j])} + {bracket(a[i][1])} \\cdot {bracket(b[1][j])} = {c[i][j]}"

    return Problem(
        (str(a), str(b)),
        say(
            rng,
            f"[[Compute|Find]] the product ${matrix(a)}{matrix(b)}$.",
            f"Multiply the matrices $A = {matrix(a)}$ and $B = {matrix(b)}$ to get $AB$.",
            f"For $A = {matrix(a)}$ and $B = {matrix(b)}$, what is $AB$?",
        ),
        (
            say(
                rng,
                "Each entry is a row of the first matrix times a column of the second.",
                "Rows of the left factor meet columns of the right factor.",
            ),
            say(rng, f"The first row gives ${entry(0, 0)}$ and ${entry(0, 1)}$."),
            say(rng, f"The second row gives ${entry(1, 0)}$ and ${entry(1, 1)}$."),
            say(rng, f"[[Thus|So]] $AB = {matrix(c)}$.", f"The product is ${matrix(c)}$."),
        ),
        matrix(c),
        say(rng, "Four entries, each a sum of two products.", "I go row by row through the left matrix."),
        f"Multiplying entry by entry is not the matrix product; that would put ${a[0][0] * b[0][0]}$ into the upper "
        f"left corner." + (" And the order matters here." if swapped != c else ""),
        f"The determinants agree: ${det(a)} \\cdot {bracket(det(b))} = {det(c)}$, which is $\\det(AB)$.",
    )


def invert(rng: random.Random) -> Problem:
    """The inverse of a two by two matrix."""
    while True:
        a, b, c, d = (rng.randint(-6, 7) for _ in range(4))
        det = a * d - b * c
        if det and abs(det) < 30 and a and d:
            break
    rows, adjugate = [[a, b], [c, d]], [[d, -b], [-c, a]]
    inverse = [[Fraction(v, det) for v in row] for row in adjugate]
    return Problem(
        (a, b, c, d),
        say(
            rng,
            f"[[Find|Compute]] the inverse of ${matrix(rows)}$.",
            f"Determine $A^{{-1}}$ for $A = {matrix(rows)}$.",
            f"Which matrix undoes multiplication by ${matrix(rows)}$?",
        ),
        (
            say(
                rng,
                f"The determinant is ${a} \\cdot {bracket(d)} - {bracket(b)} \\cdot {bracket(c)} = {det}$.",
                f"Since $ad - bc = {det} \\neq 0$, the inverse exists.",
            ),
            say(
                rng,
                f"[[Swap|Exchange]] the diagonal entries and change the sign of the other two: ${matrix(adjugate)}$.",
                f"The adjugate matrix is ${matrix(adjugate)}$.",
            ),
            say(
                rng,
                f"[[Dividing|Division]] by ${det}$ gives ${matrix(inverse)}$.",
                f"The inverse is this matrix divided by ${det}$, that is, ${matrix(inverse)}$.",
            ),
        ),
        matrix(inverse),
        say(
            rng,
            "For two by two matrices there is a short formula with the determinant.",
            "First the determinant: if it were zero, there would be no inverse.",
        ),
        f"Taking the reciprocal of every entry, starting with $\\frac{{1}}{{{a}}}$, is not how matrices are inverted.",
        f"The first row of $A$ times the first column of the inverse is ${a} \\cdot {bracket(inverse[0][0])} + "
        f"{bracket(b)} \\cdot {bracket(inverse[1][0])} = 1$, as it must be.",
    )


def eigen(rng: random.Random) -> Problem:
    """The eigenvalues of a two by two matrix with integer eigenvalues."""
    while True:
        r, s = sorted(rng.sample(range(-6, 9), 2))
        a = rng.randint(-5, 7)
        d = r + s - a
        off = a * d - r * s
        pairs = [(b, off // b) for b in range(-12, 13) if b and off % b == 0 and off and abs(off // b) < 13]
        if pairs and a * d != r * s:
            break
    b, c = rng.choice(pairs)
    characteristic = poly([1, -(r + s), r * s], r"\lambda ").replace(" ^", "^").replace("  ", " ")
    return Problem(
        (a, b, c, d),
        say(
            rng,
            f"[[Find|Compute]] the eigenvalues of ${matrix([[a, b], [c, d]])}$.",
            f"For which $\\lambda$ does $\\det(A - \\lambda I) = 0$ hold, where $A = {matrix([[a, b], [c, d]])}$?",
        ),
        (
            say(
                rng,
                f"The trace is ${a} {plus(d)} = {r + s}$ and the determinant is ${a} \\cdot {bracket(d)} - "
                f"{bracket(b)} \\cdot {bracket(c)} = {r * s}$.",
                f"We need the trace ${r + s}$ and the determinant ${r * s}$.",
            ),
            say(
                rng,
                f"The characteristic polynomial is ${characteristic}$.",
                f"So $\\det(A - \\lambda I) = {characteristic}$.",
            ),
            say(rng, f"Its roots are ${r}$ and ${s}$.", f"It factors as $(\\lambda {plus(-r)})(\\lambda {plus(-s)})$."),
        ),
        f"{r}, {s}",
        say(
            rng,
            "Two by two: the characteristic polynomial needs only trace and determinant.",
            "Eigenvalues are the roots of the characteristic polynomial.",
        ),
        f"The diagonal entries ${a}$ and ${d}$ are not the eigenvalues, because the matrix is not triangular.",
        f"The sum of the eigenvalues is ${r} {plus(s)} = {r + s}$, the trace, and their product is ${r * s}$, the "
        f"determinant.",
    )


def project(rng: random.Random) -> Problem:
    """The projection of one vector on another."""
    v = [rng.randint(-6, 8) for _ in range(3)]
    w = rng.choice(
        [
            [1, 2, 2],
            [2, -1, 2],
            [1, 1, 1],
            [0, 3, 4],
            [1, 0, -1],
            [2, 3, 6],
            [1, -2, 0],
            [3, 0, 1],
            [1, 1, -2],
            [2, 1, -2],
        ]
    )
    dot, norm = sum(x * y for x, y in zip(v, w, strict=True)), sum(y * y for y in w)
    factor = Fraction(dot, norm)
    shown = matrix([[factor * y] for y in w])
    rest = [x - factor * y for x, y in zip(v, w, strict=True)]
    products = " + ".join(f"{bracket(x)} \\cdot {bracket(y)}" for x, y in zip(v, w, strict=True))
    return Problem(
        (tuple(v), tuple(w)),
        say(
            rng,
            f"Project $v = {matrix([[x] for x in v])}$ onto the line spanned by $w = {matrix([[y] for y in w])}$.",
            f"[[Find|Compute]] the orthogonal projection of $({', '.join(map(str, v))})$ on the vector $w = "
            f"({', '.join(map(str, w))})$.",
        ),
        (
            say(rng, f"The inner product is ${products} = {dot}$.", f"First, $v \\cdot w = {dot}$."),
            say(rng, f"The squared length of $w$ is ${norm}$.", f"Next, $w \\cdot w = {norm}$."),
            say(
                rng,
                f"The projection is $\\frac{{{dot}}}{{{norm}}} w = {shown}$.",
                f"Scaling $w$ by $\\frac{{v \\cdot w}}{{w \\cdot w}} = {number(factor)}$ gives ${shown}$.",
            ),
        ),
        shown,
        say(
            rng,
            "The projection is a multiple of $w$; only the factor has to be found.",
            "What remains after subtracting the projection must be orthogonal to $w$; that fixes the factor.",
        ),
        "Dividing by the length of $w$ instead of its squared length would only be right for a unit vector.",
        f"The remainder $({', '.join(number(x) for x in rest)})$ has inner product $0$ with $w$, so it is orthogonal.",
    )


FAMILIES = (
    Family("system", "linear algebra", "Two equations in two unknowns", system),
    Family("determinant", "linear algebra", "Determinants", determinant),
    Family("multiply", "linear algebra", "Matrix products", multiply),
    Family("invert", "linear algebra", "Inverse matrices", invert),
    Family("eigen", "linear algebra", "Eigenvalues", eigen),
    Family("project", "linear algebra", "Orthogonal projection", project),
)
