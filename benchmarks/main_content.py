"""How much of a page's main content is found, and how little else, by the kind of page; and what that costs.

    python benchmarks/main_content.py FOLDER... [--split dev] [--json FILE]

Each FOLDER is an unpacked copy of a public set of pages with the text that people marked as main content:

    web-content-extraction-benchmark     SPLIT/html/*.html.gz and SPLIT/ground-truth/*.json, with page types
    article-extraction-benchmark         html/*.html.gz and ground-truth.json
    magic-html                           benchmark/data/KIND/base.json and KIND/htmls/*.html

The score is the F1 of words, counted as a bag, upper and lower case alike; a CJK character is a word. Trafilatura in
its default mode, resiliparse's main content and ours get the same UTF-8 bytes, page by page in turn; times are CPU
times.
"""

import argparse
import gzip
import json
import logging
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import trafilatura
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from curation.extract.careful import extract_careful
from curation.extract.decode import to_utf8

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")


@dataclass(frozen=True, slots=True)
class Page:
    """A page, its kind, and the text that people marked in it."""

    kind: str
    html: bytes
    text: str


def main() -> None:
    """Prints the table; writes the same numbers as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--split", default="dev", help="the part of a set that has parts")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    scores, seconds = _measure(page for folder in arguments.folders for page in pages_in(folder, arguments.split))
    if not scores:
        parser.error("none of the folders holds a set of pages in one of the known layouts")
    table = {kind: {"pages": len(rows), **_means(rows)} for kind, rows in sorted(scores.items())}
    _print(table, seconds)
    if arguments.json:
        arguments.json.write_text(json.dumps({"f1": table, "cpu_seconds": seconds}, indent=2) + "\n")


def by_trafilatura(html: bytes) -> str:
    """Its text in its default mode."""
    return trafilatura.extract(html.decode("utf-8", "replace")) or ""


def by_resiliparse(html: bytes) -> str:
    """Its main content."""
    return extract_plain_text(HTMLTree.parse_from_bytes(html), main_content=True)


def by_us(html: bytes) -> str:
    """The careful extractor's Markdown, formulas and all."""
    return extract_careful(html, "utf-8").text


EXTRACTORS: dict[str, Callable[[bytes], str]] = {
    "trafilatura": by_trafilatura,
    "resiliparse": by_resiliparse,
    "ours": by_us,
}


def pages_in(folder: Path, split: str) -> Iterator[Page]:
    """The pages of one set, whichever of the layouts it has."""
    if (folder / split / "ground-truth").is_dir():
        yield from _typed_pages(folder / split)
    elif (folder / "ground-truth.json").is_file():
        yield from _article_pages(folder)
    for base in sorted(folder.glob("benchmark/data/*/base.json")):
        yield from _magic_pages(base)


def _typed_pages(folder: Path) -> Iterator[Page]:
    for truth in sorted((folder / "ground-truth").glob("*.json")):
        record = json.loads(truth.read_text())
        html = folder / "html" / f"{truth.stem}.html.gz"
        if isinstance(record.get("ground_truth"), dict) and html.exists():
            kind = ((record.get("_internal") or {}).get("page_type") or {}).get("primary", "article")
            text = record["ground_truth"].get("main_content") or ""
            yield Page("collection" if kind == "category" else kind, gzip.decompress(html.read_bytes()), text)


def _article_pages(folder: Path) -> Iterator[Page]:
    for name, record in json.loads((folder / "ground-truth.json").read_text()).items():
        html = (folder / "html" / f"{name}.html.gz").read_bytes()
        yield Page("article (scrapinghub)", gzip.decompress(html), record["articleBody"])


def _magic_pages(base: Path) -> Iterator[Page]:
    for name, record in json.loads(base.read_text()).items():
        html = base.parent / "htmls" / f"{name}.html"
        if html.exists():
            yield Page(f"{base.parent.name} (magic-html)", html.read_bytes(), record["content"])


def _measure(pages: Iterator[Page]) -> tuple[dict[str, list[dict[str, float]]], dict[str, float]]:
    scores: dict[str, list[dict[str, float]]] = defaultdict(list)
    seconds = dict.fromkeys(EXTRACTORS, 0.0)
    for page in pages:
        html, _ = to_utf8(page.html, None)
        row = {}
        for name, extract in EXTRACTORS.items():
            start = time.process_time()
            text = extract(html)
            seconds[name] += time.process_time() - start
            row[name] = word_f1(text, page.text)
        scores[page.kind].append(row)
        scores["~ all"].append(row)
    return scores, seconds


def word_f1(found: str, expected: str) -> float:
    """The F1 of the words of two texts."""
    found_words, expected_words = (Counter(_WORD.findall(text.lower())) for text in (found, expected))
    if not expected_words or not found_words:
        return float(expected_words == found_words)
    return 2 * (found_words & expected_words).total() / (found_words.total() + expected_words.total())


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(sum(row[name] for row in rows) / len(rows), 4) for name in EXTRACTORS}


def _print(table: dict[str, dict[str, float]], seconds: dict[str, float]) -> None:
    print(f"{'kind of page':24}{'pages':>7}" + "".join(f"{name:>13}" for name in EXTRACTORS) + f"{'gain':>9}")
    for kind, row in table.items():
        cells = "".join(f"{row[name]:13.4f}" for name in EXTRACTORS)
        print(f"{kind:24}{row['pages']:7}{cells}{row['ours'] - row['trafilatura']:+9.4f}")
    pages = table["~ all"]["pages"]
    print(f"{'pages per CPU second':31}" + "".join(f"{pages / seconds[name]:13.1f}" for name in EXTRACTORS))
    print(f"CPU time of ours: {seconds['ours'] / seconds['trafilatura']:.2f} x trafilatura")


if __name__ == "__main__":
    main()
