"""Plain English prose without mathematics: paragraphs written by hand, and texts put together from sentences."""

import random
import re
from pathlib import Path

from demo.wording import vary

FILLERS = {
    "town": (
        "Marbury",
        "Lindholm",
        "Castel Vero",
        "Ostrova",
        "Brackwater",
        "Sankt Ulfen",
        "Pontval",
        "Eastmere",
        "Torrevella",
        "Halden Bridge",
        "Novy Brod",
        "Whitcombe",
    ),
    "person": (
        "Ida Falk",
        "Tomas Reyes",
        "Mrs Okafor",
        "Anselm Roth",
        "Pia Lund",
        "old Mr Barton",
        "Leila Haddad",
        "Dr Moreau",
        "Stefan Novak",
        "Miss Abernathy",
    ),
    "month": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "food": (
        "plum cake",
        "smoked trout",
        "pea soup",
        "cheese pies",
        "roasted chestnuts",
        "rhubarb jam",
        "onion tart",
        "honey biscuits",
        "pickled herring",
        "apple dumplings",
    ),
    "bird": (
        "blackbird",
        "wren",
        "starling",
        "swallow",
        "goldfinch",
        "jay",
        "nightjar",
        "wagtail",
        "redstart",
        "lapwing",
    ),
}
FILLER = re.compile(r"\{(\w+)\}")
SHORTEST = 400


def paragraphs() -> list[str]:
    """The paragraphs that were written by hand."""
    text = Path(__file__).with_name("general.txt").read_text(encoding="utf-8").strip()
    return [part.strip() for part in text.split("\n\n")]


def genres() -> list[list[list[str]]]:
    """For each genre its slots, and for each slot the sentences to choose from."""
    text = Path(__file__).with_name("genres.txt").read_text(encoding="utf-8").strip().removeprefix("## ")
    bodies = [section.split("\n", 1)[1].strip() for section in text.split("\n## ")]
    return [[slot.strip().splitlines() for slot in body.split("\n\n")] for body in bodies]


def composed(rng: random.Random, slots: list[list[str]]) -> str:
    """One text of a genre; a town, a bird or a dish keeps its name throughout."""
    fixed = {name: rng.choice(choices) for name, choices in FILLERS.items()}

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        return rng.choice(FILLERS[name]) if name in ("month", "weekday", "person") else fixed[name]

    sentences = []
    for place, choices in enumerate(slots):
        count = 2 if place and len(choices) > 2 and rng.random() < 0.45 else 1
        sentences += rng.sample(choices, count)
    return FILLER.sub(fill, vary(rng, " ".join(sentences)))


def general(rng: random.Random, count: int) -> list[str]:
    """So many different texts of at least 400 characters, written and composed ones mixed."""
    texts = [text for text in paragraphs() if len(text) >= SHORTEST][:count]
    kinds = genres()
    while len(texts) < count:
        made = composed(rng, kinds[len(texts) % len(kinds)])
        if len(made) >= SHORTEST and made not in texts:
            texts.append(made)
    rng.shuffle(texts)
    return texts
