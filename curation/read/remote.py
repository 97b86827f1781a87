"""Files that are not local, through fsspec: which ones a URL stands for, their sizes, and what identifies them."""

import glob
import hashlib
from collections.abc import Iterator

from curation.read.source import open_binary

DIGEST_CHUNK_BYTES = 1 << 20


def find(url: str, endings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The URLs behind a URL of a file, a folder or a glob, each with the folder that was listed."""
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    if glob.has_magic(path):
        root = path[: min(path.find(sign) for sign in "*?[" if sign in path)].rpartition("/")[0]
        names = [name for name in files.glob(path) if files.isfile(name)]
    elif files.isfile(path):
        root, names = path.rpartition("/")[0], [path]
    else:
        root = path.rstrip("/")
        names = [name for name in files.find(path) if name.lower().endswith(endings)] if files.isdir(path) else []
    for name in names:
        yield files.unstrip_protocol(name), files.unstrip_protocol(root)


def describe(url: str) -> tuple[int, str]:
    """Size in bytes and what identifies the content: `etag:…` where the store keeps one, else `sha256:…` of it all."""
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    facts = files.info(path)
    etag = facts.get("ETag") or facts.get("etag")
    size_bytes = facts.get("size") or 0
    return size_bytes, f"etag:{etag.strip(chr(34))}" if isinstance(etag, str) and etag else content_digest(url)


def content_digest(url: str) -> str:
    """`sha256:` and the digest of a remote file, read in pieces."""
    digest = hashlib.sha256()
    with open_binary(url) as stream:
        while piece := stream.read(DIGEST_CHUNK_BYTES):
            digest.update(piece)
    return "sha256:" + digest.hexdigest()
