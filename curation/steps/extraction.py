"""Extraction: HTML becomes Markdown with LaTeX formulas; what is text already passes through.

With the engine `careful` a page is read twice, as MegaMath did: fast, for the language and the first classification,
and then, if it is still there, carefully. Where nothing is asked between the two, the fast reading is left out.
"""

from datatrove.data import Document

from curation.extract.careful import extract_careful
from curation.extract.fast import extract_fast
from curation.extract.outcome import Extraction
from curation.fates import FAILED, FateSink, Verdict
from curation.read.records import InputRecord
from curation.sandbox import Sandbox
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
        record: InputRecord = document.metadata["record"]
        if record.is_text:
            return _read_row(document, record) or _too_short(document, self.options)
        page = extract_fast(record.body, record.charset, record.content_type)
        return _take(document, record, page) or _too_short(document, self.options)


class ExtractCarefully(Stage):
    """Gives each page the text of the careful extractor, which runs in a child process with limits of its own."""

    name = "careful"

    def __init__(self, sink: FateSink, options: Extract) -> None:
        super().__init__(sink)
        self.options = options
        self._sandbox = Sandbox(extract_careful)

    def judge(self, document: Document) -> Verdict | None:
        """None where there is text enough. Rows that are text already are as they were."""
        record: InputRecord = document.metadata["record"]
        if record.is_text:
            return None if document.text else _read_row(document, record) or _too_short(document, self.options)
        page, cpu_s = self._sandbox.call(record.body, record.charset, record.content_type)
        self.add_cpu(document, cpu_s)
        if page is None:
            return Verdict(
                "extractor_killed", f"two tries reached the limits of {self._sandbox.limits}", None, None, FAILED
            )
        return _take(document, record, page) or _too_short(document, self.options)

    def close(self) -> None:
        """Ends the child process."""
        self._sandbox.close()


def _too_short(document: Document, options: Extract) -> Verdict | None:
    chars = len(document.text)
    return Verdict("too_short", f"{chars} characters are left", float(chars)) if chars < options.min_chars else None


def _read_row(document: Document, record: InputRecord) -> Verdict | None:
    document.text = record.body.decode("utf-8").strip()
    formulas = count_formulas(document.text)
    kinds = {"text": formulas} if formulas else {}
    _describe(document, record, Extraction("", formulas_found=formulas, formulas_kept=formulas, formula_kinds=kinds))
    return None if document.text else Verdict("no_text", "the text is empty", decision=FAILED)


def _take(document: Document, record: InputRecord, page: Extraction) -> Verdict | None:
    if page.reason:
        return Verdict(page.reason, page.detail, decision=FAILED)
    document.text = page.text
    _describe(document, record, page)
    return None


def _describe(document: Document, record: InputRecord, page: Extraction) -> None:
    """What the shard says of the text beside it."""
    title = {} if record.is_text else {"title": page.title}
    document.metadata |= {
        "source": host_of(record.url) if record.url else None,
        "num_formulas": page.formulas_kept,
        "formulas_found": page.formulas_found,
        "formulas_converted": page.formulas_converted,
        "formula_kinds": page.formula_kinds,
        "formula_failures": page.formula_failures,
        "undefined_macros": list(page.undefined_macros),
        "extractor": page.extractor or None,
        "columns": to_columns(title | record.metadata),
    }
