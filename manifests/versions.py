"""Which version a person means: `NAME@VERSION`, or `NAME` for the newest."""

import difflib
import re

from manifests.errors import NotFound
from manifests.layout import DataFolder

RECORDS = {"corpora": "build.json", "mixtures": "lock.json", "runs": "run.json"}


def finished_versions(data: DataFolder, kind: str) -> list[str]:
    """Every finished NAME@VERSION of a kind, oldest version first within a name."""
    found = [name for name in data.versions(kind) if (data.root / kind / name / RECORDS[kind]).exists()]
    return sorted(found, key=_natural)


def newest(data: DataFolder, kind: str, reference: str) -> str:
    """The finished NAME@VERSION that `reference` means. Raises NotFound with the closest name."""
    known = finished_versions(data, kind)
    matches = [name for name in known if reference in (name, name.partition("@")[0])]
    if matches:
        return matches[-1]
    close = difflib.get_close_matches(reference, known + [name.partition("@")[0] for name in known], n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise NotFound(f"{reference}: no finished version of this name in {data.root / kind}{hint}. `octo {_LIST[kind]}`.")


_LIST = {"corpora": "corpus list", "mixtures": "query 'FROM mixtures'", "runs": "query 'FROM runs'"}


def _natural(reference: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Sorts version 10 after version 9."""
    name, _, version = reference.partition("@")
    parts = re.findall(r"\d+|\D+", version)
    return name, [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
