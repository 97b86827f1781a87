"""Real mathematical pages with reference formulas: `python benchmarks/roundtrip/real_pages.py CHECKOUT`.

CHECKOUT is an unpacked copy of ccprocessor/llm-webkit-mirror, whose `bench/data` holds pages and what its own extractor
should make of them: some 21 pages with 1,026 formulas. That reference was made with the extractor it tests, so it
favours it, and it takes in menus and comments where they hold formulas. Reads like the round-trip benchmark otherwise.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from curation.extract.scoring.shown import shown_formulas
from roundtrip.children import Child, own_child, peer_child
from roundtrip.equivalence import keys_of
from roundtrip.extractors import EXTRACTORS

_CUT_OFF = re.compile(r"(?<!\\)\\$")


@dataclass(frozen=True, slots=True)
class RealPage:
    """A page as it was published, and its formulas."""

    name: str
    body: bytes
    formulas: tuple[str, ...]


def main() -> None:
    """Prints the share of formulas recovered, page by page and for each extractor."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--extractors", nargs="*", choices=EXTRACTORS, default=list(EXTRACTORS))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON:CHECKOUT")
    parser.add_argument("--limit-s", type=float, default=40.0)
    parser.add_argument("--examples", action="store_true", help="also print what the first extractor lost")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    pages = list(real_pages(arguments.checkout))
    children = {name: own_child(name, arguments.limit_s) for name in arguments.extractors}
    for peer in arguments.peer:
        name, _, place = peer.partition("=")
        python, _, checkout = place.partition(":")
        children[name] = peer_child(name, python, checkout, arguments.limit_s)
    results = {name: recovered(child, pages) for name, child in children.items()}
    _print(pages, results, arguments.examples)
    if arguments.json:
        table = {name: {page: row[:3] for page, row in rows.items()} for name, rows in results.items()}
        arguments.json.write_text(json.dumps(table, indent=1))


def real_pages(checkout: Path) -> Iterator[RealPage]:
    """The pages of the checkout that have formulas."""
    folder = checkout / "bench" / "data"
    for truth in sorted((folder / "groundtruth").glob("*.jsonl")):
        row = json.loads(truth.read_text(encoding="utf-8").splitlines()[0])
        formulas = tuple(_CUT_OFF.sub("", tex.strip()) for tex in _formulas(row["content_list"]))
        page = folder / "origin" / f"{truth.stem}.html"
        if formulas and page.exists():
            yield RealPage(truth.stem, page.read_bytes(), formulas)


def recovered(child: Child, pages: list[RealPage]) -> dict[str, tuple[int, int, int, list[str]]]:
    """For each page: formulas wanted, recovered, spurious, and those that were lost."""
    answers = {page.name: child.extract(page.body) for page in pages}
    child.close()
    for name, answer in answers.items():
        if answer.error:
            print(f"{child.command[2]} failed on {name}: {answer.error.strip().splitlines()[-1]}")
    shown = {name: shown_formulas(answer.text or "") for name, answer in answers.items()}
    keys = keys_of(
        {tex for page in pages for tex in page.formulas} | {f.tex for found in shown.values() for f in found}
    )
    rows = {}
    for page in pages:
        wanted = Counter(keys[tex] for tex in page.formulas)
        found = Counter(keys[formula.tex] for formula in shown[page.name])
        lost = wanted - found
        missing = [tex for tex in page.formulas if lost[keys[tex]]]
        rows[page.name] = (wanted.total(), (wanted & found).total(), (found - wanted).total(), missing)
    return rows


def _formulas(node: object) -> Iterator[str]:
    """The formulas of a content list, in order, wherever they are nested."""
    if isinstance(node, list):
        for part in node:
            yield from _formulas(part)
    elif isinstance(node, dict) and "equation-inline" in (node.get("t"), node.get("type")):
        yield node["c"]
    elif isinstance(node, dict) and node.get("type") == "equation-interline":
        yield node["content"]["math_content"]
    elif isinstance(node, dict):
        for part in node.values():
            yield from _formulas(part)


def _print(pages: list[RealPage], results: dict, examples: bool) -> None:
    print(f"{'page':28}{'formulas':>9}" + "".join(f"{name[:14]:>16}" for name in results) + "   (recovered, spurious)")
    for page in pages:
        cells = "".join(f"{rows[page.name][1]:10}{rows[page.name][2]:6}" for rows in results.values())
        print(f"{page.name:28}{len(page.formulas):9}{cells}")
    for label, share in (("micro", _micro), ("macro", _macro)):
        print(f"{label:37}" + "".join(f"{share(rows):16.3f}" for rows in results.values()))
    for name, (_, _, _, missing) in next(iter(results.values())).items() if examples else ():
        print("\n".join(f"    {name}: {tex[:160]!r}" for tex in missing[:8]))


def _micro(rows: dict) -> float:
    return sum(row[1] for row in rows.values()) / sum(row[0] for row in rows.values())


def _macro(rows: dict) -> float:
    return sum(row[1] / row[0] for row in rows.values()) / len(rows)


if __name__ == "__main__":
    main()
