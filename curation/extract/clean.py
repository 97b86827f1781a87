"""Text without the characters that nobody sees."""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b\ufeff\ufffe\uffff\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without control characters and invisible ones; no-break spaces are spaces."""
    return _CONTROL.sub("", text).replace("\u00a0", " ")
