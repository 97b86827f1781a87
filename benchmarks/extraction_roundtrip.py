"""Known formulas in every markup of the web, and how many of them each extractor gives back.

    npm install --no-package-lock --prefix benchmarks/roundtrip     # once: KaTeX, MathJax 2, 3 and 4, Temml
    python benchmarks/extraction_roundtrip.py [DATA] [--split dev] [--documents N] [--extractors NAME …]
        [--peer NAME=PYTHON:CHECKOUT …] [--markups NAME …] [--examples] [--json OUT]

DATA (or $OCTO_TEST_DATA) is a folder with `benchmarks/olympiad_bench.test.jsonl.gz` and `math.test.jsonl.gz` beside it;
without it the documents are our own texts alone. A formula counts if it stands between delimiters in the text: exact
without white space, equivalent with the same KaTeX MathML but for spaces, sizes, upright and italic. Weights are one a
formula and markup, and say nothing of how often the web uses a markup.
"""

import argparse
import json
import os
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from roundtrip.children import Child, own_child, peer_child
from roundtrip.documents import Document, own_documents, problem_documents
from roundtrip.equivalence import keys_of
from roundtrip.extractors import EXTRACTORS
from roundtrip.formula import GROUPS
from roundtrip.markups import available_markups
from roundtrip.measure import Counts, measure
from roundtrip.pages import KnownPage, known_pages
from roundtrip.tables import print_examples, print_groups, print_markups, print_totals

from curation.extract.scoring.shown import shown_formulas


def main() -> None:
    """Builds the pages, runs every extractor over them and prints the tables."""
    arguments = _arguments()
    children = _children(arguments)
    markups, absent = available_markups()
    for name, advice in absent.items():
        print(f"left out: {name} ({advice})")
    chosen = [markup for name, markup in markups.items() if not arguments.markups or name in arguments.markups]
    pages, refused = known_pages(_documents(arguments), chosen)
    print("pages left out because a renderer refused a formula:", {k: v for k, v in refused.items() if v} or "none")
    results, lost = {}, {}
    for name, child in children.items():
        results[name], lost[name] = run(name, child, pages)
    _print(results, lost, arguments.examples)
    if arguments.json:
        table = {name: {key: asdict(counts) for key, counts in rows.items()} for name, rows in results.items()}
        arguments.json.write_text(
            json.dumps({"split": arguments.split, "pages": len(pages), "counts": table}, indent=1)
        )


def run(name: str, child: Child, pages: list[KnownPage]) -> tuple[dict[str, Counts], dict[str, list[str]]]:
    """The numbers of one extractor by markup, and what it lost of each."""
    answers = [child.extract(page.html.encode()) for page in pages]
    child.close()
    wanted = {formula.tex for page in pages for formula in page.formulas}
    found = {shown.tex for answer in answers for shown in shown_formulas(answer.text or "")}
    keys = keys_of(wanted | found)
    counts: dict[str, Counts] = defaultdict(Counts)
    lost: dict[str, list[str]] = defaultdict(list)
    for page, answer in zip(pages, answers, strict=True):
        one, missing = measure(page, answer.text, answer.cpu_s, keys.__getitem__)
        counts[page.markup].add(one)
        lost[page.markup] += [f"{page.name}: {tex}" for tex in missing] if not answer.error else [answer.error]
    return dict(counts), dict(lost)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("OCTO_TEST_DATA"))
    parser.add_argument("--split", choices=("dev", "test", "all"), default="dev")
    parser.add_argument("--documents", type=int, default=24, help="problems taken from DATA before the split")
    parser.add_argument("--markups", nargs="+", default=())
    parser.add_argument("--extractors", nargs="*", choices=EXTRACTORS, default=list(EXTRACTORS))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON:CHECKOUT")
    parser.add_argument("--limit-s", type=float, default=20.0, help="wall time for a page before it counts as failed")
    parser.add_argument("--examples", action="store_true", help="also print formulas that were lost")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _documents(arguments: argparse.Namespace) -> list[Document]:
    documents = own_documents()
    if arguments.data:
        documents += problem_documents(Path(arguments.data) / "benchmarks", arguments.documents)
    return [document for document in documents if arguments.split in ("all", document.split)]


def _children(arguments: argparse.Namespace) -> dict[str, Child]:
    children = {name: own_child(name, arguments.limit_s) for name in arguments.extractors}
    for peer in arguments.peer:
        name, _, place = peer.partition("=")
        python, _, checkout = place.partition(":")
        children[name] = peer_child(name, python, checkout, arguments.limit_s)
    return children


def _print(results: dict[str, dict[str, Counts]], lost: dict[str, dict[str, list[str]]], examples: bool) -> None:
    groups = {name: markup.group for name, markup in available_markups()[0].items()}
    print_totals(results)
    print_groups(results, groups, GROUPS)
    print_markups(results, groups)
    if examples:
        print_examples(results, lost)


if __name__ == "__main__":
    main()
