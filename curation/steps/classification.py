"""Classification: how mathematical a text is, by a fastText model; used twice, generously (recall) and strictly."""

from datatrove.data import Document

from classifiers.fasttext_model import MathScorer
from curation.fates import FateSink, Verdict
from curation.stage import Stage


class ScoreMath(Stage):
    """Records `math_score` and removes what scores below the threshold."""

    name = "classify"

    def __init__(self, sink: FateSink, name: str, scorer: MathScorer, threshold: float) -> None:
        super().__init__(sink)
        self.name, self.scorer, self.threshold = name, scorer, threshold

    def judge(self, document: Document) -> Verdict | None:
        """None from the threshold on."""
        score = self.scorer.score(document.text)
        document.metadata["math_score"] = score
        if score < self.threshold:
            return Verdict("low_math_score", f"{score:.3f} is below {self.threshold:g}", score)
        return None
