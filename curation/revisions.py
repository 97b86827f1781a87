"""The revision of each stage's code. Raise one whenever the stage may give another result; it enters fingerprints."""

import classifiers.normalise
import curation.extract.revisions
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
    "decontaminate": 1,
    "shard": 2,
}
