"""Folders of weights that appear whole or not at all: safetensors tells of a full disk in its own words."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from manifests import folders
from manifests.errors import OctoError
from manifests.records import explain_os_error


@contextlib.contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """`manifests.folders.atomic_folder` whose errors are OctoErrors also where safetensors wraps them."""
    from safetensors import SafetensorError

    try:
        with folders.atomic_folder(target) as temporary:
            yield temporary
    except SafetensorError as error:  # holds the operating system's error in its text
        raise _explain_safetensors(target, error) from error


def _explain_safetensors(target: Path, error: Exception) -> OctoError:
    number = re.search(r"os error (\d+)", str(error))
    if number:
        return explain_os_error(target, OSError(int(number.group(1)), os.strerror(int(number.group(1)))))
    return OctoError(f"{target}: cannot be written ({error}).")
