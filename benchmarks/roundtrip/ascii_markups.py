"""AsciiMath: backquotes before the script has run, MathJax's scripts, and the MathML that ASCIIMathML leaves behind."""

from html import escape

from roundtrip.formula import Formula, Markup, Rendered

_MATHJAX2 = '<script src="/assets/MathJax-2.7.9/MathJax.js?config=AM_CHTML"></script>'
_MATHJAX3 = (
    '<script>MathJax = {loader: {load: ["input/asciimath", "output/chtml"]}};</script>'
    '<script async src="/assets/mathjax/es5/startup.js"></script>'
)
_ASCIIMATHML = '<script type="text/javascript" src="ASCIIMathML.js"></script>'


def _quoted(formula: Formula, index: int, _: Rendered) -> str:
    text = f"`{escape(formula.ascii, quote=False)}`"
    return f"<div style='text-align:center'>{text}</div>" if formula.display else text


def _script(formula: Formula, index: int, _: Rendered) -> str:
    return (
        f'<span class="MathJax_Preview"></span><script type="math/asciimath" id="MathJax-Element-{index + 1}">'
        f"{formula.ascii}</script>"
    )


def _amath(formula: Formula, index: int, _: Rendered) -> str:
    return f'<span class="AM">`{escape(formula.ascii, quote=False)}`</span>'


def _titled(formula: Formula, index: int, rendered: Rendered) -> str:
    """ASCIIMathML's own output keeps the source as a title."""
    mathml = rendered["mathjax3-mathml"].replace("\n", "")
    body = mathml[mathml.index(">") + 1 : mathml.rindex("</math>")]
    return f'<math title="{escape(formula.ascii)}"><mstyle mathcolor="blue" displaystyle="true">{body}</mstyle></math>'


ASCII_MARKUPS = (
    Markup("ascii-mathjax2", "S", _quoted, _MATHJAX2),
    Markup("ascii-mathjax3", "S", _quoted, _MATHJAX3),
    Markup("ascii-script", "S", _script, _MATHJAX2),
    Markup("ascii-mathml-js", "S", _amath, _ASCIIMATHML),
    Markup("ascii-title", "S", _titled, _ASCIIMATHML, ("mathjax3-mathml",)),
)
