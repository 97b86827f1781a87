"""The field types all kinds share: names, versions, token counts, references, fractions."""

import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

SLUG = r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$"
VERSION = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,30}[A-Za-z0-9])?$"
REFERENCE = r"^[a-z0-9][a-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9._-]*$"
_COUNT = re.compile(r"^([0-9]+(?:\.[0-9]+)?)\s*([KMBT]?)$")
_FACTOR = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def parse_count(value: Any) -> Any:
    """The integer a count means: 1500, `200B`, `1.5M`. Raises ValueError for what is no whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{value!r} is not a count; expected a whole number or a number with K, M, B or T, like 200B")
    if isinstance(value, int):
        return value
    match = _COUNT.match(value.strip())
    if not match:
        raise ValueError(f"{value!r} is not a count; expected a whole number or a number with K, M, B or T, like 200B")
    number, unit = match.groups()
    whole, _, decimals = number.partition(".")
    scaled = int(whole + decimals) * _FACTOR[unit]
    if scaled % 10 ** len(decimals):
        raise ValueError(f"{value!r} is not a whole number; expected a whole count, like 1.5M")
    return scaled // 10 ** len(decimals)


def format_count(count: int) -> str:
    """A count as a person writes it, three digits at most: 209.7B, 4.19M, 512."""
    for unit, factor in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= factor:
            return f"{count / factor:.4g}{unit}"
    return str(count)


def _version_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Count = Annotated[
    int,
    BeforeValidator(parse_count),
    Field(ge=1),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9.]+[KMBT]?$"}]}),
]
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
Version = Annotated[
    str,
    BeforeValidator(_version_text),
    StringConstraints(pattern=VERSION),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": VERSION}]}),
]
Reference = Annotated[str, StringConstraints(pattern=REFERENCE)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of a manifest: unknown keys are mistakes, values are never coerced silently, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Manifest(Section):
    """What every manifest has. The identity is `name@version`; the description never enters a fingerprint."""

    kind: str
    """Which of the six kinds this file is."""
    name: Slug
    """Lower-case letters, digits, `.`, `_` and `-`, at most 64 characters."""
    version: Version
    """What a person bumps: a whole number or a quoted text such as "2026.11"."""
    description: str = ""
    """One or two sentences for the reader; not part of the fingerprint."""

    @property
    def identity(self: Self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"
