"""Fresh problems: every set of numbers is handed out once in the whole demo data."""

import random
from collections import deque
from pathlib import Path

from demo import algebra, calculus, chance, counting, matrices, number_theory, samples, shapes, stories, sums
from demo.wording import Family, Problem

FAMILIES: dict[str, Family] = {
    family.name: family
    for module in (number_theory, algebra, sums, calculus, matrices, chance, counting, shapes, samples, stories)
    for family in module.FAMILIES
}
AREAS: dict[str, tuple[Family, ...]] = {
    area: tuple(f for f in FAMILIES.values() if f.area == area)
    for area in dict.fromkeys(f.area for f in FAMILIES.values())
}
ATTEMPTS = 10_000


def read_remarks(path: Path) -> dict[str, list[str]]:
    """The teaching paragraphs of each family, by its name."""
    sections = path.read_text(encoding="utf-8").strip().removeprefix("## ").split("\n## ")
    return {
        name: [part.strip() for part in body.strip().split("\n\n")]
        for name, body in (s.split("\n", 1) for s in sections)
    }


class Supply:
    """Hands out problems and remarks; the same seed gives the same sequence."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)
        self.used: dict[str, set[tuple[object, ...]]] = {name: set() for name in FAMILIES}
        self.statements: set[str] = set()
        self.remarks = {
            name: deque(texts) for name, texts in read_remarks(Path(__file__).with_name("remarks.md")).items()
        }
        self.families: deque[str] = deque()

    def family(self) -> Family:
        """The next family; all of them come once before one comes again."""
        if not self.families:
            names = list(FAMILIES)
            self.rng.shuffle(names)
            self.families.extend(names)
        return FAMILIES[self.families.popleft()]

    def problem(self, family: Family) -> Problem:
        """A problem of the family whose numbers were never used before."""
        for _ in range(ATTEMPTS):
            made = family.make(self.rng)
            if made.key not in self.used[family.name] and made.statement not in self.statements:
                self.used[family.name].add(made.key)
                self.statements.add(made.statement)
                return made
        raise RuntimeError(
            f"{family.name}: no unused numbers after {ATTEMPTS:,} attempts; ask for fewer problems of this family."
        )

    def remark(self, family: Family) -> str:
        """A teaching paragraph of the family, each in turn."""
        texts = self.remarks[family.name]
        texts.rotate(-1)
        return texts[-1]
