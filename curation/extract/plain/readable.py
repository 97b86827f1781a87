"""Formulas without TeX as text that can be read, for the fast pass: `x^2` and `1/2`, not LaTeX, but not 103 for 10³."""

import re
from typing import TYPE_CHECKING

from curation.extract.carriers import Carrier

if TYPE_CHECKING:
    from resiliparse.parse.html import ElementNode

_TAGS = re.compile(r"<[^<>]*>")
_GAPS = re.compile(r"[\s\u200b\u2061-\u2064]+")
_SCRIPT_MARKS = {
    "msup": "^", "msub": "_", "mfrac": "/", "msubsup": "_^", "munder": "_", "mover": "^", "munderover": "_^"
}  # fmt: skip
_MAX_SCRIPTS = 500


def readable(carrier: Carrier) -> str:
    """The text of a formula without TeX; empty where there is nothing to read, as in a picture."""
    if carrier.source:
        return _closed_up(_TAGS.sub(" ", carrier.source))
    if carrier.element is None:
        return ""
    return _readable_mathml(carrier.element) if carrier.kind == "mathml" else _closed_up(carrier.element.text_content)


def _closed_up(text: str) -> str:
    return _GAPS.sub(" ", text).strip()


def _readable_mathml(math: "ElementNode") -> str:
    """MathML with a mark and brackets at each script and fraction. Changes the element, which a token replaces."""
    scripts = math.query_selector_all("msup, msub, mfrac, msubsup, munder, mover, munderover").values()
    document = math.owner_document
    for script in scripts[:_MAX_SCRIPTS]:
        parts = script.children.values()
        for mark, part in zip(_SCRIPT_MARKS[script.tag], parts[1:], strict=False):
            long = len(_closed_up(part.text_content)) > 1
            part.before(document.create_text_node(f"{mark}(" if long else mark))
            if long:
                part.after(document.create_text_node(")"))
    return _closed_up(math.text_content)
