"""Pages that define macros of their own and write their formulas with them: what counts is the formula spelled out."""

from collections.abc import Callable

from roundtrip.formula import Formula, Markup, Rendered, Writer
from roundtrip.source_markups import MATHJAX2, around

# Abbreviation on the page, and what it stands for.
_SHORT = {
    "\\frac{": "\\ratio{",
    "\\mathbb{R}": "\\RR",
    "\\mathbb{Z}": "\\ZZ",
    "\\mathbb{N}": "\\NN",
    "\\varepsilon": "\\eps",
    "\\operatorname{lcm}": "\\lcm",
    "\\leq": "\\lesseq",
    "\\sqrt{": "\\root{",
}
_MATHJAX2_MACROS = (
    "<script "
    'type="text/x-mathjax-config">\nMathJax.Hub.Config({\n  TeX: {\n    Macros: {\n      RR: "{\\\\mathbb{R}}",\n'
    '      ZZ: "{\\\\mathbb{Z}}",\n      NN: "{\\\\mathbb{N}}",\n      eps: "\\\\varepsilon",\n      lcm: '
    '"\\\\operatorname{lcm}",\n      lesseq: "\\\\leq",\n      root: ["\\\\sqrt{#1}", 1],\n      ratio: '
    '["\\\\frac{#1}{#2}", 2]\n    }\n  }\n});\n</script>' + MATHJAX2
)
_MATHJAX3_MACROS = (
    "<script>\nwindow.MathJax = {\n  tex: {\n    macros: {\n      RR: '\\\\mathbb{R}', ZZ: '\\\\mathbb{Z}', NN: "
    "'\\\\mathbb{N}', // sets\n      eps: '\\\\varepsilon',\n      lcm: '\\\\operatorname{lcm}',\n      lesseq: "
    "'\\\\leq',\n      root: ['\\\\sqrt{#1}', 1],\n      ratio: ['\\\\frac{#1}{#2}', 2],\n    },\n  },\n};\n</script>"
    '<script async src="/assets/mathjax/es5/tex-mml-chtml.js"></script>'
)
_KATEX_MACROS = (
    '<link rel="stylesheet" href="/assets/katex.min.css"><script>document.addEventListener("DOMContentLoaded", () => '
    'renderMathInElement(document.body, {macros: {"\\\\RR": "\\\\mathbb{R}", "\\\\ZZ": "\\\\mathbb{Z}", "\\\\NN": '
    '"\\\\mathbb{N}", "\\\\eps": "\\\\varepsilon", "\\\\lcm": "\\\\operatorname{lcm}", "\\\\lesseq": "\\\\leq", '
    '"\\\\root": "\\\\sqrt{#1}", "\\\\ratio": "\\\\frac{#1}{#2}"}}));</script>'
)
_DEFINITIONS = (
    "\\newcommand{\\RR}{\\mathbb{R}}\n\\newcommand{\\ZZ}{\\mathbb{Z}}\n\\newcommand\\NN{\\mathbb{N}}\n"
    "\\def\\eps{\\varepsilon}\n\\DeclareMathOperator{\\lcm}{lcm}\n\\newcommand{\\lesseq}{\\leq}\n"
    "\\renewcommand{\\root}[1]{\\sqrt{#1}}\n\\newcommand{\\ratio}[2]{\\frac{#1}{#2}}"
)


def abbreviated(write: Writer) -> Writer:
    """A writer that first puts the page's macros into the formula."""
    return lambda formula, index, rendered: write(Formula(_with_macros(formula.tex), formula.display), index, rendered)


def _with_macros(tex: str) -> str:
    for long, short in _SHORT.items():
        tex = tex.replace(long, short if short.endswith("{") else short + " ")
    return tex


def _script(formula: Formula, index: int, _: Rendered) -> str:
    mode = "; mode=display" if formula.display else ""
    return f'<script type="math/tex{mode}">{formula.tex}</script>'


_raw: Callable = around("\\(@\\)", "\\[@\\]")
MACRO_MARKUPS = (
    Markup("macros-mathjax2", "M", abbreviated(_raw), _MATHJAX2_MACROS),
    Markup("macros-mathjax3", "M", abbreviated(_raw), _MATHJAX3_MACROS),
    Markup("macros-katex", "M", abbreviated(_raw), _KATEX_MACROS),
    Markup("macros-script", "M", abbreviated(_script), _MATHJAX2_MACROS),
    Markup(
        "macros-hidden",
        "M",
        abbreviated(_raw),
        MATHJAX2,
        opening=f'<div style="display: none">\\(\n{_DEFINITIONS}\n\\)</div>',
    ),
    Markup(
        "macros-pretext",
        "M",
        abbreviated(_raw),
        MATHJAX2,
        opening=f'<div class="hidden-content mathjax_process" id="latex-macros">\\({_DEFINITIONS}\\)</div>',
    ),
)
