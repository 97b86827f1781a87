"""A folder that is either finished or not there: built under another name, by one process at a time, then renamed."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import OctoError
from manifests.records import explain_os_error
from manifests.terminal import say


@contextlib.contextmanager
def only_writer(target: Path) -> Iterator[None]:
    """Makes this process the only writer of `target`, waiting for another one; a killed process holds nothing."""
    path = target.with_name(f".{target.name}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        held = _lock(path)
    except OSError as error:
        raise explain_os_error(target, error) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(held)


def _lock(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{path.parent / path.name[1:-5]}: another octo is writing it; waiting until it is done.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)  # its holder removed the file while we waited: what we locked has no name any more


@contextlib.contextmanager
def building(target: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `target` when the block ends well and vanishes when it does not.

    What a killed process left is removed first. A full disk or a missing permission becomes an OctoError.
    """
    temporary = target.with_name(f".{target.name}.building")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        _take_place(temporary, target)
    except OSError as error:
        raise explain_os_error(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_place(temporary: Path, target: Path) -> None:
    discarded = target.with_name(f".{target.name}.discarded")
    shutil.rmtree(discarded, ignore_errors=True)
    if target.exists():
        target.rename(discarded)
    temporary.rename(target)
    shutil.rmtree(discarded, ignore_errors=True)


def flush(path: Path) -> None:
    """Asks the disk to keep a file before the folder's name says that it is finished."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raises OctoError if the disk of `folder` has less than `needed_bytes` free."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if needed_bytes > free:
        raise OctoError(
            f"{folder}: needs {needed_bytes:,} bytes, {free:,} are free; expected enough space before anything is "
            "written. Free some space, make it smaller, or choose another data folder with --data."
        )
