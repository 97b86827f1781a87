"""The two readings of a page as stages: what the fate says, and what the document carries on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.extract.outcome import Extraction
from curation.fates import FAILED, FateSink
from curation.read.records import InputRecord
from curation.sandbox import Sandbox
from curation.steps.extraction import ExtractCarefully, ExtractText
from curation.steps.inputs import record_document
from manifests.kinds.corpus import Extract

PAGE = (
    "<html><body><article><p>The square of a number, a page with words enough to be the main content: "
    "<math><msup><mi>x</mi><mn>2</mn></msup></math></p></article></body></html>"
)


def record(body: str, is_text: bool = False) -> InputRecord:
    return InputRecord(
        file="f", offset=0, length_bytes=len(body), kind="response", id="id", url="https://example.org/a",
        crawl_date=None, http_status=200, content_type=None, charset=None, body=body.encode(), is_text=is_text,
    )  # fmt: skip


def spin(body: bytes, charset: str | None, content_type: str | None) -> Extraction:
    while True:
        pass


@pytest.fixture
def careful() -> Iterator[ExtractCarefully]:
    step = ExtractCarefully(FateSink(Path()), Extract())
    yield step
    step.close()


def test_the_careful_reading_replaces_the_fast_one(careful: ExtractCarefully) -> None:
    document = record_document(record(PAGE))
    assert ExtractText(FateSink(Path()), Extract()).judge(document) is None
    assert document.metadata["formula_failures"] == {"mathml": 1}
    assert careful.judge(document) is None
    assert document.text.endswith("$x^2$")
    assert document.metadata["formula_failures"] == {}
    assert (document.metadata["num_formulas"], document.metadata["formulas_converted"]) == (1, 1)
    assert document.metadata["extractor"] == "trafilatura"


def test_cpu_time_of_the_child_counts_as_the_pages(careful: ExtractCarefully) -> None:
    document = record_document(record(PAGE))
    careful.judge(document)
    assert document.metadata["cpu_ms"] > 0
    assert careful.sink.child_cpu_s * 1000 == pytest.approx(document.metadata["cpu_ms"])


def test_a_page_that_reaches_the_limits_twice_fails_with_a_reason(careful: ExtractCarefully) -> None:
    careful._sandbox = Sandbox(spin, cpu_limit_s=1)
    verdict = careful.judge(record_document(record(PAGE)))
    assert verdict is not None
    assert (verdict.reason, verdict.decision) == ("extractor_killed", FAILED)
    assert verdict.detail is not None and "1 CPU seconds" in verdict.detail


def test_what_is_text_already_is_read_once(careful: ExtractCarefully) -> None:
    document = record_document(record("Let $x$ be one.", is_text=True))
    assert careful.judge(document) is None
    assert (document.text, document.metadata["num_formulas"]) == ("Let $x$ be one.", 1)


@pytest.mark.parametrize("body", ["", "plain words", "<html><body></body></html>"])
def test_pages_without_text_fail_by_either_reading_with_a_sentence(careful: ExtractCarefully, body: str) -> None:
    for step in (careful, ExtractText(FateSink(Path()), Extract())):
        verdict = step.judge(record_document(record(body)))
        assert verdict is not None
        assert verdict.decision == FAILED
        assert verdict.detail
