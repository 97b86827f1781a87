"""Markups that a renderer has written: KaTeX, MathJax, MathML of many makers, and what sites do to their output."""

import re
from html import escape

from roundtrip.formula import Formula, Markup, Rendered, Writer
from roundtrip.source_markups import MATHJAX2, MATHJAX3

KATEX_CSS = '<link rel="stylesheet" href="/assets/katex.min.css">'
_ANNOTATION = re.compile(r"<annotation\b.*?</annotation>", re.DOTALL)
_SEMANTICS = re.compile(r"</?semantics>")
_MATHML_SPAN = re.compile(r'<span class="katex-mathml">.*?</math></span>', re.DOTALL)
_MATHML_TAGS = re.compile(r"</?(?:math|semantics|m[a-z]+|annotation)\b[^<>]*>")
_STYLES = re.compile(r' (?:style|aria-hidden)="[^"]*"')
_ASSISTIVE = re.compile(r"<mjx-assistive-mml.*?</mjx-assistive-mml>", re.DOTALL)
_ARIA_LABEL = re.compile(r' aria-label="(?:[^"\\]|\\.)*?"(?=>)')
_TAG_NAME = re.compile(r"(</?)(?=[a-z])")
_START = re.compile(r"<(m[a-z]+)((?: [^<>]*)?)>")


def as_is(form: str) -> Writer:
    """What the renderer wrote."""
    return lambda formula, index, rendered: rendered[form]


def bare(form: str) -> Writer:
    """MathML without the TeX that some renderers put beside it."""
    return lambda formula, index, rendered: without_tex(rendered[form])


def without_tex(mathml: str) -> str:
    """MathML without annotations and alternative text."""
    mathml = re.sub(r' alttext="[^"]*"', "", _ANNOTATION.sub("", mathml))
    return _SEMANTICS.sub("", mathml)


def prefixed(formula: Formula, index: int, rendered: Rendered) -> str:
    """MathML with the namespace prefix that publishers use."""
    return _TAG_NAME.sub(r"\1mml:", bare("mathjax3-mathml")(formula, index, rendered).replace(" xmlns=", " xmlns:mml="))


def tex4ht_style(formula: Formula, index: int, rendered: Rendered) -> str:
    """MathML in the spelling of tex4ht: comments, classes, and a blank before the end of a start tag."""
    mathml = " ".join(bare("mathjax3-mathml")(formula, index, rendered).split())
    mathml = _START.sub(lambda tag: f"<{tag[1]}{_tex4ht_class(tag[1])}{tag[2]} >", mathml)
    return f"<!--l. {index + 12}-->{mathml}"


def _tex4ht_class(name: str) -> str:
    return {"mo": ' class="MathClass-rel"', "msub": "", "mtable": ' class="array"'}.get(name, "")


def sanitised(formula: Formula, index: int, rendered: Rendered) -> str:
    """KaTeX behind a sanitiser that knows no MathML and no styles, and removes them."""
    return _STYLES.sub("", _MATHML_SPAN.sub("", rendered["katex"]))


def flattened(formula: Formula, index: int, rendered: Rendered) -> str:
    """KaTeX behind a sanitiser that removes the tags of MathML but leaves their text, the TeX among it."""
    return _STYLES.sub("", _MATHML_TAGS.sub("", rendered["katex"]))


def csdn(formula: Formula, index: int, rendered: Rendered) -> str:
    """KaTeX in the wrapper of CSDN's editor."""
    kind = "display" if formula.display else "inline"
    return f'<span class="katex--{kind}">{rendered["katex"]}</span>'


def prerendered(formula: Formula, index: int, rendered: Rendered) -> str:
    """mathjax-node's HTML, which keeps the TeX for screen readers."""
    return rendered["mathjax2-html"]


def mathjax2_saved(formula: Formula, index: int, rendered: Rendered) -> str:
    """A page saved after MathJax 2 has run: preview, glyphs, MathML for screen readers, script."""
    mathml = _one_line(without_tex(rendered["mathjax2-mathml"]))
    glyphs = _ARIA_LABEL.sub(' aria-hidden="true"', rendered["mathjax2-html"])
    inside = glyphs[glyphs.index('<span class="mjx-math"') : glyphs.rindex("</span>")]
    number, mode = index + 1, "; mode=display" if formula.display else ""
    frame = (
        f'<span id="MathJax-Element-{number}-Frame" class="mjx-chtml MathJax_CHTML" tabindex="0" data-mathml="'
        f'{escape(mathml)}" role="presentation" style="font-size: 117%; position: relative;">{inside}'
        f'<span class="MJX_Assistive_MathML{" MJX_Assistive_MathML_Block" if formula.display else ""}" '
        f'role="presentation">{mathml}</span></span>'
    )
    if formula.display:
        frame = f'<span class="mjx-chtml MJXc-display" style="text-align: center;">{frame}</span>'
    preview = '<span class="MathJax_Preview" style="color: inherit; display: none;"></span>'
    return f'{preview}{frame}<script type="math/tex{mode}" id="MathJax-Element-{number}">{formula.tex}</script>'


def mathjax2_saved_html_css(formula: Formula, index: int, rendered: Rendered) -> str:
    """The same for MathJax 2's older output of positioned spans."""
    mathml, number = _one_line(without_tex(rendered["mathjax2-mathml"])), index + 1
    letters = re.findall(r"<m[ino][^>]*>([^<]+)</m[ino]>", mathml)
    glyphs = "".join(
        f'<span class="mi" id="MathJax-Span-{number * 100 + at}" style="font-family: '
        f'MathJax_Math-italic;">{letter}</span>'
        for at, letter in enumerate(letters)
    )
    frame = (
        f'<span class="MathJax" id="MathJax-Element-{number}-Frame" tabindex="0" style="position: relative;" '
        f'data-mathml="'
        f'{escape(mathml)}" role="presentation"><nobr aria-hidden="true"><span class="math" id="MathJax-Span-{number}">'
        f'<span style="display: inline-block;">{glyphs}</span></span></nobr><span class="MJX_Assistive_MathML" '
        f'role="presentation">{mathml}</span></span>'
    )
    mode = "; mode=display" if formula.display else ""
    if formula.display:
        frame = f'<div class="MathJax_Display" style="text-align: center;">{frame}</div>'
    return (
        f'<span class="MathJax_Preview" style="color: inherit;"></span>{frame}'
        f'<script type="math/tex{mode}" id="MathJax-Element-{number}">{formula.tex}</script>'
    )


def mathjax2_without_script(formula: Formula, index: int, rendered: Rendered) -> str:
    """The same page behind a sanitiser that removes scripts."""
    return mathjax2_saved(formula, index, rendered).rpartition("<script")[0]


def latexml(formula: Formula, index: int, rendered: Rendered) -> str:
    """LaTeXML's MathML, with the TeX as attribute and as annotation."""
    return rendered["latexml"].replace(' id="p1.m1"', f' id="p{index + 1}.m1"')


def mathjax3_bare(form: str) -> Writer:
    """MathJax 3 without its MathML for screen readers: glyphs by class or by path alone."""
    return lambda formula, index, rendered: _ASSISTIVE.sub("", rendered[form])


def wikipedia(formula: Formula, index: int, rendered: Rendered) -> str:
    """Wikipedia: MathML with the TeX thrice, and a picture for browsers without MathML."""
    tex, mathml = escape(f"{{\\displaystyle {formula.tex}}}"), _one_line(without_tex(rendered["mathjax2-mathml"]))
    body, kind = mathml[mathml.index(">") + 1 : -len("</math>")], "display" if formula.display else "inline"
    block = ' display="block"' if formula.display else ""
    math = (
        f'<math{block} xmlns="http://www.w3.org/1998/Math/MathML" alttext="{tex}"><semantics><mrow '
        f'class="MJX-TeXAtom-ORD">'
        f'<mstyle displaystyle="true" scriptlevel="0">{body}</mstyle></mrow><annotation '
        f'encoding="application/x-tex">{tex}'
        "</annotation></semantics></math>"
    )
    return (
        f'<span class="mwe-math-element mwe-math-element-{kind}"><span class="mwe-math-mathml-{kind} '
        f'mwe-math-mathml-a11y" '
        f'style="display: none;">{math}</span><img '
        f'src="https://wikimedia.org/api/rest_v1/media/math/render/svg/{index:040x}" '
        f'class="mwe-math-fallback-image-{kind} mw-invert" aria-hidden="true" alt="{tex}"></span>'
    )


def wikipedia_image(formula: Formula, index: int, rendered: Rendered) -> str:
    """Wikipedia's picture alone, as mirrors keep it."""
    tex, kind = escape(f"{{\\displaystyle {formula.tex}}}"), "display" if formula.display else "inline"
    return (
        f'<span class="mwe-math-element"><img '
        f'src="https://wikimedia.org/api/rest_v1/media/math/render/svg/{index:040x}" '
        f'class="mwe-math-fallback-image-{kind}" aria-hidden="true" alt="{tex}"></span>'
    )


def _one_line(mathml: str) -> str:
    return re.sub(r">\s+<", "><", mathml.strip())


RENDERED_MARKUPS = (
    Markup("katex", "B", as_is("katex"), KATEX_CSS, ("katex",)),
    Markup("katex-old", "B", as_is("katex-old"), KATEX_CSS, ("katex-old",)),
    Markup("katex-mathml", "B", as_is("katex-mathml"), "", ("katex-mathml",)),
    Markup("katex-csdn", "B", csdn, KATEX_CSS, ("katex",)),
    Markup("mathjax2-saved", "B", mathjax2_saved, MATHJAX2, ("mathjax2-mathml", "mathjax2-html")),
    Markup("mathjax2-html-css", "B", mathjax2_saved_html_css, MATHJAX2, ("mathjax2-mathml",)),
    Markup("mathjax-node", "B", prerendered, "<style>.mjx-chtml {display: inline-block}</style>", ("mathjax2-html",)),
    Markup("mathjax4-chtml", "B", as_is("mathjax4-chtml"), MATHJAX3, ("mathjax4-chtml",)),
    Markup("mathjax4-svg", "B", as_is("mathjax4-svg"), MATHJAX3, ("mathjax4-svg",)),
    Markup("temml-annotated", "B", as_is("temml-annotated"), "", ("temml-annotated",)),
    Markup("wikipedia", "B", wikipedia, "", ("mathjax2-mathml",)),
    Markup("wikipedia-image", "D", wikipedia_image),
    Markup("mathjax2-no-script", "C", mathjax2_without_script, MATHJAX2, ("mathjax2-mathml", "mathjax2-html")),
    Markup("mathjax3-chtml", "C", as_is("mathjax3-chtml"), MATHJAX3, ("mathjax3-chtml",)),
    Markup("mathjax3-svg", "C", as_is("mathjax3-svg"), MATHJAX3, ("mathjax3-svg",)),
    Markup("mathml-mathjax", "C", bare("mathjax3-mathml"), "", ("mathjax3-mathml",)),
    Markup("mathml-katex", "C", bare("katex-mathml"), "", ("katex-mathml",)),
    Markup("mathml-temml", "C", bare("temml"), "", ("temml",)),
    Markup("mathml-prefixed", "C", prefixed, "", ("mathjax3-mathml",)),
    Markup("mathml-tex4ht-style", "C", tex4ht_style, "", ("mathjax3-mathml",)),
    Markup("katex-html", "H", as_is("katex-html"), KATEX_CSS, ("katex-html",)),
    Markup("katex-sanitised", "H", sanitised, KATEX_CSS, ("katex",)),
    Markup("katex-flattened", "H", flattened, KATEX_CSS, ("katex",)),
    Markup("mathjax3-chtml-bare", "H", mathjax3_bare("mathjax3-chtml"), MATHJAX3, ("mathjax3-chtml",)),
    Markup("mathjax3-svg-bare", "H", mathjax3_bare("mathjax3-svg"), MATHJAX3, ("mathjax3-svg",)),
    Markup("pandoc-mathjax", "A", as_is("pandoc-mathjax"), MATHJAX3, ("pandoc-mathjax",)),
    Markup("pandoc-katex", "A", as_is("pandoc-katex"), KATEX_CSS, ("pandoc-katex",)),
    Markup("pandoc-mathml", "B", as_is("pandoc-mathml"), "", ("pandoc-mathml",)),
    Markup("mathml-pandoc", "C", bare("pandoc-mathml"), "", ("pandoc-mathml",)),
    Markup("pandoc-webtex", "D", as_is("pandoc-webtex"), "", ("pandoc-webtex",)),
    Markup("pandoc-plain", "H", as_is("pandoc-plain"), "", ("pandoc-plain",)),
    Markup("latexml", "B", latexml, '<link rel="stylesheet" href="LaTeXML.css" type="text/css">', ("latexml",)),
    Markup("mathml-latexml", "C", bare("latexml"), "", ("latexml",)),
)
