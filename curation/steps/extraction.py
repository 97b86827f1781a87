"""Extraction: HTML becomes Markdown with LaTeX formulas; what is text already passes through."""

from datatrove.data import Document

from curation.extract.fast import extract_fast
from curation.fates import FAILED, FateSink, Verdict
from curation.read.records import InputRecord
from curation.stage import Stage
from curation.staged import to_columns
from curation.steps.urls import host_of
from curation.words import count_formulas
from manifests.kinds.corpus import Extract


class ExtractText(Stage):
    """Gives each document its text and its formula counts; pages that yield none fail with the extractor's reason."""

    name = "extract"

    def __init__(self, sink: FateSink, options: Extract) -> None:
        super().__init__(sink)
        self.options = options

    def judge(self, document: Document) -> Verdict | None:
        """None where there is text enough."""
        record: InputRecord = document.metadata.pop("record")
        failure = _from_rows(document, record) if record.is_text else _from_html(document, record)
        if failure:
            return failure
        if len(document.text) < self.options.min_chars:
            return Verdict("too_short", f"{len(document.text)} characters are left", float(len(document.text)))
        return None


def _from_rows(document: Document, record: InputRecord) -> Verdict | None:
    document.text = record.body.decode("utf-8").strip()
    formulas = count_formulas(document.text)
    document.metadata |= {
        "source": host_of(record.url) if record.url else None,
        "num_formulas": formulas,
        "formula_kinds": {"text": formulas} if formulas else {},
        "columns": to_columns(record.metadata),
    }
    return None if document.text else Verdict("no_text", "the text is empty", decision=FAILED)


def _from_html(document: Document, record: InputRecord) -> Verdict | None:
    page = extract_fast(record.body, record.charset, record.content_type)
    if page.reason:
        return Verdict(page.reason, page.detail, decision=FAILED)
    document.text = page.text
    columns = {"title": page.title, "formulas_unconverted": page.formulas_unconverted} | record.metadata
    document.metadata |= {
        "source": host_of(record.url) if record.url else None,
        "num_formulas": page.formulas_kept,
        "formula_kinds": page.formula_kinds,
        "columns": to_columns(columns),
    }
    return None
