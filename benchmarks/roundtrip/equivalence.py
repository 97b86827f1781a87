"""Which formulas are equivalent: those of which KaTeX makes the same MathML but for what is only appearance."""

from collections.abc import Iterable

from curation.extract.scoring.comparable import undressed, without_space
from roundtrip.formula import Formula
from roundtrip.rendering import rendered


def keys_of(formulas: Iterable[str]) -> dict[str, str]:
    """A key for each formula; equal keys mean equivalent formulas. What KaTeX refuses is equal only to itself."""
    texts = sorted(set(formulas))
    bare = {tex: Formula(undressed(tex), True) for tex in texts}
    linear = rendered(("linear", formula) for formula in bare.values())
    return {tex: linear["linear", bare[tex].tex, True] or f"refused:{without_space(tex)}" for tex in texts}
