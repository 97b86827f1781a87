"""Whether a run did what was planned, whatever trained it."""

from pathlib import Path

from manifests.layout import DataFolder
from manifests.versions import newest
from training.checks import Check
from training.run_record import read_training_run


def check_run(where: str, data: DataFolder) -> list[Check]:
    """Every check of a run (`NAME` or `NAME@VERSION`), or of a folder that nanotron's launches were brought in."""
    from training.local.outcome import check_local
    from training.nanotron.outcome import check_outcome

    if Path(where).is_dir():
        return check_outcome(where, data)
    reference = newest(data, "runs", where)
    local = read_training_run(data, reference).get("backend") == "local"
    return check_local(data, reference) if local else check_outcome(reference, data)
