"""Problems about counting."""

import random
from math import comb, factorial
from pathlib import Path

from demo.tex import dots, joined
from demo.wording import Family, Problem, say

WORDS = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split()


def committee(rng: random.Random) -> Problem:
    """A committee with a fixed or a least number of members of one group."""
    a, b, k = rng.randint(4, 10), rng.randint(4, 11), rng.randint(3, 5)
    j, least = rng.randint(1, 2), rng.random() < 0.4
    ways = (
        comb(a, j) * comb(b, k - j)
        if not least
        else comb(a + b, k) - sum(comb(a, i) * comb(b, k - i) for i in range(j))
    )
    one, two = rng.choice(
        (
            ("teachers", "students"),
            ("women", "men"),
            ("poets", "painters"),
            ("engineers", "lawyers"),
            ("goalkeepers", "strikers"),
            ("novels", "atlases"),
        )
    )
    things = "books" if one == "novels" else "people"
    cond = f"{'at least' if least else 'exactly'} {('one', 'two')[j - 1]}"
    less = joined([f"\\binom{{{a}}}{{{i}}} \\binom{{{b}}}{{{k - i}}}" for i in range(j)], "-").replace(", ", " - ")
    steps = (
        (
            say(
                rng,
                f"Without the condition there are $\\binom{{{a + b}}}{{{k}}} = {comb(a + b, k)}$ choices.",
                f"Altogether there are ${comb(a + b, k)}$ ways to pick ${k}$ out of ${a + b}$.",
            ),
            say(
                rng,
                f"From these we take away the ones with too few {one}: ${comb(a + b, k)} - {less} = {ways}$."
                if j == 1
                else f"We subtract the choices with none and with one of the {one}: ${comb(a + b, k)} - {less} = "
                f"{ways}$.",
            ),
        )
        if least
        else (
            say(
                rng,
                f"Choose the {one} in $\\binom{{{a}}}{{{j}}} = {comb(a, j)}$ ways.",
                f"There are $\\binom{{{a}}}{{{j}}} = {comb(a, j)}$ ways to pick the {one}.",
            ),
            say(rng, f"The other ${k - j}$ come from the {two}: $\\binom{{{b}}}{{{k - j}}} = {comb(b, k - j)}$ ways."),
            say(rng, f"[[Together|By the product rule]] this makes ${comb(a, j)} \\cdot {comb(b, k - j)} = {ways}$."),
        )
    )
    return Problem(
        (a, b, k, j, least),
        say(
            rng,
            f"In how many ways can ${k}$ {things} be chosen from ${a}$ {one} and ${b}$ {two} so that {cond} of the "
            f"{one} {'is' if j == 1 else 'are'} among them?",
            f"There are ${a}$ {one} and ${b}$ {two}. [[Find out|Determine]] how many selections of ${k}$ {things} "
            f"contain {cond} of the {one}.",
        ),
        steps,
        str(ways),
        say(
            rng,
            "Order does not matter here, so binomial coefficients are the right tool.",
            "I decide first how the two groups share the places.",
        ),
        f"Choosing the places one after the other would count each selection many times; ${a + b} \\cdot {a + b - 1}$ "
        f"and so on is for ordered lists.",
        f"It must be less than the number of all selections, $\\binom{{{a + b}}}{{{k}}} = {comb(a + b, k)}$, and "
        f"${ways}$ is.",
    )


def anagrams(rng: random.Random) -> Problem:
    """The number of arrangements of the letters of a word."""
    word = rng.choice(WORDS)
    counts = {c: word.count(c) for c in dict.fromkeys(word)}
    repeated = [k for k in counts.values() if k > 1]
    total = factorial(len(word))
    for k in repeated:
        total //= factorial(k)
    letters = (
        joined([f"{c} occurs ${k}$ times" if k > 2 else f"{c} occurs twice" for c, k in counts.items() if k > 1])
        if repeated
        else ""
    )
    below = dots([f"{k}!" for k in repeated])
    return Problem(
        (word,),
        say(
            rng,
            f"In how many [[ways|orders]] can the letters of {word} be arranged?",
            f"How many different words, meaningful or not, can be formed from all letters of {word}?",
            f"[[Count the|Determine the number of]] distinct arrangements of the letters in the word {word}.",
        ),
        (
            say(
                rng,
                f"The word has ${len(word)}$ letters, and ${len(word)}! = {factorial(len(word))}$.",
                f"If all ${len(word)}$ letters were different there would be ${len(word)}! = {factorial(len(word))}$ "
                f"arrangements.",
            ),
            (
                say(
                    rng,
                    f"However, {letters}, so we divide.",
                    f"Equal letters can change places without being noticed: {letters}.",
                )
                if repeated
                else "All letters are different, so nothing is counted twice."
            ),
            (
                say(rng, f"The number is $\\frac{{{len(word)}!}}{{{below}}} = {total}$.")
                if repeated
                else say(rng, f"[[So|Hence]] there are ${total}$ arrangements.")
            ),
        ),
        str(total),
        say(
            rng,
            "First count as if all letters were different, then correct for equal ones.",
            "Permutations with repetition: factorial divided by factorials.",
        ),
        (
            f"The plain factorial ${factorial(len(word))}$ would be too large here, because swapping equal letters "
            f"changes nothing."
            if repeated
            else "I looked for a repeated letter, which would need a division, but there is none."
        ),
        f"Placing the letters group by group gives the same number, ${total}$, as a product of binomial coefficients.",
    )


def sharing(rng: random.Random) -> Problem:
    """Stars and bars, with or without a lower bound."""
    n, k, each = rng.randint(7, 25), rng.randint(3, 6), rng.random() < 0.5
    top, bottom = (n - 1, k - 1) if each else (n + k - 1, k - 1)
    thing, place = rng.choice(
        (
            ("sweets", "children"),
            ("coins", "pockets"),
            ("apples", "baskets"),
            ("letters", "mailboxes"),
            ("tasks", "machines"),
        )
    )
    return Problem(
        (n, k, each),
        say(
            rng,
            f"In how many ways can ${n}$ identical {thing} be distributed among ${k}$ {place}"
            + (" if [[each gets at least one|none may stay empty-handed]]?" if each else "?"),
            f"[[Count the|Find the number of]] {'positive' if each else 'nonnegative'} integer solutions of $x_1 + "
            f"\\dots + x_{{{k}}} = {n}$.",
        ),
        (
            say(
                rng,
                f"Write the {thing} as stars in a row and mark the borders with ${k - 1}$ bars.",
                f"Think of ${n}$ stars separated by ${k - 1}$ bars.",
            ),
            (
                say(rng, f"The bars go into different gaps between stars, and there are ${n - 1}$ gaps.")
                if each
                else say(rng, f"Stars and bars together fill ${top}$ places, and we choose the places of the bars.")
            ),
            say(
                rng,
                f"This gives $\\binom{{{top}}}{{{bottom}}} = {comb(top, bottom)}$.",
                f"The number is $\\binom{{{top}}}{{{bottom}}} = {comb(top, bottom)}$.",
            ),
        ),
        str(comb(top, bottom)),
        say(
            rng,
            "Identical objects, different places: this is stars and bars.",
            "I draw the objects as stars and the borders as bars.",
        ),
        f"The power ${k}^{{{n}}}$ would be right for different objects, but identical ones make it far too large.",
        (
            f"Giving one to each first leaves ${n - k}$ to share freely, and $\\binom{{{n - k} + "
            f"{k - 1}}}{{{k - 1}}}$ is the same number."
            if each
            else f"The recursion over the share of the first one, $\\sum_{{i=0}}^{{{n}}} \\binom{{i + "
            f"{k - 2}}}{{{k - 2}}}$, also gives ${comb(top, bottom)}$."
        ),
    )


FAMILIES = (
    Family("committee", "combinatorics", "Choosing committees", committee),
    Family("anagrams", "combinatorics", "Arranging letters", anagrams),
    Family("sharing", "combinatorics", "Stars and bars", sharing),
)
