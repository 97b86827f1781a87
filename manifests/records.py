"""Files the program writes: atomically, as JSON, and read back with an error that names the file."""

import contextlib
import errno
import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from manifests.errors import InputError, OctoError

GZIP_MAGIC = b"\x1f\x8b"


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` that becomes `target` when the block ends well and vanishes when it does not.

    A full disk or a missing permission becomes an OctoError that names the file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(target)
    except OSError as error:
        raise explain_os_error(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def explain_os_error(path: Path, error: OSError) -> OctoError:
    """The error a person can act on: which file, what happened, what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OctoError(f"{path}: the disk is full; nothing unfinished was kept. Free some space and run it again.")
    return OctoError(f"{path}: cannot be written ({error.strerror or error}). Check the folder and its permissions.")


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Writes a JSON record atomically, readable by people: two spaces, keys in the order given."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def read_record(path: Path) -> dict[str, Any]:
    """The record in a JSON file. Raises InputError if it is missing or not a JSON object."""
    try:
        record = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such record; expected a finished build or run.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is not a readable record ({error}); expected JSON written by octo.") from error
    if not isinstance(record, dict):
        raise InputError(f"{path}: holds {type(record).__name__}; expected a JSON object written by octo.")
    return record


def open_unpacked(path: Path) -> BinaryIO:
    """The file's bytes, unpacked where it is gzip, told by its first bytes. Raises InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a readable file.") from error


def now() -> str:
    """This moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _flush(path: Path) -> None:
    """Asks the disk to keep the file before its name says it is finished."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
