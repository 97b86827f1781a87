"""What a version rests on, as one hash: the resolved manifest, its inputs' digests, the revisions of the code.

Never part of it: paths, machine facts, library versions, descriptions. `changed_keys` turns two differing recipes into
the words an error needs.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manifests.errors import IdentityError, InputError
from manifests.records import read_record

CHUNK_BYTES = 1 << 20


def canonical_json(value: Any) -> bytes:
    """The one way to write `value`: sorted keys, no spaces, UTF-8. Raises TypeError for what has no stable form."""
    _refuse_unstable(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def fingerprint(recipe: dict[str, Any]) -> str:
    """`sha256:` and 64 hexadecimal digits of the canonical form of a resolved recipe."""
    return "sha256:" + hashlib.sha256(canonical_json(recipe)).hexdigest()


def file_digest(path: str | Path) -> str:
    """`sha256:` and the digest of a file's bytes, read in bounded memory. Raises InputError if it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a readable file.") from error


def folder_digest(folder: Path) -> str:
    """The digest of every file below a folder, by relative name and content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return fingerprint({path.relative_to(folder).as_posix(): file_digest(path) for path in files})


def changed_keys(old: Any, new: Any, path: str = "") -> list[str]:
    """What differs between two recipes, a line a key: `dedup.minhash.bands: 14 → 11`."""
    return list(_changes(old, new, path))


def refuse_changed(identity: str, record_path: Path, recipe: dict[str, Any]) -> None:
    """Raises IdentityError if the record at `record_path` was made from another recipe than `recipe`."""
    if not record_path.exists():
        return
    record = read_record(record_path)
    if record.get("fingerprint") == fingerprint(recipe):
        return
    changes = changed_keys(record.get("recipe", {}), recipe)
    listed = "\n".join(f"  {change}" for change in changes) or "  (the record does not say what it was made from)"
    raise IdentityError(
        f"{identity}: this version exists already and was made from another recipe:\n{listed}\n"
        "A version never changes. Raise `version` in the manifest, or pass --replace to discard the old one."
    )


def _changes(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _changes(old.get(key, "(absent)"), new.get(key, "(absent)"), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path}: {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "..."


def _refuse_unstable(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value!r} has no stable form; expected a finite number")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is not text; expected text keys")
            _refuse_unstable(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_unstable(item)
    elif value is not None and not isinstance(value, str | int | float | bool):
        raise TypeError(f"{type(value).__name__} has no stable form; expected JSON values")
