"""The revision of each stage's code. Raise one whenever the stage may give another result; it enters fingerprints."""

import classifiers.normalise
import curation.extract.revisions
import curation.formatters.format
from curation import minhash

CODE: dict[str, int] = {
    "read": 1,
    "url_filter": 1,
    "exact": 1,
    "extract": curation.extract.revisions.FAST,
    "careful": curation.extract.revisions.CAREFUL,
    "language": 2,
    "normalise": classifiers.normalise.REVISION,
    "quality": 2,
    "minhash": minhash.REVISION,
    "decontaminate": 2,
    "shard": 2,
}

# Only of manifests with a `rows` section, so that the others keep the fingerprints they had before there was one.
ROWS = {"rows": curation.formatters.format.REVISION}
