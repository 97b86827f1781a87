"""Language of a text, decided offline on its words alone: formulas are taken out first, since LaTeX reads as Latin.

Six samples spread over the text vote. English is told by its function words, which costs almost nothing; every other
sample is judged by py3langid, whose model lies in its package. Measured against resiliparse's detector in
`docs/classifiers.md`: 3 instead of 158 wrong of 3,654 English pages.
"""

import re
from collections import Counter
from functools import cache
from typing import Any

MAX_CHARS = 50_000
"""Only the beginning of longer texts is looked at, so that time is bounded."""

SAMPLES = 6
SAMPLE_CHARS = 300
MIN_LETTERS = 40
"""Texts with fewer letters outside formulas have no language worth a guess (chosen here)."""

MIN_SAMPLE_LETTERS = 15
MIN_PROBABILITY = 0.2
"""Samples that py3langid finds less probable than this vote for no language (chosen here)."""

ENGLISH_SHARE = 0.15
_ENGLISH = "the of and to that with this which by from are be it as if when not or is for in can"
ENGLISH_WORDS = frozenset(_ENGLISH.split())
"""A sample with this share of function words is English (chosen here on labelled pages)."""

_FORMULA = re.compile(
    r"\$\$[^$]{1,4000}\$\$|\$[^$\n]{1,300}\$|\\\((?:(?!\\\)).){1,300}\\\)|\\\[(?:(?!\\\]).){1,500}\\\]"
    r"|\\[A-Za-z]+|https?://\S+",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+")
_ISO_639_1_OF = {"nb": "no", "nn": "no"}
_NOT_A_LANGUAGE = "zxx"


class LanguageDetector:
    """Tells the language of texts. At the first one that is not plain English it loads its model: 0.5 s, 90 MB."""

    def detect(self, text: str) -> tuple[str, float]:
        """(ISO 639-1 code, score), or ("und", 0.0) where fewer than 40 letters stand outside formulas.

        The score is the share of the sampled letters that stand in samples of that language, 0 to 1: 1.0 is a page
        all in one language, 0.6 a page with a second one or with much that is no language (code, tables, names).
        """
        votes: Counter[str] = Counter()
        sampled = 0
        for sample in _samples(_FORMULA.sub(" ", text[:MAX_CHARS])):
            words = _WORD.findall(sample.lower())
            letters = sum(map(len, words))
            if letters < MIN_SAMPLE_LETTERS:
                continue
            sampled += letters
            if language := _language_of(sample, words):
                votes[language] += letters
        if sampled < MIN_LETTERS or not votes:
            return "und", 0.0
        language, letters = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
        return language, letters / sampled


def _samples(text: str) -> list[str]:
    """Up to SAMPLES pieces of SAMPLE_CHARS characters, evenly spread; all of a short text."""
    step = max(SAMPLE_CHARS, len(text) // SAMPLES)
    return [" ".join(text[start : start + SAMPLE_CHARS].split()) for start in range(0, len(text), step)][:SAMPLES]


def _language_of(sample: str, words: list[str]) -> str | None:
    """The language of one sample, or None where nothing is probable enough."""
    if sum(word in ENGLISH_WORDS for word in words) >= ENGLISH_SHARE * len(words):
        return "en"
    language, probability = _identifier().classify(sample)
    if language == _NOT_A_LANGUAGE or probability < MIN_PROBABILITY:
        return None
    return _ISO_639_1_OF.get(language, language)


@cache
def _identifier() -> Any:
    """py3langid's identifier, restricted to ISO 639-1 and "no linguistic content"; one for each process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if len(code) == 2 or code == _NOT_A_LANGUAGE])
    return identifier
