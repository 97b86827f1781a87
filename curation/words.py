"""Words of a text, for quality rules, near-duplicates and decontamination: fast, without a language model."""

import re

_WORD = re.compile(r"[^\W_]+")
# What `curation/extract/scoring/shown.py` finds, but for code, at twenty times its speed.
_FORMULA = re.compile(
    r"(?<!\\)\$\$.+?(?<!\\)\$\$|(?<!\\)\$(?![\s$])[^$\n]*(?:\\\$[^$\n]*)*(?<![\s\\])\$(?!\d)", re.DOTALL
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_TYPOGRAPHY = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|,|;|!|quad|qquad|text|mathrm|bigl?|bigr?)(?![a-zA-Z])"
)
_FRACTION = re.compile(r"\\[dtc]frac(?![a-zA-Z])")

FORMULA_WORD = "FORMULA"


def words(text: str) -> list[str]:
    """Runs of letters and digits in lower case; `\\frac{1}{2}` is frac, 1, 2."""
    return _WORD.findall(text.lower())


def comparable_words(text: str) -> list[str]:
    """Words after what changes a problem's spelling but not its sense is gone: spacing commands, 1,000 or 1000."""
    text = _THOUSANDS.sub("", text)
    if "\\" in text:
        text = _FRACTION.sub(r"\\frac", _TYPOGRAPHY.sub(" ", text))
    return words(text)


def mask_formulas(text: str) -> str:
    """The text with each formula as one plain word, so that rules for running text do not punish mathematics."""
    return _FORMULA.sub(f" {FORMULA_WORD} ", text) if "$" in text else text


def count_formulas(text: str) -> int:
    """How many `$…$` and `$$…$$` a text holds."""
    return len(_FORMULA.findall(text)) if "$" in text else 0
