"""Folders that appear whole or not at all."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import OctoError
from manifests.records import explain_os_error


@contextlib.contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """A temporary folder that becomes `target`, replacing an older one, when the block ends well; else it vanishes.

    A full disk or a missing permission becomes an OctoError that names the folder.
    """
    from safetensors import SafetensorError

    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        _flush(temporary)
        _put(temporary, target)
    except OSError as error:
        raise explain_os_error(target, error) from error
    except SafetensorError as error:  # wraps the operating system's error in its text
        raise _explain_safetensors(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def discard(folder: Path) -> None:
    """Removes a folder so that no half of it is ever seen under its name."""
    if folder.exists():
        doomed = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        folder.rename(doomed)
        shutil.rmtree(doomed)


def remove_leftovers(folder: Path) -> None:
    """Removes what killed processes left of unfinished folders; the caller owns `folder`."""
    for path in folder.glob(".*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def _put(temporary: Path, target: Path) -> None:
    discard(target)
    temporary.rename(target)
    _sync(target.parent)


def _flush(folder: Path) -> None:
    """Asks the disk to keep the content before its name says it is finished."""
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explain_safetensors(target: Path, error: Exception) -> OctoError:
    number = re.search(r"os error (\d+)", str(error))
    if number:
        return explain_os_error(target, OSError(int(number.group(1)), os.strerror(int(number.group(1)))))
    return OctoError(f"{target}: cannot be written ({error}).")
