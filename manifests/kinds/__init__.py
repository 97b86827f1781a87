"""The six kinds of manifest a person writes, as pydantic models; one kind a file."""

from manifests.kinds.classifier import ClassifierManifest
from manifests.kinds.corpus import CorpusManifest
from manifests.kinds.evaluation import EvalManifest
from manifests.kinds.fields import Manifest
from manifests.kinds.mixture import MixtureManifest
from manifests.kinds.rl import RlManifest
from manifests.kinds.train import TrainManifest

KINDS: dict[str, type[Manifest]] = {
    "corpus": CorpusManifest,
    "classifier": ClassifierManifest,
    "mixture": MixtureManifest,
    "train": TrainManifest,
    "rl": RlManifest,
    "eval": EvalManifest,
}

__all__ = [
    "KINDS",
    "ClassifierManifest",
    "CorpusManifest",
    "EvalManifest",
    "Manifest",
    "MixtureManifest",
    "RlManifest",
    "TrainManifest",
]
