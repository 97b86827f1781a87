"""HTTP responses as WARC records: one gzip member a record, and the same bytes on every run."""

import base64
import gzip
import hashlib
import random
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://demo.example.org/octo-demo")
FIRST_DAY, LAST_DAY = datetime(2019, 1, 7, tzinfo=UTC), datetime(2025, 11, 20, tzinfo=UTC)
CREATED = "2025-12-01T00:00:00Z"


@dataclass(frozen=True)
class Response:
    """One answer of a server, its body as it was sent."""

    url: str
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: str = "200 OK"
    server: str = "nginx"
    headers: tuple[tuple[str, str], ...] = ()
    truncated: bool = False
    date: str = ""
    """When it was fetched; chosen from the URL where empty."""


def crawl_date(url: str) -> str:
    """A second between 2019 and 2025 that depends on the URL alone."""
    seconds = int((LAST_DAY - FIRST_DAY).total_seconds())
    return (FIRST_DAY + timedelta(seconds=int(hashlib.sha256(url.encode()).hexdigest()[:12], 16) % seconds)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def record_id(kind: str, url: str, date: str) -> str:
    """The WARC-Record-ID."""
    return f"<urn:uuid:{uuid.uuid5(NAMESPACE, f'{kind} {url} {date}')}>"


def zipped(response: Response) -> Response:
    """The same response with `Content-Encoding: gzip`."""
    return replace(
        response,
        body=gzip.compress(response.body, 9, mtime=0),
        headers=(*response.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")),
    )


def chunked(response: Response, rng: random.Random) -> Response:
    """The same response with `Transfer-Encoding: chunked`."""
    body, parts = response.body, b""
    while body:
        size = rng.randint(600, 4000)
        part, body = body[:size], body[size:]
        parts += f"{len(part):x}\r\n".encode() + part + b"\r\n"
    return replace(response, body=parts + b"0\r\n\r\n", headers=(*response.headers, ("Transfer-Encoding", "chunked")))


def http_headers(response: Response, date: str) -> StatusAndHeaders:
    """Status line and headers as the server sent them."""
    moment = datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    headers = [("Date", format_datetime(moment, usegmt=True)), ("Server", response.server)]
    headers += [("Content-Type", response.content_type)] if response.content_type else []
    if not any(name == "Transfer-Encoding" for name, _ in response.headers) and not response.truncated:
        headers.append(("Content-Length", str(len(response.body))))
    return StatusAndHeaders(response.status, [*headers, *response.headers], protocol="HTTP/1.1")


class WarcFile:
    """A WARC/1.1 being written."""

    def __init__(self, path: Path) -> None:
        self.stream = BytesIO()
        self.writer = WARCWriter(self.stream, gzip=True, warc_version="1.1")
        self.path = path

    def add(
        self,
        kind: str,
        url: str,
        date: str,
        payload: bytes,
        content_type: str = "",
        http: StatusAndHeaders | None = None,
        **more: str,
    ) -> str:
        """One record; its id is returned."""
        identity = record_id(kind, url, date)
        headers = {
            "WARC-Record-ID": identity,
            "WARC-Date": date,
            **{f"WARC-{name.replace('_', '-')}": value for name, value in more.items()},
        }
        record = self.writer.create_warc_record(
            url,
            kind,
            payload=BytesIO(payload),
            length=len(payload),
            warc_content_type=content_type,
            http_headers=http,
            warc_headers_dict=headers,
        )
        self.writer.write_record(record)
        return identity

    def info(self) -> None:
        """The first record: what the file is."""
        text = (
            "software: OctoCorpus demo data generator\r\nformat: WARC File Format 1.1\r\ndescription: pages written "
            "for the demo, licence CC0-1.0\r\n"
        )
        headers = {
            "WARC-Record-ID": record_id("warcinfo", self.path.name, CREATED),
            "WARC-Date": CREATED,
            "WARC-Filename": self.path.name,
        }
        record = self.writer.create_warc_record(
            "",
            "warcinfo",
            payload=BytesIO(text.encode()),
            warc_content_type="application/warc-fields",
            warc_headers_dict=headers,
        )
        record.rec_headers.remove_header("WARC-Target-URI")
        self.writer.write_record(record)

    def response(self, response: Response, *, request: bool = False, metadata: bool = False) -> str:
        """A response, with the request before it and the metadata after it where wanted; its id is returned."""
        date = response.date or crawl_date(response.url)
        identity = record_id("response", response.url, date)
        if request:
            host, _, path = response.url.split("://", 1)[1].partition("/")
            wanted = StatusAndHeaders(
                f"GET /{path} HTTP/1.1",
                [("Host", host), ("User-Agent", "octo-demo-crawler/1.0"), ("Accept", "text/html,*/*;q=0.8")],
                is_http_request=True,
            )
            self.add("request", response.url, date, b"", http=wanted, Concurrent_To=identity)
        more = {"Truncated": "length"} if response.truncated else {}
        self.add("response", response.url, date, response.body, http=http_headers(response, date), **more)
        if metadata:
            self.add(
                "metadata",
                response.url,
                date,
                b"fetchTimeMs: 184\r\ncharset-detected: UTF-8\r\n",
                "application/warc-fields",
                Concurrent_To=identity,
            )
        return identity

    def revisit(self, first: Response, date: str) -> None:
        """A later visit that found the same content."""
        before = first.date or crawl_date(first.url)
        record = self.writer.create_revisit_record(
            first.url,
            digest=digest(first.body),
            refers_to_uri=first.url,
            refers_to_date=before,
            http_headers=http_headers(first, date),
            warc_headers_dict={
                "WARC-Record-ID": record_id("revisit", first.url, date),
                "WARC-Date": date,
                "WARC-Refers-To": record_id("response", first.url, before),
            },
        )
        self.writer.write_record(record)

    def close(self) -> None:
        """The file is written at once."""
        self.path.write_bytes(self.stream.getvalue())


def digest(payload: bytes) -> str:
    """The SHA-1 of a payload in the form of WARC-Payload-Digest."""
    return "sha1:" + base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode()
