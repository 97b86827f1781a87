"""All markups of the benchmark by name, and which of them the programs on this machine can make."""

import re

from roundtrip.ascii_markups import ASCII_MARKUPS
from roundtrip.formula import Formula, Markup
from roundtrip.image_markups import IMAGE_MARKUPS
from roundtrip.macro_markups import MACRO_MARKUPS
from roundtrip.rendered_markups import RENDERED_MARKUPS
from roundtrip.rendering import missing_tools, rendered, tool_of
from roundtrip.source_markups import SOURCE_MARKUPS

MARKUPS = {
    markup.name: markup
    for markup in (*SOURCE_MARKUPS, *RENDERED_MARKUPS, *IMAGE_MARKUPS, *MACRO_MARKUPS, *ASCII_MARKUPS)
}


_COUNTER = re.compile(r"MJX-\d+-")  # MathJax counts the formulas of a run; a page would have counted its own


def available_markups() -> tuple[dict[str, Markup], dict[str, str]]:
    """The markups that can be made here, and for each of the others which program is missing."""
    missing = missing_tools()
    absent = {
        name: missing[tool_of(form)]
        for name, markup in MARKUPS.items()
        for form in markup.forms
        if tool_of(form) in missing
    }
    return {name: markup for name, markup in MARKUPS.items() if name not in absent}, absent


def write_all(markups: list[Markup], documents: list[list[Formula]]) -> dict[tuple[str, int], list[str] | None]:
    """The HTML of every formula by (markup, document); None where a renderer refuses one of the document's formulas.

    AsciiMath is written only for documents whose formulas have it.
    """
    forms = sorted({form for markup in markups for form in markup.forms})
    made = rendered((form, formula) for form in forms for formulas in documents for formula in formulas)
    written: dict[tuple[str, int], list[str] | None] = {}
    for markup in markups:
        for number, formulas in enumerate(documents):
            if markup.group == "S" and not all(formula.ascii for formula in formulas):
                continue
            written[markup.name, number] = _written(markup, formulas, made)
    return written


def _written(markup: Markup, formulas: list[Formula], made: dict) -> list[str] | None:
    pieces = []
    for index, formula in enumerate(formulas):
        found = {form: made[form, formula.tex, formula.display] for form in markup.forms}
        if not all(found.values()):
            return None
        pieces.append(_COUNTER.sub(f"MJX-{index + 1}-", markup.write(formula, index, found)))
    return pieces
