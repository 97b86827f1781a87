"""Dollars that are money, told apart from dollars that open a formula."""

import re

from curation.extract.tokens import Tokens

_DOLLAR = re.compile(r"(\\*)\$")


def safe_dollars(paragraph: str, tokens: Tokens) -> str:
    r"""The paragraph with `\$` for its dollars wherever a reader could take two of them for a formula's delimiters.

    All formulas are still tokens, so every dollar is a literal one. A single one in a paragraph without formulas pairs
    with nothing and stays.
    """
    count = paragraph.count("$")
    if count == 1 and tokens.opening not in paragraph:
        return paragraph
    return _DOLLAR.sub(lambda dollar: dollar[0] if len(dollar[1]) % 2 else f"{dollar[1]}\\$", paragraph)
