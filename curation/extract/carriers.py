"""The ways a page carries a formula in its elements, and how each gives up its TeX."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curation.extract.tex import looks_like_prose, looks_like_tex, undelimited

if TYPE_CHECKING:
    from resiliparse.parse.html import ElementNode

SELECTOR = (
    "math, mjx-container, d-math, dt-math, tex-math, math-renderer, [data-tex], [data-expr], "
    "[class]:is(.math, .math-container, .process-math, .arithmatex, .wp-katex-eq, .js-render-math, .katex,"
    " .katex-error, .mwe-math-element, .MathJax, .MathJax_SVG, .MathJax_CHTML, .MathJax_Preview, .mjx-chtml)"
)
_ELEMENT_TAGS = frozenset(("d-math", "dt-math", "tex-math", "math-renderer"))
_OWN_CLASSES = frozenset(("math", "math-container", "process-math", "arithmatex", "wp-katex-eq", "js-render-math"))
_BARE_CLASSES = frozenset(("inline", "display", "wp-katex-eq", "js-render-math"))
_MATHJAX = frozenset(("MathJax", "MathJax_SVG", "MathJax_CHTML", "mjx-chtml"))
_TAGS = re.compile(r"<[^<>]*>")
_SCRIPT_MARKS = {
    "msup": "^", "msub": "_", "mfrac": "/", "msubsup": "_^", "munder": "_", "mover": "^", "munderover": "_^"
}  # fmt: skip
_MAX_SCRIPTS = 500
_GAPS = re.compile(r"[\s\u200b\u2061-\u2064]+")


@dataclass(frozen=True, slots=True)
class Carrier:
    """What an element carries: TeX; or, with `tex` None, only `text` that a reader may make something of."""

    kind: str
    tex: str | None
    display: bool = False
    text: str = ""


def read_carrier(element: "ElementNode", tag: str) -> Carrier | None:
    """What this element carries, or None where it is no formula or holds several that stand for themselves."""
    if tag == "math":
        return read_mathml(element)
    if tag in _ELEMENT_TAGS:
        display = element.hasattr("block") or "$$" in element.text_content[:4]
        return Carrier("element-text", undelimited(element.text_content)[0], display)
    classes = frozenset((element.class_name or "").split())
    if tag == "mjx-container" or classes & _MATHJAX:
        return _read_mathjax(element, classes)
    if "katex" in classes:
        return _read_katex(element)
    if "MathJax_Preview" in classes:
        tex, display = undelimited(element.text_content)
        return Carrier("mathjax-preview", "" if display is None else tex, bool(display))
    if "katex-error" in classes:
        return Carrier("katex-error", undelimited(element.text_content)[0])
    if "mwe-math-element" in classes:
        return _read_wikipedia(element)
    for name in ("data-tex", "data-expr"):
        if element.hasattr(name):
            return _read_attribute(element, name)
    return _read_class(element, tag, classes) if classes & _OWN_CLASSES else None


def read_mathml(element: "ElementNode") -> Carrier:
    """The TeX of a `<math>` element from its annotation, attributes or alternative text; else its readable text."""
    display = element.getattr("display") == "block" or element.getattr("mode") == "display"
    for annotation in element.get_elements_by_tag_name("annotation").values():
        tex = undelimited(annotation.text_content)[0]
        if tex and "tex" in (annotation.getattr("encoding") or "").lower():
            return Carrier("mathml-tex", tex, display)
    tex = undelimited(element.getattr("data-latex") or element.getattr("alttext") or "")[0]
    if tex and not looks_like_prose(tex):
        return Carrier("mathml-alttext", tex, display)
    text = _readable_mathml(element)
    return Carrier("mathml", None if text else "", display, text)


def _read_katex(element: "ElementNode") -> Carrier:
    parent = element.parent_element
    display = "katex-display" in (parent.class_name or "") if parent is not None else False
    math = element.query_selector("math")
    if math is None:
        return Carrier("katex-html", None, display, _readable(element.text_content))
    found = read_mathml(math)
    return Carrier("katex" if found.tex else "mathml", found.tex, display or found.display, found.text)


def _read_wikipedia(element: "ElementNode") -> Carrier:
    display = element.tag == "div" or element.query_selector("[class$='-display']") is not None
    if (math := element.query_selector("math")) is not None:
        found = read_mathml(math)
        return Carrier("wikipedia" if found.tex else "mathml", found.tex, display or found.display, found.text)
    image = element.query_selector("img[alt]")
    if image is not None:
        return Carrier("wikipedia", image.getattr("alt") or None, display)
    return Carrier("wikipedia", None, display, _readable(element.text_content))


def _read_mathjax(element: "ElementNode", classes: frozenset[str]) -> Carrier:
    """What MathJax left of a formula whose script is gone: an attribute, its MathML for screen readers, or glyphs."""
    display = element.getattr("display") in ("true", "block") or bool(classes & {"MJXc-display", "MathJax_Display"})
    for selector, name in (("[data-latex]", "data-latex"), (".mjx-math[aria-label]", "aria-label")):
        holder = element if element.hasattr(name) else element.query_selector(selector)
        if holder is not None and (tex := holder.getattr(name)):
            return Carrier("mathjax", tex, display)
    if (math := element.query_selector("math")) is not None:
        found = read_mathml(math)
        return Carrier("mathjax" if found.tex else "mathml", found.tex, display or found.display, found.text)
    source = element.getattr("data-mathml")
    return Carrier(
        "mathjax-glyphs", None, display, _readable(_TAGS.sub(" ", source) if source else element.text_content)
    )


def _read_attribute(element: "ElementNode", name: str) -> Carrier | None:
    tex, display = undelimited(element.getattr(name) or "")
    shown = element.text_content.strip()
    if not tex or (shown and not looks_like_tex(tex) and looks_like_prose(shown)):
        return None
    return Carrier(name, tex, bool(display))


def _read_class(element: "ElementNode", tag: str, classes: frozenset[str]) -> Carrier | None:
    r"""Elements with a class for formulas around TeX with delimiters, or (pandoc, GitLab) without any."""
    text = element.text_content
    tex, display = undelimited(text)
    if display is not None:
        return Carrier("math-class", tex, display)
    if tex.startswith("\\begin{") and tex.endswith("}"):
        return Carrier("math-class", tex, True)
    bare = classes & _BARE_CLASSES and element.first_element_child is None and not looks_like_prose(tex)
    if bare and "\\(" not in tex and "\\[" not in tex and "$" not in tex:
        return Carrier("math-class", tex, "display" in classes or tag == "div")
    return None


def _readable(text: str) -> str:
    return _GAPS.sub(" ", text).strip()


def _readable_mathml(math: "ElementNode") -> str:
    """MathML as plain text, `x^2`, `a_(n+1)`, `1/2`: no TeX, but ten to the third does not become 103."""
    scripts = math.query_selector_all("msup, msub, mfrac, msubsup, munder, mover, munderover").values()
    document = math.owner_document
    for script in scripts[:_MAX_SCRIPTS]:
        parts = script.children.values()
        for mark, part in zip(_SCRIPT_MARKS[script.tag], parts[1:], strict=False):
            long = len(_readable(part.text_content)) > 1
            part.before(document.create_text_node(f"{mark}(" if long else mark))
            if long:
                part.after(document.create_text_node(")"))
    return _readable(math.text_content)
