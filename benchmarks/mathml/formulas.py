"""The formulas that the MathML benchmark renders: distinct ones from problem sets, web pages and LaTeX sources."""

import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DELIMITED = re.compile(
    r"(?<!\\)\$\$((?:[^$\\]|\\.)+?)\$\$|(?<!\\)\$((?:[^$\\]|\\.)+?)\$|\\\[(.+?)\\\]|\\\((.+?)\\\)", re.DOTALL
)
_FIGURE = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
_LABEL = re.compile(r"\\label\{[^{}]*\}")
_PROBLEMS = (
    ("math.train.jsonl.gz", 400),
    ("math.test.jsonl.gz", 400),
    ("olympiad_bench.test.jsonl.gz", 500),
    ("minerva_math.test.jsonl", 300),
    ("theoremqa.test.jsonl", 200),
    ("college_math.test.jsonl.gz", 200),
    ("aime_1983_2023.train.jsonl.gz", 300),
)
_WEB = {  # by the way the page writes its formulas
    "mathml-alttext": 800,
    "sphinx-mathjax": 500,
    "pretext-mathjax": 400,
    "raw-delimited": 300,
    "img-alt": 300,
    "pandoc-mathjax": 300,
    "katex-annotation": 300,
}
_OTHER_WEB, _PLANETMATH = 150, 600
_LONGEST = 800  # characters
_SEED = 7


@dataclass(frozen=True, slots=True)
class Source:
    """A formula as its author wrote it."""

    tex: str
    display: bool


def formulas(data: Path) -> list[Source]:
    """A fixed mixture of distinct formulas in a fixed random order; two thirds of the shortest are left out."""
    rng, seen, chosen = random.Random(_SEED), set[str](), list[Source]()
    for pool, quota in _pools(data):
        candidates = sorted(pool)
        rng.shuffle(candidates)
        taken = 0
        for tex, display in candidates:
            key = re.sub(r"\s", "", tex)
            if taken == quota or key in seen or len(tex) > _LONGEST or (len(key) < 3 and rng.random() < 0.7):
                continue
            seen.add(key)
            chosen.append(Source(tex, display))
            taken += 1
    rng.shuffle(chosen)
    return chosen


def _pools(data: Path) -> Iterator[tuple[set[tuple[str, bool]], int]]:
    for name, quota in _PROBLEMS:
        yield {found for row in _rows(data / "benchmarks" / name) for found in _delimited(_text(row))}, quota
    web: dict[str, set[tuple[str, bool]]] = {}
    for row in _rows(data / "webmath-sample.formulas.jsonl.gz"):
        for formula in row["formulas"]:
            if not formula.get("macro"):
                web.setdefault(formula["kind"], set()).add((formula["tex"].strip(), formula["display"]))
    yield from ((web[kind], _WEB.get(kind, _OTHER_WEB)) for kind in sorted(web))
    pages = _rows(data / "planetmath-sources.jsonl.gz")
    yield {found for row in pages for found in _delimited(row["tex"])}, _PLANETMATH


def _rows(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        yield from map(json.loads, lines)


def _text(row: dict) -> str:
    values = (value if isinstance(value, list) else [value] for value in row.values())
    return "\n\n".join(str(part) for value in values for part in value)


def _delimited(text: str) -> Iterator[tuple[str, bool]]:
    for found in _DELIMITED.finditer(_FIGURE.sub("", text)):
        tex = _LABEL.sub("", next(group for group in found.groups() if group is not None).strip())
        if tex and "\n\n" not in tex and "%" not in tex:
            yield tex, found[1] is not None or found[3] is not None
