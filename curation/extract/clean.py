"""Text without the characters that nobody sees."""

import re

_UNPARSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b\ufeff\ufffe\uffff\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without control characters and invisible ones; no-break spaces are spaces."""
    return _CONTROL.sub("", text).replace("\u00a0", " ")


def parsable(markup: str) -> str:
    """The markup without the characters that libxml2 does not take."""
    return _UNPARSABLE.sub("", markup)
