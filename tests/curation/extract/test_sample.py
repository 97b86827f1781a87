"""Real pages: transcoded ones read as their originals, broken ones fail with a reason, formulas reach the text."""

import gzip
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastwarc import ArchiveIterator, WarcRecordType

from curation.extract.careful import extract_careful
from curation.extract.fast import extract_fast
from curation.extract.macros.definitions import strip_definitions
from curation.extract.macros.expand import read_macros
from curation.extract.outcome import Extraction
from curation.extract.scoring.comparable import comparable_tex
from curation.extract.scoring.shown import shown_formulas
from curation.extract.tex import tidy

# One page in so many is read for the recall of formulas.
EVERY = 12
LEAST_RECALL = 0.95
# TeX that pages hide from their readers (a cache of rendered formulas), so that no text has it.
HIDDEN_KINDS = {"distill"}


@pytest.fixture(scope="module")
def manifest(shared_data: Path) -> dict[str, dict[str, Any]]:
    """What is known of each page, by record id."""
    return {row["record_id"]: row for row in read_rows(shared_data / "webmath-sample.manifest.jsonl.gz")}


@pytest.fixture(scope="module", params=[extract_fast, extract_careful], ids=["fast", "careful"])
def pages(
    request: pytest.FixtureRequest, shared_data: Path, manifest: dict[str, dict[str, Any]]
) -> dict[str, Extraction]:
    """The extractions of all pages that were made special, of their originals, and of one in `EVERY` of the others."""
    specials = [row for row in manifest.values() if row["variant"]]
    wanted = {row["record_id"] for row in specials} | set(list(manifest)[::EVERY])
    originals = {row["url"].split("?enc=")[0] for row in specials}
    return {
        record_id: request.param(body, charset, content_type)
        for record_id, body, charset, content_type in read_pages(shared_data / "webmath-sample.warc.gz")
        if record_id in wanted or manifest[record_id]["url"] in originals
    }


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def read_pages(path: Path) -> Iterator[tuple[str, bytes, str | None, str | None]]:
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, auto_decode="transfer"):
            body = record.reader.read()
            if body.startswith(b"\x1f\x8b"):
                body = zlib.decompressobj(31).decompress(body)
            yield record.record_id, body, record.http_charset, record.http_content_type


def test_transcoded_pages_read_as_their_originals(
    manifest: dict[str, dict[str, Any]], pages: dict[str, Extraction]
) -> None:
    """Thirteen legacy charsets, declared in the header, in the page, or in both."""
    by_url = {manifest[record_id]["url"]: page for record_id, page in pages.items()}
    transcoded = [url for url in by_url if "?enc=" in url]
    assert len(transcoded) == 36
    for url in transcoded:
        assert by_url[url].text == by_url[url.split("?enc=")[0]].text, url


def test_special_pages_fail_with_a_reason_or_give_text(
    manifest: dict[str, dict[str, Any]], pages: dict[str, Extraction]
) -> None:
    """Nothing raises; what is no page is refused, and what is only damaged is read."""
    reasons = defaultdict(set)
    for record_id, page in pages.items():
        assert (page.reason is None) == bool(page.text)
        assert (page.reason is None) == (page.detail is None)
        assert page.reason != "parse_error", page.detail
        reasons[manifest[record_id]["variant"]].add(page.reason)
    assert reasons["non-html"] == reasons["malformed:png-as-html"] == {"not_html"}
    assert reasons["malformed:empty-body"] == {"empty_body"}
    assert reasons["malformed:deep-nesting"] == {"too_deep"}
    damages = ("invalid-utf8", "nul-bytes", "broken-markup", "latin1-declared-utf8", "utf8-bom-and-utf16-body")
    assert all(reasons[f"malformed:{damage}"] == {None} for damage in damages)


def test_formulas_reach_the_text(shared_data: Path, pages: dict[str, Extraction]) -> None:
    """By every kind of markup, menus and sidebars included in the loss."""
    recalled: dict[str, list[bool]] = defaultdict(list)
    for row in read_rows(shared_data / "webmath-sample.formulas.jsonl.gz"):
        if row["record_id"] in pages:
            shown = {comparable_tex(formula.tex) for formula in shown_formulas(pages[row["record_id"]].text)}
            macros = read_macros("", [formula["tex"] for formula in row["formulas"] if formula.get("macro")])
            for formula in row["formulas"]:
                tex = tidy(strip_definitions(formula["tex"])[0])
                if tex and not formula.get("macro"):
                    forms = {comparable_tex(tex), comparable_tex(tidy(macros.expand(tex)))}
                    recalled[formula["kind"]].append(bool(forms & shown))
    assert len(recalled) > 8
    for kind in recalled.keys() - HIDDEN_KINDS:
        assert sum(recalled[kind]) >= LEAST_RECALL * len(recalled[kind]), kind
