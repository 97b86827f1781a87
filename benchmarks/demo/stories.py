"""Word problems: journeys, prices, mixtures, work and ages."""

import random
from fractions import Fraction

from demo.tex import number, plus
from demo.wording import Family, Problem, say

NAMES = (
    "Ada",
    "Ben",
    "Carla",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
    "Mara",
    "Nils",
    "Olga",
    "Pavel",
    "Rosa",
    "Sami",
    "Tara",
    "Yuki",
)


def journey(rng: random.Random) -> Problem:
    """Two travellers who start at both ends of a road and meet."""
    u, v, t = rng.randint(3, 24), rng.randint(3, 24), rng.randint(2, 9)
    v += u == v
    distance = (u + v) * t
    one, two = rng.sample(NAMES, 2)
    way = rng.choice(("cycles", "walks the trail", "rides"))
    return Problem(
        (u, v, t),
        say(
            rng,
            f"{one} and {two} start at the same time from two villages that are ${distance}$ km apart and move "
            f"towards each other, {one} at ${u}$ km/h and {two} at ${v}$ km/h. After how many hours do they meet?",
            f"Two boats are ${distance}$ km apart and approach each other at speeds of ${u}$ and ${v}$ km/h. When do "
            f"they meet?",
            f"{one} {way} at ${u}$ km/h, and {two} comes from the other end of the ${distance}$ km route at ${v}$ "
            f"km/h. How long does it take until they meet?",
        ),
        (
            say(
                rng,
                f"The gap closes at ${u} + {v} = {u + v}$ km/h.",
                f"Every hour they come ${u} + {v} = {u + v}$ km closer.",
            ),
            say(
                rng,
                f"The time is $\\frac{{{distance}}}{{{u + v}}} = {t}$ hours.",
                f"[[So|Therefore]] they need ${distance} : {u + v} = {t}$ hours.",
            ),
            f"By then one has covered ${u * t}$ km and the other ${v * t}$ km.",
        ),
        str(t),
        say(
            rng,
            "They move towards each other, so the speeds add up.",
            "I look at how fast the distance between them shrinks.",
        ),
        f"If they moved in the same direction I would subtract and get ${abs(u - v)}$ km/h, but here they approach.",
        f"The two parts add up to the whole: ${u * t} + {v * t} = {distance}$.",
    )


def discount(rng: random.Random) -> Problem:
    """A price after two percentage changes."""
    price = 20 * rng.randint(2, 60)
    down, up = rng.choice((5, 10, 15, 20, 25, 30, 40, 50)), rng.choice((5, 10, 15, 20, 25, 50))
    lower = Fraction(price * (100 - down), 100)
    final = lower * (100 + up) / 100
    thing = rng.choice(("coat", "bicycle", "lamp", "ticket", "desk", "camera", "guitar", "tent"))

    def money(value: Fraction) -> str:
        return f"{float(value):.2f}".rstrip("0").rstrip(".")

    return Problem(
        (price, down, up),
        say(
            rng,
            f"A {thing} costs ${price}$ euros. The price is lowered by ${down}\\%$ and later raised by ${up}\\%$. "
            f"What does it cost now?",
            f"The price of a {thing}, ${price}$ euros, first falls by ${down}\\%$ and then rises by ${up}\\%$. "
            f"[[Find|Compute]] the final price.",
        ),
        (
            say(
                rng,
                f"After the first change the price is ${price} \\cdot {(100 - down) / 100:g} = {money(lower)}$ euros.",
                f"Lowering by ${down}\\%$ leaves ${money(lower)}$ euros.",
            ),
            say(
                rng,
                f"After the second it is ${money(lower)} \\cdot {(100 + up) / 100:g} = {money(final)}$ euros.",
                f"Raising this by ${up}\\%$ gives ${money(final)}$ euros.",
            ),
            f"Compared with the start, the factor is ${(100 - down) / 100:g} \\cdot {(100 + up) / 100:g} = "
            f"{(100 - down) * (100 + up) / 10000:g}$.",
        ),
        money(final),
        say(
            rng,
            "Percentages refer to the current price, so the changes multiply.",
            "Each change is a factor; I multiply the factors.",
        ),
        f"Adding the percentages, ${-down} + {up} = {up - down}$, is the classic mistake: the second change starts "
        f"from a different price.",
        f"Changing the order of the two steps gives the same price, ${money(final)}$ euros, since the factors may be "
        f"swapped.",
    )


def mixing(rng: random.Random) -> Problem:
    """A mixture of two solutions to reach a given strength."""
    a, b = sorted(rng.sample(range(5, 96, 5), 2))
    target = rng.choice([t for t in range(a + 1, b) if t % 5 == 0] or [(a + b) // 2])
    total = (b - a) * rng.randint(1, 6)
    y = Fraction(total * (target - a), b - a)
    x = total - y
    thing = rng.choice(("salt solution", "vinegar", "syrup", "acid", "juice"))
    return Problem(
        (a, b, target, total),
        say(
            rng,
            f"How many litres of ${a}\\%$ and of ${b}\\%$ {thing} must be mixed to get ${total}$ litres of strength "
            f"${target}\\%$?",
            f"From {thing} of ${a}\\%$ and of ${b}\\%$ strength, ${total}$ litres with ${target}\\%$ are to be made. "
            f"[[Find|Determine]] the two amounts in litres.",
        ),
        (
            say(
                rng,
                f"Let $y$ be the litres of the stronger one; then ${total} - y$ litres are of the weaker one.",
                f"Call the amount of the stronger liquid $y$, so the weaker one makes up ${total} - y$.",
            ),
            f"Counting the dissolved part, ${a}({total} - y) + {b}y = {target} \\cdot {total}$.",
            say(
                rng,
                f"This simplifies to ${b - a}y = {(target - a) * total}$, so $y = {number(y)}$.",
                f"Hence ${b - a}y = {(target - a) * total}$ and $y = {number(y)}$.",
            ),
            f"The other amount is ${total} - {number(y)} = {number(x)}$ litres.",
        ),
        f"{number(x)} \\text{{ and }} {number(y)}",
        say(
            rng,
            "Two amounts, two conditions: the total volume and the total of what is dissolved.",
            f"The strength ${target}\\%$ lies between the two, so a mixture is possible.",
        ),
        f"Half and half would give ${number(Fraction(a + b, 2))}\\%$, "
        + (
            "and by luck this is just what is asked."
            if 2 * target == a + b
            else "which is not what is asked, so the amounts must differ."
        ),
        f"The distances from the target, ${target - a}$ and ${b - target}$, are in the same ratio as the amounts, "
        f"crosswise.",
    )


def work(rng: random.Random) -> Problem:
    """Two workers or pumps together."""
    a, b = sorted(rng.sample(range(2, 25), 2))
    together = Fraction(a * b, a + b)
    one, two = rng.sample(NAMES, 2)
    job = rng.choice(("paint the fence", "sort the archive", "mow the meadow", "clean the hall", "type the manuscript"))
    return Problem(
        (a, b),
        say(
            rng,
            f"{one} alone can {job} in ${a}$ hours, {two} alone in ${b}$ hours. How long do they need together?",
            f"One pump fills a tank in ${a}$ hours, another one in ${b}$ hours. [[Find|Compute]] the time in hours if "
            f"both run.",
            f"A machine finishes an order in ${a}$ hours and an older one in ${b}$ hours. In what time do both finish "
            f"it together?",
        ),
        (
            say(
                rng,
                f"In one hour they do $\\frac{{1}}{{{a}}} + \\frac{{1}}{{{b}}} = {number(1 / together)}$ of the work.",
                f"The rates add: $\\frac{{1}}{{{a}}} + \\frac{{1}}{{{b}}} = {number(1 / together)}$ per hour.",
            ),
            say(
                rng,
                f"The whole takes the reciprocal, ${number(together)}$ hours.",
                f"[[So|Hence]] the time is ${number(together)}$ hours.",
            ),
            f"That is about ${float(together):.2f}$ hours.",
        ),
        number(together),
        say(rng, "Times do not add up, but rates do.", "I ask what part of the work is done in one hour."),
        f"Taking the average of the times, ${number(Fraction(a + b, 2))}$, cannot be right: together they must be "
        f"faster than the faster one alone.",
        f"In ${number(together)}$ hours the first does ${number(together / a)}$ and the second "
        f"${number(together / b)}$ of the work, in total $1$.",
    )


def ages(rng: random.Random) -> Problem:
    """Two ages from a ratio now and a ratio later."""
    k, child, years = rng.randint(3, 7), rng.randint(4, 14), rng.randint(2, 20)
    parent = k * child
    total = parent + child + 2 * years
    one, two = rng.sample(NAMES, 2)
    return Problem(
        (k, child, years),
        say(
            rng,
            f"{one} is ${k}$ times as old as {two}. In ${years}$ years their ages will add up to ${total}$. How old "
            f"is {two} now?",
            f"Today {one}'s age is ${k}$ times {two}'s age, and in ${years}$ years the sum of both ages will be "
            f"${total}$. [[Find|Determine]] {two}'s present age.",
        ),
        (
            say(
                rng,
                f"If {two} is $x$ years old, {one} is ${k}x$.",
                f"Let $x$ be {two}'s age; then {one}'s age is ${k}x$.",
            ),
            say(
                rng,
                f"In ${years}$ years the sum is $(x + {years}) + ({k}x + {years}) = {total}$.",
                f"The condition reads $x + {k}x + 2 \\cdot {years} = {total}$.",
            ),
            say(
                rng,
                f"So ${k + 1}x = {total - 2 * years}$ and $x = {child}$.",
                f"This gives ${k + 1}x = {total - 2 * years}$, hence $x = {child}$.",
            ),
        ),
        str(child),
        say(
            rng,
            "One unknown is enough: express both ages by the younger one.",
            "Both people get older, so the years count twice.",
        ),
        f"Adding the ${years}$ years only once would give ${k + 1}x = {total - years}$, but both of them get older.",
        f"Now the ages are ${child}$ and ${parent}$; in ${years}$ years they are ${child + years}$ and "
        f"${parent + years}$, with sum ${total}$.",
    )


def profit(rng: random.Random) -> Problem:
    """The break-even point of a small business."""
    price, cost = rng.randint(6, 30), rng.randint(2, 5)
    gain = price - cost
    n = rng.randint(15, 150)
    fixed = gain * n
    thing = rng.choice(("mugs", "posters", "candles", "notebooks", "jars of jam", "shirts", "kites"))
    return Problem(
        (price, cost, n),
        say(
            rng,
            f"A small firm makes {thing}. The fixed costs are ${fixed}$ euros a month, each piece costs ${cost}$ "
            f"euros to make and sells for ${price}$ euros. How many must be sold so that income and costs are equal?",
            f"Selling {thing} at ${price}$ euros each, with ${cost}$ euros of material per piece and ${fixed}$ euros "
            f"of fixed costs, where is the break-even point?",
        ),
        (
            say(
                rng,
                f"Income is ${price}n$, costs are ${fixed} + {cost}n$.",
                f"With $n$ pieces the income is ${price}n$ and the costs are ${fixed} {plus(cost)}n$.",
            ),
            say(
                rng,
                f"They are equal if ${price}n - {cost}n = {fixed}$, that is, ${gain}n = {fixed}$.",
                f"Each piece contributes ${price} - {cost} = {gain}$ euros, so ${gain}n = {fixed}$.",
            ),
            say(rng, f"[[So|Hence]] $n = {n}$.", f"Dividing gives $n = {n}$."),
        ),
        str(n),
        say(
            rng,
            "Break-even means that the contributions of all pieces pay the fixed costs.",
            "Two linear functions meet at one point; I look for it.",
        ),
        f"Dividing the fixed costs by the price alone, ${fixed} : {price}$, would forget the cost of material.",
        f"For $n = {n}$ the income is ${price * n}$ and the costs are ${fixed} + {cost * n} = {price * n}$.",
    )


FAMILIES = (
    Family("journey", "word problems", "Meeting on the road", journey),
    Family("discount", "word problems", "Prices that fall and rise", discount),
    Family("mixing", "word problems", "Mixtures", mixing),
    Family("work", "word problems", "Working together", work),
    Family("ages", "word problems", "Ages", ages),
    Family("profit", "word problems", "Break-even points", profit),
)
