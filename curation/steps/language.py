"""Language: the detector reads the words between the formulas."""

from datatrove.data import Document

from classifiers.language import LanguageDetector
from curation.fates import FateSink, Verdict
from curation.stage import Stage
from manifests.kinds.corpus import Language

UNDETERMINED = "und"  # ISO 639-2


class KeepLanguages(Stage):
    """Records language and score, and removes the languages that are not wanted or not certain."""

    name = "language"

    def __init__(self, sink: FateSink, options: Language) -> None:
        super().__init__(sink)
        self.options = options
        self.detector: LanguageDetector | None = None

    def prepare(self) -> None:
        """Loads the detector."""
        self.detector = LanguageDetector()

    def judge(self, document: Document) -> Verdict | None:
        """None for a wanted language."""
        assert self.detector is not None
        language, score = self.detector.detect(document.text)
        document.metadata |= {"language": language, "language_score": score}
        if language == UNDETERMINED:
            return Verdict("undetermined_language", "too few words to tell", score)
        if language not in self.options.keep:
            return Verdict("other_language", f"it is {language}", score)
        if score < self.options.min_score:
            return Verdict("uncertain_language", f"{language} with score {score:.3f}", score)
        return None
