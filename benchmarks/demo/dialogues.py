"""The instruction rows: conversations about mathematics and small everyday tasks whose answers are calculated."""

import calendar
import json
import random
from datetime import date, timedelta
from fractions import Fraction
from math import lcm
from pathlib import Path

from demo.supply import Supply
from demo.tex import joined, number
from demo.wording import say

Turn = tuple[str, str]
THINGS = (
    "apple",
    "bridge",
    "candle",
    "dolphin",
    "engine",
    "forest",
    "guitar",
    "harbour",
    "island",
    "jacket",
    "kettle",
    "lemon",
    "mirror",
    "needle",
    "orange",
    "pencil",
    "quilt",
    "river",
    "saddle",
    "tunnel",
    "umbrella",
    "valley",
    "window",
    "yard",
    "zebra",
    "anchor",
    "basket",
    "cellar",
    "drawer",
    "feather",
)
PLACES = ("Lisbon", "Oslo", "Nairobi", "Quito", "Hanoi", "Tunis", "Riga", "Lima", "Perth", "Accra", "Dublin", "Osaka")
PEOPLE = ("Amina", "Bruno", "Chloe", "Deepa", "Erik", "Fatima", "Goran", "Hanna", "Ivo", "Julia", "Kenji", "Luz")
ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
PAST = (
    (
        "She writes a letter to her brother and walks to the post office.",
        "She wrote a letter to her brother and walked to the post office.",
    ),
    (
        "They drive to the sea, swim for an hour and eat ice cream.",
        "They drove to the sea, swam for an hour and ate ice cream.",
    ),
    ("He forgets his keys, so he waits for his neighbour.", "He forgot his keys, so he waited for his neighbour."),
    (
        "We take the early train because the tickets cost less.",
        "We took the early train because the tickets cost less.",
    ),
    ("The children build a raft and it sinks at once.", "The children built a raft and it sank at once."),
    ("I know the answer but I say nothing.", "I knew the answer but I said nothing."),
    (
        "The dog hears a noise, runs to the door and begins to bark.",
        "The dog heard a noise, ran to the door and began to bark.",
    ),
    ("It rains all day, and the river rises quickly.", "It rained all day, and the river rose quickly."),
    (
        "The teacher draws a circle and asks what everybody sees.",
        "The teacher drew a circle and asked what everybody saw.",
    ),
    (
        "Our guide speaks four languages and tells wonderful stories.",
        "Our guide spoke four languages and told wonderful stories.",
    ),
)
POLITE = (
    ("Send me the file.", "Could you please send me the file when you have a moment?"),
    ("You are late.", "I was expecting you a little earlier. Is everything all right?"),
    ("Turn the music down.", "Would you mind turning the music down a little?"),
    ("I don't like this plan.", "I see some difficulties with this plan and would like to discuss them."),
    ("Your text is too long.", "Your text has many good ideas. Could you make it somewhat shorter?"),
    ("Move your car.", "Could I ask you to move your car, please? I cannot get out."),
    ("Answer my question.", "I would be grateful for an answer to my question."),
    ("That is wrong.", "I am not sure that is right. Could we check it together?"),
)
PROGRAMS = (
    (
        "returns the sum of the squares of a list of numbers",
        "def sum_of_squares(values):\n    return sum(value * value for value in values)",
        "It adds up the squares one by one, and an empty list gives zero.",
    ),
    (
        "counts how often each word occurs in a text",
        "from collections import Counter\n\n\ndef word_counts(text):\n    return Counter(text.lower().split())",
        "Lower case makes sure that a word at the start of a sentence is counted with the others.",
    ),
    (
        "checks whether a number is prime",
        "def is_prime(n):\n    if n < 2:\n        return False\n    divisor = 2\n    while divisor * divisor <= n:\n  "
        "      if n % divisor == 0:\n            return False\n        divisor += 1\n    return True",
        "It is enough to test divisors up to the square root.",
    ),
    (
        "computes the greatest common divisor of two integers",
        "def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return abs(a)",
        "This is Euclid's algorithm.",
    ),
    (
        "removes duplicates from a list and keeps the order",
        "def unique(items):\n    seen = set()\n    kept = []\n    for item in items:\n        if item not in seen:\n  "
        "          seen.add(item)\n            kept.append(item)\n    return kept",
        "A set remembers what has been seen, so each test is fast.",
    ),
    (
        "reverses the words of a sentence",
        'def reverse_words(sentence):\n    return " ".join(reversed(sentence.split()))',
        "Splitting without an argument also removes extra spaces.",
    ),
    (
        "returns the n-th Fibonacci number",
        "def fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a",
        "Only the last two numbers are kept, so it needs little memory.",
    ),
    (
        "finds the longest word in a list",
        'def longest(words):\n    return max(words, key=len, default="")',
        "For an empty list it returns an empty string instead of failing.",
    ),
    (
        "tells whether a text is a palindrome",
        "def is_palindrome(text):\n    letters = [c for c in text.lower() if c.isalnum()]\n    return letters == "
        "letters[::-1]",
        "Spaces and punctuation are ignored.",
    ),
    (
        "transposes a matrix given as a list of rows",
        "def transpose(rows):\n    return [list(column) for column in zip(*rows)]",
        "The star passes the rows as separate arguments, and zip collects the columns.",
    ),
    (
        "computes the mean and the variance of a list",
        "def mean_and_variance(values):\n    mean = sum(values) / len(values)\n    variance = sum((value - mean) ** 2 "
        "for value in values) / len(values)\n    return mean, variance",
        "This is the population variance; an empty list raises an error.",
    ),
    (
        "merges two sorted lists into one sorted list",
        "def merge(left, right):\n    merged = []\n    i = j = 0\n    while i < len(left) and j < len(right):\n       "
        " if left[i] <= right[j]:\n            merged.append(left[i])\n            i += 1\n        else:\n            "
        "merged.append(right[j])\n            j += 1\n    return merged + left[i:] + right[j:]",
        "Each element is looked at once, so the work grows linearly.",
    ),
)


def mathematics(supply: Supply) -> Turn:
    """A mathematics question as people type it."""
    made, rng = supply.problem(supply.family()), supply.rng
    question = say(
        rng,
        f"Can you help me with this? {made.statement}",
        f"{made.statement} Please show the steps.",
        made.statement,
        f"I need to solve the following: {made.statement}",
        f"Please solve this and check the result. {made.statement}",
    )
    steps = " ".join(made.steps)
    answer = say(
        rng,
        f"Sure. {made.idea} {steps}",
        f"{steps} {made.check}",
        f"Here is one way. {steps}",
        f"{made.idea} {steps} To check: {made.check}",
    )
    return question, f"{answer} The answer is ${made.answer}$."


def mistake(supply: Supply) -> Turn:
    """A question about a typical mistake."""
    made = supply.problem(supply.family())
    question = say(
        supply.rng,
        f"What is a typical mistake in this problem? {made.statement}",
        f"Where should I be careful here? {made.statement}",
    )
    return question, f"{made.slip} Done properly it goes like this. {' '.join(made.steps)}"


def sorting(rng: random.Random) -> Turn:
    """Words in alphabetical order."""
    words = rng.sample(THINGS, rng.randint(4, 7))
    return say(
        rng,
        f"Sort these words alphabetically: {', '.join(words)}.",
        f"Put the following words in alphabetical order: {', '.join(words)}",
    ), f"{', '.join(sorted(words))}."


def vowels(rng: random.Random) -> Turn:
    """The vowels of a word."""
    word = rng.choice(THINGS)
    found = [c for c in word if c in "aeiou"]
    return (
        f'How many vowels are in the word "{word}"?',
        f'The word "{word}" has {len(found)} vowel{"s" if len(found) != 1 else ""}: {joined(found)}. It has '
        f"{len(word)} letters in total.",
    )


def units(rng: random.Random) -> Turn:
    """A conversion of units."""
    one, factor, two = rng.choice(
        (
            ("kilometre", 1000, "metres"),
            ("hour", 60, "minutes"),
            ("kilogram", 1000, "grams"),
            ("minute", 60, "seconds"),
            ("metre", 100, "centimetres"),
            ("week", 7, "days"),
            ("litre", 1000, "millilitres"),
        )
    )
    value = rng.randint(2, 48)
    return say(
        rng, f"Convert {value} {one}s to {two}.", f"How many {two} are {value} {one}s?"
    ), f"One {one} is {factor} {two}, so {value} {one}s are {value} times {factor}, that is, {value * factor} {two}."


def roman(rng: random.Random) -> Turn:
    """A Roman numeral."""
    value = rest = rng.randint(11, 299)
    text = ""
    for size, sign in ROMAN:
        text, rest = text + sign * (rest // size), rest % size
    return say(
        rng, f"Write {value} as a Roman numeral.", f"What is {value} in Roman numerals?"
    ), f"{value} is written {text}."


def weekday(rng: random.Random) -> Turn:
    """A weekday some days later."""
    start, days = date(2024, 1, 1) + timedelta(rng.randint(0, 6)), rng.randint(10, 150)
    one, two = calendar.day_name[start.weekday()], calendar.day_name[(start + timedelta(days)).weekday()]
    return (
        f"Today is {one}. Which day of the week is it in {days} days?",
        f"The weekdays repeat every 7 days, and {days} divided by 7 leaves the remainder {days % 7}. Going {days % 7} "
        f"steps on from {one} gives {two}.",
    )


def record(rng: random.Random) -> Turn:
    """A sentence as JSON."""
    name, place, age, hobby = (
        rng.choice(PEOPLE),
        rng.choice(PLACES),
        rng.randint(18, 80),
        rng.choice(("chess", "rowing", "pottery", "singing", "climbing")),
    )
    return (
        f"Turn this sentence into JSON with the keys name, age, city and hobby: {name} is {age} years old, lives in "
        f"{place} and enjoys {hobby}.",
        json.dumps({"name": name, "age": age, "city": place, "hobby": hobby}),
    )


def larger(rng: random.Random) -> Turn:
    """Two fractions compared."""
    a, b = Fraction(rng.randint(1, 11), rng.randint(5, 13)), Fraction(rng.randint(1, 11), rng.randint(5, 13))
    if a == b:
        a += 1
    common = lcm(a.denominator, b.denominator)
    big, small = max(a, b), min(a, b)
    return (
        f"Which is larger, ${number(a)}$ or ${number(b)}$?",
        f"With the common denominator ${common}$ they are $\\frac{{{a * common}}}{{{common}}}$ and "
        f"$\\frac{{{b * common}}}{{{common}}}$. So ${number(big)}$ is larger than ${number(small)}$.",
    )


def shopping(rng: random.Random) -> Turn:
    """A bill and the change."""
    items = rng.sample(
        (
            ("bread", 3),
            ("cheese", 6),
            ("apples", 4),
            ("coffee", 7),
            ("butter", 2),
            ("eggs", 3),
            ("honey", 5),
            ("tea", 4),
        ),
        3,
    )
    total = sum(price for _, price in items)
    return (
        f"I buy {joined([f'{name} for {price} euros' for name, price in items])} and pay with a 20 euro note. How "
        f"much change do I get?",
        f"The prices add up to {' + '.join(str(price) for _, price in items)} = {total} euros. From 20 euros that "
        f"leaves {20 - total} euros of change.",
    )


SMALL = (sorting, vowels, units, roman, weekday, record, larger, shopping)


def prepared() -> list[Turn]:
    """The conversations that were written out by hand."""
    text = Path(__file__).with_name("concepts.md").read_text(encoding="utf-8").strip().removeprefix("## ")
    concepts = [tuple(part.strip().split("\n", 1)) for part in text.split("\n## ")]
    turns = [(question, answer.strip()) for question, answer in concepts]
    turns += [(f"Rewrite in the past tense: {now}", then) for now, then in PAST]
    turns += [(f'Make this sentence more polite: "{blunt}"', kind) for blunt, kind in POLITE]
    turns += [
        (f"Write a Python function that {does}.", f"```python\n{code}\n```\n{why}") for does, code, why in PROGRAMS
    ]
    return turns


def dialogues(supply: Supply, count: int, prefix: str) -> list[dict[str, str]]:
    """Conversations of one turn or two, `User:` and `Assistant:`; all different."""
    rng, turns = supply.rng, prepared()
    turns += [mathematics(supply) for _ in range(count // 3)] + [mistake(supply) for _ in range(count // 12)]
    seen = {question for question, _ in turns}
    while len(turns) < count:
        turn = rng.choice(SMALL)(rng)
        if turn[0] not in seen:
            seen.add(turn[0])
            turns.append(turn)
    rng.shuffle(turns)
    return [
        {"id": f"{prefix}-{i:04d}", "text": f"User: {question}\nAssistant: {answer}"}
        for i, (question, answer) in enumerate(turns, 1)
    ]
