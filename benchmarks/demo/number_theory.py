"""Problems about whole numbers: divisors, remainders, bases."""

import random
from math import gcd, prod

from demo.tex import dots, joined, prime_powers, product
from demo.wording import Family, Problem, say


def euclid(rng: random.Random) -> Problem:
    """A greatest common divisor by repeated division."""
    a, b = rng.randint(2, 21), 0
    for _ in range(rng.choice((3, 4))):
        a, b = rng.randint(2, 5) * a + b, a
    rows, x, y = [], a, b
    while y:
        rows.append(f"${x} = {x // y} \\cdot {y} + {x % y}$")
        x, y = y, x % y
    steps = [
        say(
            rng,
            f"[[Divide|First divide]] the larger number by the smaller one: {rows[0]}.",
            f"We [[start with|begin with the division]] {rows[0]}.",
        )
    ]
    steps += [
        say(
            rng,
            f"[[Next|Then]] {row}.",
            f"The remainder becomes the new divisor: {row}.",
            f"[[Again|Once more]], {row}.",
        )
        for row in rows[1:]
    ]
    steps.append(
        say(
            rng,
            f"The remainder is now $0$, [[so|hence]] the last divisor, ${x}$, is the [[answer|greatest common "
            f"divisor]].",
            f"Since nothing is left over, the greatest common divisor is the last nonzero remainder, ${x}$.",
        )
    )
    return Problem(
        (a, b),
        say(
            rng,
            f"[[Find|Compute|Determine|Work out]] the greatest common divisor of ${a}$ and ${b}$.",
            f"What is $\\gcd({a}, {b})$?",
            f"Two ropes are ${a}$ cm and ${b}$ cm long. [[What is the longest piece|How long is the longest piece]] "
            f"that divides both without waste?",
            f"[[Use|Apply]] Euclid's algorithm to find the largest integer that divides both ${a}$ and ${b}$.",
        ),
        tuple(steps),
        str(x),
        say(
            rng,
            "Listing all divisors would be slow, so I will divide with remainder until nothing is left.",
            "A common divisor of two numbers also divides their remainder, so repeated division keeps the answer the "
            "same.",
        ),
        say(
            rng,
            f"I was about to stop at the first remainder, ${a % b}$, but it need not divide ${b}$, so the divisions "
            f"have to go on.",
            f"Could it simply be ${a} - {b} = {a - b}$? The difference is a multiple of the answer, not always the "
            f"answer itself, so I must continue.",
        ),
        f"Indeed ${a} = {x} \\cdot {a // x}$ and ${b} = {x} \\cdot {b // x}$, and ${a // x}$ and ${b // x}$ have no "
        f"common factor.",
    )


def inverse(rng: random.Random) -> Problem:
    """The inverse of a number modulo another."""
    m = rng.choice([n for n in range(11, 98) if n % 2])
    a = rng.choice([n for n in range(3, m - 1) if gcd(n, m) == 1 and n * n % m != 1])
    x = pow(a, -1, m)
    k = a * x // m
    return Problem(
        (a, m),
        say(
            rng,
            f"[[Find|Determine]] the inverse of ${a}$ modulo ${m}$, that is, the $x$ between $0$ and ${m}$ with ${a}x "
            f"\\equiv 1 \\pmod{{{m}}}$.",
            f"Which [[integer|whole number]] $x$ with $0 < x < {m}$ satisfies ${a}x \\equiv 1 \\pmod{{{m}}}$?",
            f"Solve the congruence ${a}x \\equiv 1 \\pmod{{{m}}}$ for $0 < x < {m}$.",
        ),
        (
            say(
                rng,
                f"Because $\\gcd({a}, {m}) = 1$, an inverse exists and is unique modulo ${m}$.",
                f"The numbers ${a}$ and ${m}$ have no common factor, so ${a}$ can be inverted.",
            ),
            say(
                rng,
                f"We [[look for|need]] integers $x$ and $k$ with ${a}x - {m}k = 1$.",
                f"This [[means|says]] ${a}x = 1 + {m}k$ for some integer $k$.",
            ),
            say(
                rng,
                f"Working back through Euclid's algorithm [[gives|yields]] $k = {k}$, since $1 + {m} \\cdot {k} = "
                f"{1 + m * k} = {a} \\cdot {x}$.",
                f"Trying $k = 0, 1, 2, \\dots$, the first multiple of ${a}$ is found at $k = {k}$: $1 + {m * k} = "
                f"{1 + m * k} = {a} \\cdot {x}$.",
            ),
            say(rng, f"[[Hence|So|Therefore]] $x = {x}$.", f"The inverse is ${x}$."),
        ),
        str(x),
        say(
            rng,
            "An inverse modulo a number comes from writing the greatest common divisor as a combination of both.",
            f"I want a multiple of ${a}$ that leaves remainder $1$ on division by ${m}$.",
        ),
        f"My first thought was $\\frac{{1}}{{{a}}}$, but a fraction makes no sense here: the answer has to be a whole "
        f"number below ${m}$.",
        f"Multiplying, ${a} \\cdot {x} = {a * x}$, and ${a * x} - 1 = {m} \\cdot {k}$, as required.",
    )


def power(rng: random.Random) -> Problem:
    """The remainder of a large power by repeated squaring."""
    base, m = rng.randint(3, 19), rng.choice((7, 9, 11, 13, 17, 19, 23, 29, 31, 37))
    exponent = rng.randint(18, 99)
    base += base % m == 0
    squares, value, bit = [], base % m, 1
    bits = [1 << i for i in range(7) if exponent >> i & 1]
    table = {1: base % m}
    while bit * 2 <= exponent:
        shown = f"= {base * base}" if bit == 1 else f"\\equiv {value}^2"
        rest = f" \\equiv {value * value % m}" if bit > 1 or base * base >= m else ""
        squares.append(f"${base}^{{{bit * 2}}} {shown}{rest}$")
        value, bit = value * value % m, bit * 2
        table[bit] = value
    answer, half = pow(base, exponent, m), exponent // 2 - 1
    first, second = pow(base, half, m), pow(base, exponent - half, m)
    return Problem(
        (base, exponent, m),
        say(
            rng,
            f"[[Find|Compute]] the remainder when ${base}^{{{exponent}}}$ is divided by ${m}$.",
            f"Determine ${base}^{{{exponent}}} \\bmod {m}$.",
            f"The number ${base}^{{{exponent}}}$ is too large to write out. Which remainder does it leave on division "
            f"by ${m}$?",
        ),
        (
            say(
                rng,
                f"Write the exponent as a sum of powers of two: ${exponent} = {' + '.join(map(str, bits[::-1]))}$.",
                f"In binary the exponent is the sum ${' + '.join(map(str, bits[::-1]))}$.",
            ),
            say(
                rng,
                f"Squaring again and again modulo ${m}$ [[gives|we get]] {joined(squares)}.",
                f"Modulo ${m}$, repeated squaring produces {joined(squares)}.",
            ),
            f"Multiplying the ones that are needed, ${base}^{{{exponent}}} \\equiv "
            f"{dots([table[b] for b in bits[::-1]])} \\pmod{{{m}}}$.",
            say(
                rng,
                f"This product [[leaves the remainder|is congruent to]] ${answer}$.",
                f"Reducing the product leaves ${answer}$.",
            ),
        ),
        str(answer),
        say(
            rng,
            "The power itself is huge, but only remainders matter, so I reduce after every multiplication.",
            "Repeated squaring needs just a handful of multiplications, whatever the size of the exponent.",
        ),
        f"It is tempting to reduce the exponent modulo ${m}$ as well, but exponents do not follow that rule; only the "
        f"base may be reduced like this.",
        f"Splitting differently, ${base}^{{{exponent}}} = {base}^{{{half}}} \\cdot {base}^{{{exponent - half}}}$ "
        f"gives ${first} \\cdot {second} = {first * second} \\equiv {answer}$, the same remainder.",
    )


def divisors(rng: random.Random) -> Problem:
    """The number of divisors from the factorisation."""
    n = rng.choice([n for n in range(60, 2400) if len(prime_powers(n)) >= 2 and max(prime_powers(n)) <= 17])
    powers = prime_powers(n)
    count = prod(k + 1 for k in powers.values())
    parity = f"odd because ${n}$ is a perfect square" if count % 2 else f"even because ${n}$ is not a perfect square"
    exponents = joined([f"${k}$" for k in powers.values()])
    return Problem(
        (n,),
        say(
            rng,
            f"How many positive divisors does ${n}$ have?",
            f"[[Count the|Find the number of]] positive integers that divide ${n}$ without remainder.",
            f"In how many ways can ${n}$ tiles be laid as a full rectangle, if width and height may be swapped to "
            f"give another way?",
        ),
        (
            say(
                rng,
                f"The prime factorisation is ${n} = {product(powers)}$.",
                f"[[Factor|Split]] the number into primes: ${n} = {product(powers)}$.",
            ),
            say(
                rng,
                "A divisor uses each prime at most as often as the number itself does.",
                f"The exponents are {exponents}, and a divisor may use each prime from zero times up to that often.",
            ),
            say(
                rng,
                f"So there are ${dots([f'({k} + 1)' for k in powers.values()])} = {count}$ [[choices|divisors]].",
                f"Adding one to every exponent and multiplying gives ${dots([k + 1 for k in powers.values()])} = "
                f"{count}$.",
            ),
        ),
        str(count),
        say(
            rng,
            "Divisors are built from prime factors, so the factorisation tells everything.",
            "Instead of testing every number, I will use the prime factors.",
        ),
        f"Adding the exponents would give ${sum(powers.values())}$, but that counts prime factors, not divisors; the "
        f"choices for different primes multiply.",
        f"As a check, divisors come in pairs $d$ and ${n}/d$, and the count ${count}$ is {parity}.",
    )


def chinese(rng: random.Random) -> Problem:
    """Two congruences with coprime moduli."""
    m, n = rng.choice(
        [(3, 5), (4, 7), (5, 7), (5, 8), (7, 9), (7, 11), (8, 9), (9, 11), (5, 12), (7, 10), (6, 11), (11, 13)]
    )
    x = rng.choice([x for x in range(n + 1, m * n) if x % m and x % n and x != x % m + x % n])
    r, s = x % m, x % n
    tries = list(range(s, x + 1, n))
    shown = ", ".join(f"${t}$" for t in tries[:4]) + (r", $\dots$" if len(tries) > 4 else "")
    return Problem(
        (r, m, s, n),
        say(
            rng,
            f"[[Find|Determine]] the smallest positive integer $x$ with $x \\equiv {r} \\pmod{{{m}}}$ and $x \\equiv "
            f"{s} \\pmod{{{n}}}$.",
            f"A number leaves remainder ${r}$ when divided by ${m}$ and remainder ${s}$ when divided by ${n}$. What "
            f"is the smallest positive [[number|integer]] of this kind?",
            f"Eggs are packed: in boxes of ${m}$ there are ${r}$ left over, in boxes of ${n}$ there are ${s}$ left "
            f"over. What is the least possible number of eggs?",
        ),
        (
            say(
                rng,
                f"The moduli ${m}$ and ${n}$ are coprime, so there is exactly one solution below ${m} \\cdot {n} = "
                f"{m * n}$.",
                f"By the Chinese remainder theorem the solution is unique modulo ${m * n}$.",
            ),
            say(
                rng,
                f"The second condition [[allows|leaves]] only {shown}.",
                f"Numbers that satisfy the second condition are {shown}.",
            ),
            say(
                rng,
                f"Among them ${x}$ is the first that leaves remainder ${r}$ on division by ${m}$, because ${x} = {m} "
                f"\\cdot {x // m} + {r}$.",
                f"Testing these modulo ${m}$, the first with remainder ${r}$ is ${x} = {m} \\cdot {x // m} + {r}$.",
            ),
            say(rng, f"[[Hence|Thus]] $x = {x}$.", f"The smallest solution is ${x}$."),
        ),
        str(x),
        say(
            rng,
            "I run through the numbers that satisfy one condition and test the other.",
            "One condition at a time: the larger modulus leaves fewer candidates.",
        ),
        f"Adding the remainders to get ${r + s}$ does not work: ${r + s}$ leaves remainder ${(r + s) % m}$ modulo "
        f"${m}$ and ${(r + s) % n}$ modulo ${n}$, and both have to match at once.",
        f"Checking, ${x} - {r} = {x - r}$ is divisible by ${m}$, and ${x} - {s} = {x - s}$ is divisible by ${n}$.",
    )


def bases(rng: random.Random) -> Problem:
    """A number written in another base."""
    n, b = rng.randint(90, 999), rng.randint(2, 9)
    n += n % b == 0
    rows, digits, x = [], "", n
    while x:
        rows.append(f"${x} = {b} \\cdot {x // b} + {x % b}$")
        digits, x = str(x % b) + digits, x // b
    wrong = "which is the wrong way round" if digits != digits[::-1] else "here by luck the same"
    value = " + ".join(f"{d} \\cdot {b}^{{{len(digits) - 1 - i}}}" for i, d in enumerate(digits) if d != "0")
    return Problem(
        (n, b),
        say(
            rng,
            f"Write ${n}$ in base ${b}$.",
            f"[[Convert|Change]] the decimal number ${n}$ to base ${b}$.",
            f"What are the digits of ${n}$ in the number system with base ${b}$?",
        ),
        (
            say(
                rng,
                f"Divide by ${b}$ again and again and keep the remainders.",
                f"The last digit is the remainder on division by ${b}$; then continue with the quotient.",
            ),
            say(rng, f"The divisions are {joined(rows)}.", f"Step by step: {joined(rows)}."),
            say(
                rng,
                f"Read from the last remainder to the first, the digits are ${digits}$.",
                f"Reading the remainders upwards [[gives|we obtain]] ${digits}_{{{b}}}$.",
            ),
        ),
        f"{digits}_{{{b}}}",
        say(
            rng,
            "Division with remainder peels off the digits from the right.",
            f"I could look for the largest power of ${b}$ first, but dividing is less work.",
        ),
        f"Reading the remainders from first to last would give ${digits[::-1]}$, {wrong}: the first remainder is the "
        f"digit of the units.",
        f"Back in decimal, ${value} = {n}$.",
    )


FAMILIES = (
    Family("euclid", "number theory", "Euclid's algorithm", euclid),
    Family("inverse", "number theory", "Inverses modulo n", inverse),
    Family("power", "number theory", "Powers and remainders", power),
    Family("divisors", "number theory", "Counting divisors", divisors),
    Family("chinese", "number theory", "Two congruences at once", chinese),
    Family("bases", "number theory", "Number bases", bases),
)
