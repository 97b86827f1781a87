"""How well the extractor of a build reads each markup of the web, stored with the version and held against the last."""

from typing import Any

from curation.extract.careful import extract_careful
from curation.extract.fast import extract_fast
from curation.extract.scoring.scorecard import score
from curation.plan import BuildPlan
from manifests.layout import DataFolder
from manifests.records import read_record
from manifests.versions import finished_versions

Scores = list[dict[str, Any]]

_ENGINES = {"careful": extract_careful, "fast": extract_fast}
_MARKUP = frozenset(("warc", "html"))


def scores_of(plan: BuildPlan) -> Scores:
    """One row an encoding: formulas on our own page in it, and how many the build's extractor brings back.

    `equal` ones mean the same, `exact` ones are spelled the same too, `display` of the equal ones are set as on the
    page, `spurious` ones are not on the page. No rows where no input is HTML.
    """
    if not any(file.format in _MARKUP for file in plan.inputs):
        return []
    extract = _ENGINES[plan.manifest.extract.engine]
    found = score(lambda page: extract(page).text)
    names = ("group", "formulas", "equal", "exact", "display", "spurious")
    return [
        {"encoding": encoding} | {name: getattr(result, name) for name in names}
        for encoding, result in sorted(found.items())
    ]


def last_scores(data: DataFolder, identity: str) -> dict[str, Any]:
    """The scores of the version that this build replaces or follows, and which that is; nothing if it is the first."""
    name = identity.partition("@")[0]
    versions = [version for version in finished_versions(data, "corpora") if version.partition("@")[0] == name]
    if not versions:
        return {}
    against = identity if identity in versions else versions[-1]
    return {"version": against, "scores": read_record(data.corpus(against) / "build.json").get("scorecard", [])}


def lowered(scores: Scores, before: Scores) -> Scores:
    """The encodings of which fewer formulas come back equal than before, a row each, with both numbers."""
    old = {row["encoding"]: row["equal"] for row in before}
    names = ("encoding", "formulas", "equal")
    return [
        {name: row[name] for name in names} | {"equal_before": old[row["encoding"]]}
        for row in scores
        if row["equal"] < old.get(row["encoding"], 0)
    ]
