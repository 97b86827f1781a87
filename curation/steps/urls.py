"""URL filter: status, media type and address decide, before any byte of the body is parsed."""

import re
from urllib.parse import urlsplit

from datatrove.data import Document

from curation.fates import FateSink, Verdict
from curation.read.records import InputRecord
from curation.stage import Stage
from manifests.kinds.corpus import UrlFilter


class FilterUrls(Stage):
    """Removes by HTTP status, media type, domain, and words in the address; states nothing about what has none."""

    name = "url_filter"

    def __init__(self, sink: FateSink, options: UrlFilter) -> None:
        super().__init__(sink)
        self.options = options
        self._blocked = {domain.lower().lstrip(".") for domain in options.block_domains}
        self._allowed = {domain.lower().lstrip(".") for domain in options.allow_domains}
        words = "|".join(re.escape(word.lower()) for word in options.block_words)
        self._words = re.compile(rf"(?<![a-z])(?:{words})(?![a-z])") if words else None

    def judge(self, document: Document) -> Verdict | None:
        """None where nothing speaks against the page."""
        record: InputRecord = document.metadata["record"]
        if record.http_status is not None and record.http_status not in self.options.statuses:
            return Verdict("http_status", f"the server answered {record.http_status}", float(record.http_status))
        if record.content_type and not record.is_text and record.content_type not in self.options.content_types:
            return Verdict("content_type", f"the server called it {record.content_type}")
        return self._judge_address(record.url) if record.url else None

    def _judge_address(self, url: str) -> Verdict | None:
        host = host_of(url) or ""
        if _listed(host, self._allowed):
            return None
        if rule := _listed(host, self._blocked):
            return Verdict("blocked_domain", f"{host} is below {rule}")
        if self._words and (match := self._words.search(url.lower())):
            return Verdict("blocked_word", f"the address holds {match[0]!r}")
        return None


def host_of(url: str) -> str | None:
    """The host of an address in lower case, without port; None where there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:  # a bracket that is no IPv6 address
        return None


def _listed(host: str, domains: set[str]) -> str | None:
    """The listed domain that `host` is or lies below."""
    parts = host.split(".")
    return next((name for start in range(len(parts)) if (name := ".".join(parts[start:])) in domains), None)
