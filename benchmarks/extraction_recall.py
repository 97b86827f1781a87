"""How many of the formulas that real pages hold reach the text, by the way pages write them; and what it costs.

    python benchmarks/extraction_recall.py [DATA] [--json FILE]

DATA (or $OCTO_TEST_DATA) is a folder with `webmath-sample.warc.gz` and `webmath-sample.formulas.jsonl.gz`. A formula is
recalled if it stands between dollars in the page's text, as often as the page has it, compared without whitespace,
comments, `\\displaystyle`, `\\label` and equation wrappers. `outside` are those that were understood but stand in parts
of the page that were not chosen as its text; `missed` were not understood. Macro definitions are not counted.
Time is CPU time, beside resiliparse's own main-content text of the same pages in the same run, turn by turn.
"""

import argparse
import gzip
import json
import os
import re
import resource
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fastwarc import ArchiveIterator, WarcRecordType
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from curation.extract.decode import to_utf8
from curation.extract.fast import REVISION, extract_fast
from curation.extract.formulas import restore, take_delimited
from curation.extract.prepass import prepare
from curation.extract.tex import tidy
from curation.extract.tokens import Tokens

_SHOWN = re.compile(
    r"\$\$((?:[^$\\]|\\.|(?<=\{)\$[^$]*\$)+?)\$\$|(?<![\\$])\$((?:[^$\\\n]|\\.|(?<=\{)\$[^$\n]*\$)+?)\$", re.DOTALL
)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*\n")
_LOOKS = re.compile(
    r"\\(?:displaystyle|textstyle)(?![A-Za-z])|\\label\{[^{}]*\}|\\(?:begin|end)\{equation\*?\}|[\s\u00a0]"
)


@dataclass(slots=True)
class Page:
    """One response of the sample."""

    record_id: str
    body: bytes
    charset: str | None
    content_type: str | None


@dataclass(slots=True)
class Recall:
    """Formulas of one kind: all of them, those in the text, and those understood but outside the chosen text."""

    formulas: int = 0
    recalled: int = 0
    outside: int = 0
    examples: list[str] = field(default_factory=list)


def main() -> None:
    """Prints the two tables; writes the same numbers as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("OCTO_TEST_DATA"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--examples", action="store_true", help="also print formulas that were missed")
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("no data folder given; name one or set OCTO_TEST_DATA")
    folder = Path(arguments.data)
    texts, cost = _extract_all(folder / "webmath-sample.warc.gz")
    recalls = _measure(folder, texts)
    _print_recalls(recalls, arguments.examples)
    print("\n" + "  ".join(f"{name} {value}" for name, value in cost.items()))
    if arguments.json:
        table = {kind: [r.formulas, r.recalled, r.outside] for kind, r in recalls.items()}
        arguments.json.write_text(json.dumps({"revision": REVISION, "recall": table, "cost": cost}, indent=1))


def read_pages(warc: Path) -> Iterator[Page]:
    """The responses of a WARC file, content decoding undone."""
    with warc.open("rb") as stream:
        for record in ArchiveIterator(
            stream, record_types=WarcRecordType.response, parse_http=True, auto_decode="transfer"
        ):
            body = record.reader.read()
            if body.startswith(b"\x1f\x8b"):
                body = zlib.decompressobj(31).decompress(body)
            yield Page(record.record_id, body, record.http_charset, record.http_content_type)


def _extract_all(warc: Path) -> tuple[dict[str, str], dict[str, float | int]]:
    texts, fast_s, bare_s = {}, 0.0, 0.0
    for number, page in enumerate(read_pages(warc)):
        started = time.process_time()
        if number % 2:
            _bare(page)
            between = time.process_time()
            texts[page.record_id] = extract_fast(page.body, page.charset, page.content_type).text
            bare_s, fast_s = bare_s + between - started, fast_s + time.process_time() - between
        else:
            texts[page.record_id] = extract_fast(page.body, page.charset, page.content_type).text
            between = time.process_time()
            _bare(page)
            fast_s, bare_s = fast_s + between - started, bare_s + time.process_time() - between
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return texts, {
        "pages": len(texts),
        "fast_pages_per_cpu_s": round(len(texts) / fast_s),
        "bare_pages_per_cpu_s": round(len(texts) / bare_s),
        "ratio": round(fast_s / bare_s, 3),
        "peak_mb": peak_mb,
    }


def _bare(page: Page) -> None:
    extract_plain_text(page.body.decode("utf-8", "replace"), main_content=True)


def _measure(folder: Path, texts: dict[str, str]) -> dict[str, Recall]:
    with gzip.open(folder / "webmath-sample.formulas.jsonl.gz", "rt", encoding="utf-8") as lines:
        wanted = {row["record_id"]: row["formulas"] for row in map(json.loads, lines)}
    recalls: dict[str, Recall] = defaultdict(Recall)
    for page in read_pages(folder / "webmath-sample.warc.gz"):
        if page.record_id in wanted:
            _count(recalls, page, wanted[page.record_id], texts[page.record_id])
    return dict(sorted(recalls.items(), key=lambda item: -item[1].formulas))


def _count(recalls: dict[str, Recall], page: Page, wanted: list[dict], text: str) -> None:
    in_text = shown_formulas(text)
    missing, flat = [], comparable(text)
    for formula in wanted:
        if formula.get("macro") or not tidy(formula["tex"]):
            continue
        recall, key = recalls[formula["kind"]], comparable(formula["tex"])
        recall.formulas += 1
        if in_text[key] > 0 or ("$" in key and f"${key}$" in flat):
            in_text[key] -= 1
            recall.recalled += 1
        else:
            missing.append((recall, key, formula["tex"]))
    elsewhere = shown_formulas(_whole_text(page)) if missing else Counter()
    for recall, key, tex in missing:
        recall.outside += elsewhere[key] > 0
        if not elsewhere[key]:
            recall.examples.append(f"{page.record_id} {tex[:100]!r}")


def _whole_text(page: Page) -> str:
    """The page's text without any choice of main content, with its formulas."""
    html, _ = to_utf8(page.body, page.charset)
    tree, tokens = HTMLTree.parse_from_bytes(html), Tokens(html)
    prepare(tree, html, tokens)
    text = extract_plain_text(tree, main_content=False, hidden_elements=True)
    return restore(take_delimited(text, html, tokens), tokens)


def shown_formulas(text: str) -> Counter[str]:
    """The formulas between dollars in a text, in comparable form, with their numbers."""
    return Counter(comparable(shown[1] or shown[2]) for shown in _SHOWN.finditer(text))


def comparable(tex: str) -> str:
    """TeX without what is only layout, and without braces around all of it."""
    tex = _LOOKS.sub("", _COMMENT.sub("", tex)).replace("\u200b", "")
    while tex.startswith("{") and _closing(tex) == len(tex) - 1:
        tex = tex[1:-1]
    return tex


def _closing(tex: str) -> int:
    """Where the group that opens the text ends."""
    depth = 0
    for at, char in enumerate(tex):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return at
    return -1


def _print_recalls(recalls: dict[str, Recall], examples: bool) -> None:
    print(f"{'kind':22} {'formulas':>8} {'recalled':>8} {'recall':>7} {'outside':>8} {'missed':>7}")
    for kind, recall in recalls.items():
        missed = recall.formulas - recall.recalled - recall.outside
        share = recall.recalled / recall.formulas
        print(f"{kind:22} {recall.formulas:8} {recall.recalled:8} {share:7.4f} {recall.outside:8} {missed:7}")
        for example in recall.examples[:12] if examples else ():
            print("    ", example)


if __name__ == "__main__":
    main()
