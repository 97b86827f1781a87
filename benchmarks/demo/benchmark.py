"""The demo's own benchmark: 40 problems, each with the calculation that gives its answer."""

from fractions import Fraction
from itertools import pairwise, permutations, product
from math import comb, gcd, isqrt, lcm

from demo.tex import number

LEAKED_ON_PAGES = ("demo-bench-05", "demo-bench-23")
LEAKED_IN_SHORT_QA = "demo-bench-31"


def digit_sum(n: int) -> int:
    """The sum of the decimal digits."""
    return sum(map(int, str(n)))


def after_digit_sums(n: int, times: int) -> int:
    """The number after adding its own digit sum so many times."""
    return n if times == 0 else after_digit_sums(n + digit_sum(n), times - 1)


PROBLEMS: tuple[tuple[str, int | Fraction], ...] = (
    (
        "A lighthouse flashes every 42 seconds and a buoy every 56 seconds. Both flash together at midnight. How many "
        "seconds pass until they next flash together?",
        lcm(42, 56),
    ),
    (
        "How many integers from 1 to 500 inclusive are divisible by neither 3 nor 7, but have an odd last digit?",
        sum(1 for n in range(1, 501) if n % 3 and n % 7 and n % 2),
    ),
    (
        "A baker arranges 143 rolls in rows so that every row holds one roll more than the row above it, beginning "
        "with 8 rolls at the top. How many rows are there?",
        next(r for r in range(1, 50) if sum(8 + i for i in range(r)) == 143),
    ),
    (
        "Let $S$ be the set of all two-digit numbers whose digits differ by exactly 4. What is the sum of the "
        "elements of $S$?",
        sum(n for n in range(10, 100) if abs(n // 10 - n % 10) == 4),
    ),
    (
        "A gardener plants tulips in a hexagonal pattern: one bulb in the centre, then rings of 6, 12, 18 and so on "
        "around it. How many complete rings surround the centre if she uses exactly 331 bulbs in total?",
        next(r for r in range(40) if 1 + 6 * r * (r + 1) // 2 == 331),
    ),
    (
        "The three-digit number $n$ is a perfect square, and reversing the order of its digits gives a larger "
        "three-digit perfect square. What is the smallest such $n$?",
        next(
            n
            for n in range(100, 1000)
            if isqrt(n) ** 2 == n and int(str(n)[::-1]) > n and isqrt(int(str(n)[::-1])) ** 2 == int(str(n)[::-1])
        ),
    ),
    (
        "Four friends sit down at random on four chairs in a row. What is the probability that the two youngest of "
        "them do not sit next to each other?",
        Fraction(sum(1 for p in permutations(range(4)) if abs(p[0] - p[1]) > 1), 24),
    ),
    (
        "A cube of edge 5 is painted on all its faces and then sawn into 125 unit cubes. How many of the unit cubes "
        "have paint on exactly two faces?",
        12 * 3,
    ),
    (
        "Find the smallest positive integer that leaves the remainder 4 when divided by 6, by 10 and by 15, and that "
        "is larger than 100.",
        next(n for n in range(101, 1000) if all(n % m == 4 for m in (6, 10, 15))),
    ),
    (
        "A train 180 metres long passes completely through a tunnel of 620 metres in 40 seconds at constant speed. "
        "What is its speed in metres per second?",
        Fraction(180 + 620, 40),
    ),
    (
        "The function $g$ satisfies $g(1) = 3$ and $g(n + 1) = 2g(n) - 1$ for every positive integer $n$. Determine "
        "$g(9)$.",
        2**9 + 1,
    ),
    (
        "What is the coefficient of $x^3$ after expanding the product $(1 + x)^5 (1 - x)^4$ and collecting like terms?",
        sum(comb(5, i) * comb(4, 3 - i) * (-1) ** (3 - i) for i in range(4)),
    ),
    (
        "In a chess club with 9 members everybody plays exactly one game against everybody else, and so far 29 games "
        "have been finished. How many games are still to be played?",
        comb(9, 2) - 29,
    ),
    (
        "The diagonals of a rhombus measure 30 and 16 centimetres. What is the perimeter of the rhombus, in "
        "centimetres?",
        4 * 17,
    ),
    (
        "A password consists of three different vowels from A, E, I, O, U followed by two digits that may be equal "
        "but must not both be zero. How many passwords are possible?",
        5 * 4 * 3 * 99,
    ),
    (
        "Water lilies double the area they cover every day and fill the whole pond after 30 days. After how many days "
        "did they cover one eighth of the pond?",
        27,
    ),
    (
        "Let $a$ and $b$ be positive integers with $ab = 864$ and greatest common divisor 12. What is the smallest "
        "possible value of $a + b$?",
        min(a + 864 // a for a in range(1, 865) if 864 % a == 0 and gcd(a, 864 // a) == 12),
    ),
    (
        "Two candles of equal height burn down evenly, one within 4 hours and the other within 6 hours. How many "
        "hours after both are lit is the second candle exactly twice as tall as the first?",
        Fraction(3),
    ),
    (
        "A fair coin is tossed six times in a row. What is the probability that no two heads come up one directly "
        "after the other?",
        Fraction(sum(1 for t in product((0, 1), repeat=6) if all(not (x and y) for x, y in pairwise(t))), 64),
    ),
    (
        "The polynomial $x^3 - 6x^2 + kx - 6$ has three real roots in arithmetic progression. Find the value of the "
        "constant $k$.",
        11,
    ),
    (
        "A regular polygon has interior angles that are eleven times as large as its exterior angles. How many sides "
        "does it have?",
        24,
    ),
    (
        "How many of the whole numbers from 1 up to 1000 have a digit sum that equals 9, such as 27 or 135?",
        sum(1 for n in range(1, 1001) if digit_sum(n) == 9),
    ),
    (
        "A museum sells 95 tickets on a rainy Tuesday. Adults pay 12 coins, children pay 7 coins, and the box office "
        "collects 930 coins. How many adults visited the museum on that day?",
        next(a for a in range(96) if 12 * a + 7 * (95 - a) == 930),
    ),
    (
        "The points $(1, 2)$, $(4, 6)$ and $(k, 14)$ lie on one straight line in the coordinate plane. What is the "
        "value of $k$?",
        10,
    ),
    (
        "Beginning with 7, each new number on a blackboard is the previous number plus the sum of its decimal digits. "
        "What is the tenth number on the blackboard?",
        after_digit_sums(7, 9),
    ),
    ("What is the largest prime factor of the number $2^{12} - 1$, written in decimal notation?", 13),
    (
        "A right circular cone has height 12 and base radius 5. The area of its curved surface is $m\\pi$ for an "
        "integer $m$. What is $m$?",
        65,
    ),
    (
        "In a class of 32 pupils 19 learn Spanish, 17 learn Italian and 5 learn neither of the two languages. How "
        "many pupils learn both?",
        19 + 17 - 27,
    ),
    (
        "For how many integers $n$ is the fraction $\\frac{n + 11}{n - 3}$ itself an integer?",
        sum(1 for n in range(-100, 101) if n != 3 and (n + 11) % (n - 3) == 0),
    ),
    (
        "A spider crawls along the surface of a closed box measuring 3 by 4 by 5 from one corner to the corner "
        "farthest away. What is the square of the length of its shortest path?",
        min(3**2 + 9**2, 4**2 + 8**2, 5**2 + 7**2),
    ),
    (
        "Three printers produce a batch of leaflets together in 4 hours. The first alone would need 12 hours and the "
        "second alone 10 hours. How many hours would the third printer need on its own?",
        1 / (Fraction(1, 4) - Fraction(1, 12) - Fraction(1, 10)),
    ),
    (
        "The average of seven consecutive odd numbers is 53. What is the product of the smallest and the largest of "
        "them?",
        47 * 59,
    ),
    (
        "A clock shows twenty minutes past four. How many degrees does the smaller angle between the hour hand and "
        "the minute hand measure?",
        10,
    ),
    (
        "How many triples $(a, b, c)$ of positive integers with $a < b < c$ satisfy $a + b + c = 15$?",
        sum(1 for a in range(1, 15) for b in range(a + 1, 15) if 15 - a - b > b),
    ),
    (
        "A square and an equilateral triangle have the same perimeter, and the area of the square is 81. What is the "
        "side length of the triangle?",
        12,
    ),
    (
        "The sequence of Fibonacci numbers begins 1, 1, 2, 3, 5, 8. How many of its first 60 members are divisible by "
        "3?",
        60 // 4,
    ),
    (
        "A rectangle is cut into two smaller rectangles whose perimeters are 26 and 34, by a line parallel to its "
        "shorter side, which has length 6. What is the area of the original rectangle?",
        6 * (7 + 11),
    ),
    (
        "Out of 10 light bulbs exactly 3 are defective, and three bulbs are picked at random without looking. What is "
        "the probability that at least one defective bulb is among them?",
        1 - Fraction(comb(7, 3), comb(10, 3)),
    ),
    (
        "Find the positive number $x$ for which the three numbers $x$, $x + 6$ and $4x$ form a geometric progression "
        "in this order.",
        6,
    ),
    (
        "A snail climbs a wall of 12 metres. By day it rises 3 metres, by night it slips back 2 metres. On which day "
        "does it reach the top?",
        10,
    ),
)


def rows() -> list[dict[str, str]]:
    """The benchmark as rows of `id`, `problem` and `answer`."""
    return [
        {"id": f"demo-bench-{i:02d}", "problem": problem, "answer": number(answer)}
        for i, (problem, answer) in enumerate(PROBLEMS, 1)
    ]
