"""Override words of Hydra, `key=value`, whose values arrive exactly as meant: quoted for its grammar."""

import math
from collections.abc import Mapping, Sequence

from manifests.errors import InputError

Value = bool | int | float | str | None | Sequence[str]
Settings = dict[str, Value]


def override_words(settings: Mapping[str, Value]) -> list[str]:
    """One word a setting, in order."""
    return [f"{key}={hydra_text(key, value)}" for key, value in settings.items()]


def hydra_text(key: str, value: Value) -> str:
    """The value as Hydra 1.3 reads it back. Raises InputError for what it cannot hold."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(key, value)
    if isinstance(value, str):
        return quoted(key, value)
    return "[" + ",".join(quoted(key, item) for item in value) + "]"


def quoted(key: str, text: str) -> str:
    """The text in single quotes. Raises InputError for control characters and `${`, which verl would resolve later.

    In Hydra's quotes a backslash means itself unless it stands before the quote; there each one is doubled.
    """
    if any(not char.isprintable() for char in text):
        raise InputError(f"{key}: {text!r} holds control characters; expected text that fits on a line.")
    if "${" in text:
        raise InputError(f"{key}: {text!r} holds `${{`, which verl takes for a reference; expected a text without it.")
    pieces = text.split("'")
    return "'" + "\\'".join(map(_double_last, pieces)) + "'"


def _double_last(piece: str) -> str:
    """Doubles the backslashes at the end, which stand before a quote."""
    bare = piece.rstrip("\\")
    return bare + (piece[len(bare) :] * 2)


def _number(key: str, value: float) -> str:
    if not math.isfinite(value):
        raise InputError(f"{key}: is {value}; expected a finite number.")
    return repr(value)
