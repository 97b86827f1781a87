"""One HTML file, as one record."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from curation.read.records import InputFile, InputRecord, digest_id
from curation.read.source import Source


def read_page(file: InputFile, start: int, max_body_bytes: int) -> Iterator[InputRecord]:
    """The page; nothing if `start` lies behind it. Its id rests on its own path and content: the folder may move."""
    if start > 0:
        return
    own_path = relative_path(file)
    with Source(file.path) as source:
        too_large = source.size_bytes > max_body_bytes
        body = b"" if too_large else bytes(source.at(0, source.size_bytes))
        yield InputRecord(
            file=file.path,
            offset=0,
            length_bytes=source.size_bytes,
            kind="html",
            id=digest_id([own_path, file.digest]) if too_large else digest_id(own_path, body),
            url=None,
            crawl_date=None,
            http_status=None,
            content_type="text/html",
            charset=None,
            body=body,
            is_text=False,
            problem="body_too_large" if too_large else None,
            detail=f"the page has {source.size_bytes} bytes, more than {max_body_bytes}" if too_large else None,
            metadata={"path": own_path},
        )


def relative_path(file: InputFile) -> str:
    """The path of a page inside the folder that was listed; its name alone if it was listed by itself."""
    path = PurePosixPath(file.path.replace("\\", "/"))
    root = PurePosixPath(file.root.replace("\\", "/"))
    return str(path.relative_to(root)) if file.root and path.is_relative_to(root) else path.name
