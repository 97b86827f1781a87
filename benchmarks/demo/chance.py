"""Problems about probability."""

import random
from fractions import Fraction
from math import comb

from demo.tex import number
from demo.wording import Family, Problem, say, vary

COLOURS = ("red", "blue", "green", "white", "yellow", "black")


def balls(rng: random.Random) -> Problem:
    """Two balls without replacement, same or different colour."""
    one, two = rng.sample(COLOURS, 2)
    a, b = rng.randint(3, 14), rng.randint(2, 12)
    n, same = a + b, rng.random() < 0.5
    ways = comb(a, 2) + comb(b, 2) if same else a * b
    p = Fraction(ways, comb(n, 2))
    what = "the same colour" if same else "different colours"
    return Problem(
        (one, two, a, b, same),
        say(
            rng,
            f"A bag [[holds|contains]] ${a}$ {one} and ${b}$ {two} balls. Two are drawn without replacement. "
            f"[[Find|Compute]] the probability that they have {what}.",
            f"From ${a}$ {one} and ${b}$ {two} marbles two are taken at random at the same time. How likely is it "
            f"that they have {what}?",
            f"A drawer has ${a}$ {one} and ${b}$ {two} socks, and you pull out two in the dark. With what probability "
            f"do they have {what}?",
        ),
        (
            say(
                rng,
                f"There are $\\binom{{{n}}}{{2}} = {comb(n, 2)}$ equally likely pairs.",
                f"Two out of ${n}$ can be chosen in $\\binom{{{n}}}{{2}} = {comb(n, 2)}$ ways.",
            ),
            (
                say(
                    rng,
                    f"[[Favourable are|The good ones are]] $\\binom{{{a}}}{{2}} + \\binom{{{b}}}{{2}} = {comb(a, 2)} "
                    f"+ {comb(b, 2)} = {ways}$ of them.",
                )
                if same
                else say(
                    rng,
                    f"Pairs with one of each colour: ${a} \\cdot {b} = {ways}$.",
                    f"For different colours there are ${a} \\cdot {b} = {ways}$ choices.",
                )
            ),
            say(
                rng,
                f"The probability is $\\frac{{{ways}}}{{{comb(n, 2)}}}"
                + (f" = {number(p)}$." if p.denominator != comb(n, 2) else "$."),
            ),
        ),
        number(p),
        say(
            rng,
            "All pairs are equally likely, so I count pairs.",
            "I could multiply fractions along a tree, but counting unordered pairs is cleaner.",
        ),
        f"With replacement the denominator would be ${n}^2 = {n * n}$, but the first ball does not go back.",
        f"By the tree, $\\frac{{{a}}}{{{n}}} \\cdot \\frac{{{a - 1 if same else b}}}{{{n - 1}}} + "
        f"\\frac{{{b}}}{{{n}}} \\cdot \\frac{{{b - 1 if same else a}}}{{{n - 1}}} = {number(p)}$.",
    )


def dice(rng: random.Random) -> Problem:
    """The sum of two dice with equal or different numbers of faces."""
    faces, others = sorted(rng.choices((4, 6, 8, 10, 12, 20), k=2))
    total = rng.randint(4, faces + others - 1)
    least = rng.random() < 0.5
    pairs = [
        (i, j)
        for i in range(1, faces + 1)
        for j in range(1, others + 1)
        if (i + j >= total if least else i + j == total)
    ]
    p, size = Fraction(len(pairs), faces * others), faces * others
    kind = (
        f"Two fair {faces}-sided dice are"
        if faces == others
        else f"A fair {faces}-sided die and a fair {others}-sided die are"
    )
    event = f"at least ${total}$" if least else f"exactly ${total}$"
    columns = [sum(1 for i, _ in pairs if i == k) for k in range(1, faces + 1)]
    return Problem(
        (faces, others, total, least),
        say(
            rng,
            f"{kind} rolled. [[What is|How large is]] the probability that the sum is {event}?",
            f"{kind} thrown together. [[Find|Compute]] the probability of a sum of {event}.",
        ),
        (
            say(
                rng,
                f"There are ${faces} \\cdot {others} = {size}$ equally likely outcomes.",
                f"The sample space has ${size}$ outcomes, all equally likely.",
            ),
            (
                say(
                    rng,
                    f"Going through the results $1$ to ${faces}$ of the first die, there are "
                    f"${' + '.join(map(str, columns))} = {len(pairs)}$ good outcomes.",
                    f"For each result of the first die we count the suitable results of the second: "
                    f"${' + '.join(map(str, columns))} = {len(pairs)}$.",
                )
            ),
            say(
                rng,
                f"[[So|Hence]] the probability is $\\frac{{{len(pairs)}}}{{{size}}}"
                + (f" = {number(p)}$." if p.denominator != size else "$."),
            ),
        ),
        number(p),
        say(
            rng,
            "I list the outcomes by the first die.",
            "Sums are not equally likely, but pairs are, so pairs are what I count.",
        ),
        f"There are ${faces + others - 1}$ possible sums, yet they are not equally likely, so "
        f"$\\frac{{1}}{{{faces + others - 1}}}$ is not the right starting point.",
        f"As a decimal this is about ${float(p):.3f}$, and the remaining ${size - len(pairs)}$ outcomes make up the "
        f"rest, about ${1 - float(p):.3f}$.",
    )


def bayes(rng: random.Random) -> Problem:
    """The probability of a cause, from a two by two table."""
    base, hit, false = (
        rng.choice((1, 2, 3, 4, 5, 8, 10, 15, 20)),
        rng.choice((70, 75, 80, 85, 90, 95, 96, 98, 99)),
        rng.choice((1, 2, 3, 4, 5, 6, 8, 10, 12)),
    )
    sick, well = base * 100, (100 - base) * 100
    true_positive, false_positive = sick * hit // 100, well * false // 100
    p = Fraction(true_positive, true_positive + false_positive)
    story, has, test = rng.choice(
        (
            ("A disease affects", "has the disease", "a test"),
            ("A factory fault occurs in", "is faulty", "an alarm"),
            ("Unwanted messages make up", "is unwanted", "a filter"),
        )
    )
    it = "this person" if has == "has the disease" else "it"
    who = {"has the disease": "a person", "is faulty": "a part", "is unwanted": "a message"}[has]
    many = {"has the disease": "people", "is faulty": "parts", "is unwanted": "messages"}[has]
    return Problem(
        (base, hit, false, has),
        vary(
            rng,
            f"{story} ${base}\\%$ of all {many}. {test[0].upper()}{test[1:]} [[reports|flags]] ${hit}\\%$ of these "
            f"cases correctly, but also [[reports|flags]] ${false}\\%$ of the other {many}. If {who} is "
            f"[[reported|flagged]], what is the probability that {it} really {has}?",
        ),
        (
            say(rng, f"[[Imagine|Take]] $10000$ {many}: ${sick}$ belong to the first group and ${well}$ do not."),
            say(
                rng,
                f"Of the ${sick}$, ${hit}\\%$ are reported, which makes ${true_positive}$; of the ${well}$, "
                f"${false}\\%$ are reported, which makes ${false_positive}$.",
                f"Correct reports: ${true_positive}$. False reports: ${false_positive}$.",
            ),
            say(
                rng,
                f"So among ${true_positive + false_positive}$ reports ${true_positive}$ are right, a share of "
                f"${number(p)}$.",
                f"The probability is $\\frac{{{true_positive}}}{{{true_positive} + {false_positive}}} = {number(p)}$.",
            ),
        ),
        number(p),
        say(
            rng,
            "Natural frequencies make this easy: imagine ten thousand cases.",
            "This asks for the reverse of the given conditional probability, so Bayes' rule is needed.",
        ),
        f"The answer is not ${hit}\\%$: that is the probability of a report given the condition, not the other way "
        f"round.",
        f"As a decimal this is about ${float(p):.3f}$, compared with a base rate of ${base / 100:.2f}$, so a report "
        f"makes the condition more likely, as it should.",
    )


def game(rng: random.Random) -> Problem:
    """The expected gain of a small game of chance."""
    n = rng.choice((12, 14, 15, 16, 18, 20, 24))
    k, m = rng.randint(1, 2), rng.randint(2, 4)
    win, small, stake = rng.randint(10, 40), rng.randint(2, 9), rng.randint(1, 6)
    mean = Fraction(k * win + m * small, n) - stake
    return Problem(
        (n, k, m, win, small, stake),
        say(
            rng,
            f"A wheel has ${n}$ equal fields. A turn costs ${stake}$ coins; ${k}$ "
            f"field{'s pay' if k > 1 else ' pays'} ${win}$ coins, ${m}$ fields pay ${small}$ coins and the others "
            f"nothing. What is the expected gain per turn?",
            f"In a game you pay ${stake}$ coins and turn a wheel with ${n}$ equal parts, of which ${k}$ "
            f"{'are' if k > 1 else 'is'} worth ${win}$ coins and ${m}$ are worth ${small}$ coins each. "
            f"[[Find|Compute]] the expected gain.",
        ),
        (
            say(
                rng,
                f"The expected payment is ${win} \\cdot \\frac{{{k}}}{{{n}}} + {small} \\cdot \\frac{{{m}}}{{{n}}} = "
                f"{number(Fraction(k * win + m * small, n))}$.",
                f"On average a turn pays $\\frac{{{k} \\cdot {win} + {m} \\cdot {small}}}{{{n}}} = "
                f"{number(Fraction(k * win + m * small, n))}$ coins.",
            ),
            say(
                rng,
                f"Subtracting the stake gives ${number(Fraction(k * win + m * small, n))} - {stake} = {number(mean)}$.",
                f"After the stake of ${stake}$ what remains is ${number(mean)}$.",
            ),
            "So "
            + (
                "the player wins in the long run."
                if mean > 0
                else "the player loses in the long run."
                if mean < 0
                else "the game is fair."
            ),
        ),
        number(mean),
        say(
            rng,
            "Expected value: each payment times its probability, minus the stake.",
            "I imagine that every field comes up exactly once.",
        ),
        "The most likely single result is to get nothing, but the expectation weighs all results, also the rare large "
        "one.",
        f"In ${n}$ turns with every field once, the payments are ${k * win + m * small}$ and the stakes "
        f"${n * stake}$, a difference of ${k * win + m * small - n * stake}$, which is ${n}$ times ${number(mean)}$.",
    )


FAMILIES = (
    Family("balls", "probability", "Drawing without replacement", balls),
    Family("dice", "probability", "Sums of two dice", dice),
    Family("bayes", "probability", "Tests and Bayes' rule", bayes),
    Family("game", "probability", "Expected gain", game),
)
