"""Small WARC files made on the spot, and a way to read bytes as a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.read.read import read_records
from curation.read.records import InputFile, InputRecord

Read = Callable[..., list[InputRecord]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes bytes to a file and reads its records."""

    def read_bytes(
        data: bytes, start: int = 0, format: str = "warc", name: str = "input", **options: Any
    ) -> list[InputRecord]:
        path = tmp_path / name
        path.write_bytes(data)
        return list(read_records(InputFile(str(path), format, len(data), "sha256:0"), start, **options))

    return read_bytes


@pytest.fixture
def record() -> Callable[..., bytes]:
    """Makes one WARC record around an HTTP response, or around any other block."""
    return make_record


def make_record(
    number: int = 0,
    body: bytes = b"<html><p>page</p></html>",
    http: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n",
    version: bytes = b"WARC/1.0",
    kind: bytes = b"response",
    content_type: bytes = b"application/http; msgtype=response",
    extra: bytes = b"",
    has_id: bool = True,
    length: int | None = None,
) -> bytes:
    block = http + body
    own_id = b"WARC-Record-ID: <urn:uuid:%d>\r\n" % number if has_id else b""
    return b"".join(
        [
            version + b"\r\nWARC-Type: " + kind + b"\r\n" + own_id,
            b"WARC-Date: 2024-05-17T23:31:22Z\r\nWARC-Target-URI: https://example.org/%d\r\n" % number,
            b"Content-Type: " + content_type + b"\r\n" + extra,
            b"Content-Length: %d\r\n\r\n" % (len(block) if length is None else length),
            block + b"\r\n\r\n",
        ]
    )
