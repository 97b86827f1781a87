"""How many of the formulas that real pages hold reach the text, by the way pages write them; and what it costs.

    python benchmarks/extraction_recall.py [DATA] [--engine careful|fast] [--json FILE] [--examples]

DATA (or $OCTO_TEST_DATA) is a folder with `webmath-sample.warc.gz` and `webmath-sample.formulas.jsonl.gz`. A formula is
recalled if it stands between dollars in the page's text, as often as the page has it, in the normal form of
`curation/extract/scoring/comparable.py` (spaces, redundant braces and synonyms apart); `exact` are those whose spelling
is the page's, spaces apart. Formulas that the page writes with macros of its own count in their expanded form too. Not
counted are macro definitions, formulas in menus (`nav`, tables of contents, sidebars, headers and footers), and those
that the page hides (a cache of renderings, the shuffled steps of an exercise). Where a page lists a formula once for
each of two renderings, one of them in the text is enough.
Time is CPU time, beside plain trafilatura and resiliparse on the same pages in the same run, turn by turn.
"""

import argparse
import gzip
import json
import os
import resource
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trafilatura
from fastwarc import ArchiveIterator, WarcRecordType
from lxml import html as lxml_html
from resiliparse.extract.html2text import extract_plain_text

from curation.extract.careful import extract_careful
from curation.extract.decode import to_utf8
from curation.extract.fast import extract_fast
from curation.extract.macros.definitions import strip_definitions
from curation.extract.macros.expand import Macros, read_macros
from curation.extract.outcome import Extraction
from curation.extract.scoring.comparable import comparable_tex, without_space
from curation.extract.scoring.shown import shown_formulas
from curation.extract.tex import tidy

ENGINES: dict[str, Callable[..., Extraction]] = {"careful": extract_careful, "fast": extract_fast}
PEERS = ("trafilatura", "resiliparse")
# Parts of a page that lead elsewhere; what stands in them stands, as a rule, in the text they lead to.
_MENUS = (
    "//nav | //header[not(ancestor::article or ancestor::main)] | //footer | //aside | //*[@role='navigation']"
    " | //*[contains(@class,'toc') or contains(@class,'sidebar') or contains(@class,'related')"
    " or contains(@class,'navbar') or contains(@class,'breadcrumb') or contains(@class,'ltx_page_navbar')]"
    " | //*[contains(translate(@style, ' ', ''), 'visibility:hidden')]"
    " | //*[contains(translate(@style, ' ', ''), 'display:none')]"
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
    """Formulas of one kind: all of them, those in the text, those of them that are spelled as on the page."""

    formulas: int = 0
    recalled: int = 0
    exact: int = 0
    examples: list[str] = field(default_factory=list)


def main() -> None:
    """Prints the two tables; writes the same numbers as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("OCTO_TEST_DATA"))
    parser.add_argument("--engine", choices=list(ENGINES), default="careful")
    parser.add_argument("--every", type=int, default=1, help="read one page in so many")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--examples", action="store_true", help="also print formulas that were missed")
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("no data folder given; name one or set OCTO_TEST_DATA")
    folder = Path(arguments.data)
    wanted = _wanted(folder / "webmath-sample.formulas.jsonl.gz")
    texts, costs = _extract_all(
        folder / "webmath-sample.warc.gz", ENGINES[arguments.engine], arguments.every, wanted.keys()
    )
    recalls = _measure(folder / "webmath-sample.warc.gz", wanted, texts)
    _print_recalls(recalls, arguments.examples)
    for group, cost in costs.items():
        print(f"\n{group} pages: " + "  ".join(f"{name} {value}" for name, value in cost.items()))
    print(f"\npeak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    if arguments.json:
        table = {kind: [r.formulas, r.recalled, r.exact] for kind, r in recalls.items()}
        arguments.json.write_text(json.dumps({"engine": arguments.engine, "recall": table, "cost": costs}, indent=1))


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


def _extract_all(
    warc: Path, extract: Callable[..., Extraction], every: int, with_formulas: Collection[str]
) -> tuple[dict[str, str], dict[str, dict[str, float | int]]]:
    texts: dict[str, str] = {}
    spent: dict[str, dict[str, list[float]]] = {group: defaultdict(list) for group in ("all", "math", "other")}
    for number, page in enumerate(read_pages(warc)):
        if number % every:
            continue
        for name in ("ours", *PEERS) if number // every % 2 else (*PEERS, "ours"):
            started = time.process_time()
            if name == "ours":
                texts[page.record_id] = extract(page.body, page.charset, page.content_type).text
            else:
                _peer(name, page)
            seconds = time.process_time() - started
            for group in ("all", "math" if page.record_id in with_formulas else "other"):
                spent[group][name].append(seconds)
    return texts, {group: _costs(times) for group, times in spent.items()}


def _costs(spent: dict[str, list[float]]) -> dict[str, float | int]:
    costs: dict[str, float | int] = {"pages": len(spent["ours"])}
    for name, seconds in spent.items():
        costs[f"{name}_pages_per_cpu_s"] = round(len(seconds) / sum(seconds), 1)
        costs[f"{name}_p99_ms"] = round(sorted(seconds)[int(0.99 * len(seconds))] * 1000, 1)
    for peer in PEERS:
        costs[f"cpu_per_{peer}"] = round(sum(spent["ours"]) / sum(spent[peer]), 3)
    return costs


def _peer(name: str, page: Page) -> None:
    text = page.body.decode("utf-8", "replace")
    if name == "trafilatura":
        trafilatura.extract(text, output_format="markdown", include_formatting=True, include_tables=True)
    else:
        extract_plain_text(text, main_content=True)


def _wanted(path: Path) -> dict[str, list[dict]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return {row["record_id"]: row["formulas"] for row in map(json.loads, lines)}


def _measure(warc: Path, wanted: dict[str, list[dict]], texts: dict[str, str]) -> dict[str, Recall]:
    recalls: dict[str, Recall] = defaultdict(Recall)
    for page in read_pages(warc):
        if page.record_id in wanted and page.record_id in texts:
            _count(recalls, page, wanted[page.record_id], texts[page.record_id])
    return dict(sorted(recalls.items(), key=lambda item: -item[1].formulas))


def _count(recalls: dict[str, Recall], page: Page, wanted: list[dict], text: str) -> None:
    shown = [formula.tex for formula in shown_formulas(text)]
    forms = {kind: Counter(map(comparable_tex, shown)) for kind in {formula["kind"] for formula in wanted}}
    spellings = set(map(without_space, shown))
    menus, macros = _in_menus(page), read_macros(page.body, [row["tex"] for row in wanted if row.get("macro")])
    for formula in wanted:
        tex, kind = tidy(strip_definitions(formula["tex"])[0]), formula["kind"]
        if formula.get("macro") or not tex:
            continue
        key = next((key for key in _keys(tex, macros) if forms[kind][key] > 0), None)
        if key is None and menus[(form := comparable_tex(tex))] > 0:
            menus[form] -= 1
            continue
        recalls[kind].formulas += 1
        recalls[kind].exact += key is not None and without_space(tex) in spellings
        recalls[kind].recalled += key is not None
        if key is None:
            recalls[kind].examples.append(f"{page.record_id} {tex[:100]!r}")
        else:
            forms[kind][key] -= 1


def _keys(tex: str, macros: Macros) -> Iterator[str]:
    yield comparable_tex(tex)
    yield comparable_tex(tidy(macros.expand(tex)))


def _in_menus(page: Page) -> Counter[str]:
    """The formulas in the menus of a page, in their normal form."""
    root = lxml_html.document_fromstring(to_utf8(page.body, page.charset)[0] or b"<p>")
    menus = b"".join(lxml_html.tostring(menu, with_tail=False) for menu in root.xpath(_MENUS))
    if not menus:
        return Counter()
    shown = menus.replace(b"<nav", b"<div").replace(b"<pre", b"<div")
    found = extract_careful(b"<html><body><article><p>Menus</p>" + shown + b"</article></body></html>")
    return Counter(comparable_tex(formula.tex) for formula in shown_formulas(found.text))


def _print_recalls(recalls: dict[str, Recall], examples: bool) -> None:
    print(f"{'kind':22} {'formulas':>8} {'recalled':>8} {'recall':>7} {'exact':>7} {'missed':>7}")
    for kind, recall in recalls.items():
        share, exact = recall.recalled / recall.formulas, recall.exact / recall.formulas
        missed = recall.formulas - recall.recalled
        print(f"{kind:22} {recall.formulas:8} {recall.recalled:8} {share:7.4f} {exact:7.4f} {missed:7}")
        for example in recall.examples[:12] if examples else ():
            print("    ", example)


if __name__ == "__main__":
    main()
