"""The revision of each stage's code. Raise one whenever the stage may give another result; it enters fingerprints."""

import classifiers.normalise
import curation.extract.fast
from curation import minhash

CODE: dict[str, int] = {
    "read": 1,
    "url_filter": 1,
    "exact": 1,
    "extract": curation.extract.fast.REVISION,
    "language": 1,
    "normalise": classifiers.normalise.REVISION,
    "quality": 1,
    "minhash": minhash.REVISION,
    "decontaminate": 1,
    "shard": 1,
}
