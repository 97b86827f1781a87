"""The scorecard's cases, one page in every markup: `python benchmarks/roundtrip/cases.py [--check]`.

Needs what the round-trip benchmark needs. Writes `curation/extract/scoring/scorecard_cases.jsonl.gz`; `--check`
compares it with a fresh build. The outlines of glyphs in SVG are cut short.
"""

import argparse
import gzip
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from roundtrip.documents import Document, own_documents, parse
from roundtrip.formula import Markup
from roundtrip.markups import available_markups, write_all
from roundtrip.pages import known_page

FOLDER = Path(__file__).parent
CASES = FOLDER.parents[1] / "curation" / "extract" / "scoring" / "scorecard_cases.jsonl.gz"
_OUTLINE = re.compile(r'(<path [^<>]*? d="[^"]{12})[^"]*')  # three quarters of all bytes
_ASCII_TEXT = "own:Quadratic equations in AsciiMath"


def main() -> None:
    """Writes the cases, or says how a fresh build differs from those that are there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    markups, absent = available_markups()
    if absent:
        raise SystemExit(f"these markups cannot be made here: {', '.join(absent)}")
    lines = [case(markup) for markup in markups.values()]
    if not arguments.check:
        CASES.write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))
        print(f"{CASES.name}: {len(lines)} pages, {CASES.stat().st_size:,} bytes")
    elif gzip.decompress(CASES.read_bytes()).decode() != "".join(lines):
        raise SystemExit(f"{CASES} is not what a fresh build gives; run this without --check")
    else:
        print(f"{CASES.name} is what a fresh build gives")


def case(markup: Markup) -> str:
    """One line: the page in this markup and its formulas. Paragraphs that its renderer refuses are left out."""
    document = _ascii_document() if markup.group == "S" else parse("cases", _text())
    written = write_all([markup], [[formula] for formula in document.formulas])
    refused = {number for number in range(len(document.formulas)) if written[markup.name, number] is None}
    if refused:
        document = parse("cases", _without(document, refused))
    pieces = write_all([markup], [list(document.formulas)])[markup.name, 0]
    assert pieces
    page = known_page(document, markup, pieces, "article")
    formulas = [[formula.tex, formula.display] for formula in document.formulas]
    html = _OUTLINE.sub(r"\1", page.html)
    row = {"encoding": markup.name, "group": markup.group, "html": html, "formulas": formulas}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _text() -> str:
    return (FOLDER / "cases.md").read_text(encoding="utf-8").removeprefix("# ")


def _ascii_document() -> Document:
    return next(document for document in own_documents() if document.name == _ASCII_TEXT)


def _without(document: Document, refused: set[int]) -> str:
    """The text without the paragraphs that hold one of these formulas."""
    kept, number = [], 0
    for paragraph in _text().split("\n\n"):
        here = len(parse("paragraph", f"-\n{paragraph}").formulas)
        if not refused & set(range(number, number + here)):
            kept.append(paragraph)
        number += here
    return "\n\n".join(kept)


if __name__ == "__main__":
    main()
