"""The ways a page carries a formula in its elements, and how each gives up its TeX."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curation.extract.tex import looks_like_prose, looks_like_tex, undelimited

if TYPE_CHECKING:
    from resiliparse.parse.html import ElementNode

SELECTOR = (
    "math, mjx-container, d-math, dt-math, tex-math, math-renderer, math-field, amp-mathml,"
    " [data-tex], [data-expr], [data-katex],"
    " [class]:is(.math, .math-container, .process-math, .arithmatex, .wp-katex-eq, .js-render-math, .language-math,"
    " .katex, .katex-html, .katex-error, .mwe-math-element, .MathJax, .MathJax_SVG, .MathJax_CHTML, .MathJax_Preview,"
    " .mjx-chtml, .ql-formula)"
)
_INLINE_TAGS = frozenset(("d-math", "dt-math"))  # of distill, which says `block` where it means display
_ELEMENT_TAGS = frozenset(("d-math", "dt-math", "tex-math", "math-renderer", "math-field"))
_SOURCES = ("data-tex", "data-expr", "data-katex")
_CODE_CLASSES = frozenset(("js-render-math", "language-math"))
_OWN_CLASSES = _CODE_CLASSES | {"math", "math-container", "process-math", "arithmatex", "wp-katex-eq"}
_BARE_CLASSES = _CODE_CLASSES | {"inline", "display", "wp-katex-eq"}
_WORD = re.compile("[A-Za-z]{3}")
_MATHJAX = frozenset(("MathJax", "MathJax_SVG", "MathJax_CHTML", "mjx-chtml"))


@dataclass(frozen=True, slots=True)
class Carrier:
    """What an element carries: TeX; or, where `tex` is None, a formula in another notation, which `kind` names.

    That formula is in `source`, or else it is the markup of `element`. `display` is None where the markup does not say
    how the formula is set, so that its place has to.
    """

    kind: str
    tex: str | None
    display: bool | None = False
    element: "ElementNode | None" = None
    source: str = ""


def read_carrier(element: "ElementNode", tag: str) -> Carrier | None:
    """What this element carries, or None where it is no formula or holds several that stand for themselves."""
    if tag == "math":
        return read_mathml(element)
    if tag in _ELEMENT_TAGS:
        tex, delimited = undelimited(element.text_content)
        if tag in _INLINE_TAGS:
            delimited = element.hasattr("block") or bool(delimited)
        return Carrier("element-text", tex, delimited)
    if tag == "amp-mathml":
        tex, amp_display = undelimited(element.getattr("data-formula") or "")
        return Carrier("amp-mathml", tex, bool(amp_display) and not element.hasattr("inline"))
    classes = frozenset((element.class_name or "").split())
    if tag == "mjx-container" or classes & _MATHJAX:
        return _read_mathjax(element, classes)
    if "katex" in classes or "katex-html" in classes:
        return _read_katex(element)
    if "MathJax_Preview" in classes:
        tex, display = undelimited(element.text_content)
        return Carrier("mathjax-preview", "" if display is None else tex, bool(display))
    if "katex-error" in classes:
        return Carrier("katex-error", undelimited(element.text_content)[0])
    if "mwe-math-element" in classes:
        return _read_wikipedia(element)
    if "ql-formula" in classes:
        return Carrier("quill", element.getattr("data-value") or None, None, element)
    for name in _SOURCES:
        if element.hasattr(name):
            return _read_attribute(element, name)
    return _read_class(element, tag, classes) if classes & _OWN_CLASSES else None


def read_mathml(element: "ElementNode") -> Carrier:
    """The TeX of a `<math>` element from its annotation, attributes or alternative text; else the MathML itself."""
    display = element.getattr("display") == "block" or element.getattr("mode") == "display"
    for annotation in element.get_elements_by_tag_name("annotation").values():
        tex = undelimited(annotation.text_content)[0]
        if tex and "tex" in (annotation.getattr("encoding") or "").lower():
            return Carrier("mathml-tex", tex, display)
    tex = undelimited(element.getattr("data-latex") or element.getattr("alttext") or "")[0]
    if tex and not looks_like_prose(tex):
        return Carrier("mathml-alttext", tex, display)
    return Carrier("mathml", None if element.text_content.strip() else "", display, element)


def _read_katex(element: "ElementNode") -> Carrier:
    parent = element.parent_element
    display = "katex-display" in (parent.class_name or "") if parent is not None else False
    math = element.query_selector("math")
    if math is None:
        return Carrier("katex-html", None, display, element)
    found = read_mathml(math)
    return Carrier("katex" if found.tex else "mathml", found.tex, display or found.display, math)


def _read_wikipedia(element: "ElementNode") -> Carrier:
    display = element.tag == "div" or element.query_selector("[class$='-display']") is not None
    if (math := element.query_selector("math")) is not None:
        found = read_mathml(math)
        return Carrier("wikipedia" if found.tex else "mathml", found.tex, display or found.display, math)
    image = element.query_selector("img[alt]")
    return Carrier("wikipedia", (image.getattr("alt") or None) if image is not None else None, display, element)


def _read_mathjax(element: "ElementNode", classes: frozenset[str]) -> Carrier:
    """What MathJax left of a formula whose script is gone: an attribute, its MathML for screen readers, or glyphs."""
    display = element.getattr("display") in ("true", "block") or bool(classes & {"MJXc-display", "MathJax_Display"})
    for selector, name in (("[data-latex]", "data-latex"), (".mjx-math[aria-label]", "aria-label")):
        holder = element if element.hasattr(name) else element.query_selector(selector)
        if holder is not None and (tex := holder.getattr(name)):
            return Carrier("mathjax", tex, display)
    if (math := element.query_selector("math")) is not None:
        found = read_mathml(math)
        return Carrier("mathjax" if found.tex else "mathml", found.tex, display or found.display, math)
    if source := element.getattr("data-mathml"):
        return Carrier("mathml", None, display, element, source)
    if element.query_selector("svg") is not None:
        return Carrier("mathjax-svg", None, display, element)
    if element.tag == "mjx-container" and element.query_selector("mjx-math") is None:  # not typeset yet
        return Carrier("mathjax", undelimited(element.text_content)[0], display)
    return Carrier("mathjax-chtml", None, display, element)


def _read_attribute(element: "ElementNode", name: str) -> Carrier | None:
    tex, display = undelimited(element.getattr(name) or "")
    shown = element.text_content.strip()
    if not tex or (shown and not looks_like_tex(tex) and looks_like_prose(shown)):
        return None
    return Carrier(name, tex, display)


def _read_class(element: "ElementNode", tag: str, classes: frozenset[str]) -> Carrier | None:
    r"""Elements with a class for formulas around TeX with delimiters, or (pandoc, GitLab, jsMath) without any."""
    tex, display = undelimited(element.text_content)
    if display is not None:
        return Carrier("math-class", tex, display)
    if tex.startswith("\\begin{") and tex.endswith("}"):
        return Carrier("math-class", tex, True)
    if not tex or any(mark in tex for mark in ("\\(", "\\[", "$")) or not _is_bare(element, classes):
        return None
    if (classes & _BARE_CLASSES and not looks_like_prose(tex)) or (
        "math" in classes and (looks_like_tex(tex) or not _WORD.search(tex))
    ):
        shown = element.getattr("data-math-style") or element.getattr("data-display")
        return Carrier("math-class", tex, "display" in classes or tag in ("div", "pre") or shown in ("display", "true"))
    return None


def _is_bare(element: "ElementNode", classes: frozenset[str]) -> bool:
    """Whether nothing but text stands in an element; GitLab puts the formulas of a block into a `<code>` of its own."""
    child = element.first_element_child
    return child is None or (bool(classes & _CODE_CLASSES) and child.tag == "code")
