"""Markdown pages with `$…$` as HTML, their formulas written in the ways the web writes mathematics."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from markdown_it import MarkdownIt

RENDERER = Path(__file__).parent.parent / "render" / "render.mjs"
CODE_OR_MATH = re.compile(r"(?P<code>```.*?```|`[^`]*`)|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL)
PLACEHOLDER = re.compile(r"(?P<open><p>)?qzformula(?P<index>\d+)z(?P<close></p>)?")


@dataclass(frozen=True)
class Formula:
    """One formula of a page, without delimiters."""

    tex: str
    display: bool


Writer = Callable[[Formula, int], str]


def split_formulas(markdown: str) -> tuple[str, list[Formula]]:
    """The text with each formula replaced by an opaque word, and the formulas in order; code is left alone."""
    formulas: list[Formula] = []

    def opaque(match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        formulas.append(Formula((match["display"] or match["inline"]).strip(), match["display"] is not None))
        return f"qzformula{len(formulas) - 1}z"

    return CODE_OR_MATH.sub(opaque, markdown), formulas


def render(wanted: Iterable[tuple[str, Formula]]) -> dict[tuple[str, Formula], str]:
    """The HTML of every (renderer, formula) pair by KaTeX, MathJax and Temml, in one run of node."""
    pairs = list(dict.fromkeys(wanted))
    lines = "".join(json.dumps({"form": form, "tex": f.tex, "display": f.display}) + "\n" for form, f in pairs)
    done = subprocess.run(["node", str(RENDERER)], input=lines, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{RENDERER}: node failed; run `npm install --no-package-lock` beside it first.\n{done.stderr[-2000:]}"
        )
    return {pair: json.loads(line)["html"] for pair, line in zip(pairs, done.stdout.splitlines(), strict=True)}


def delimited(inline: tuple[str, str], display: tuple[str, str]) -> Writer:
    """A writer that leaves the LaTeX in the text between delimiters."""

    def write(formula: Formula, _: int) -> str:
        before, after = display if formula.display else inline
        return before + escape(formula.tex, quote=False) + after

    return write


def script(formula: Formula, index: int) -> str:
    """MathJax 2 after typesetting: a preview and a script element."""
    mode = "; mode=display" if formula.display else ""
    preview = escape(formula.tex, quote=False)
    return (
        f'<span class="MathJax_Preview">{preview}</span><script type="math/tex{mode}" '
        f'id="MathJax-Element-{index + 1}">{formula.tex}</script>'
    )


def wordpress(formula: Formula, _: int) -> str:
    """The image of a WordPress blog: LaTeX in `alt`, `title` and the address."""
    tex, source = escape(formula.tex), quote(formula.tex, safe="")
    image = (
        f'<img src="https://s0.wp.com/latex.php?latex={source}&amp;bg=ffffff&amp;fg=333333&amp;s=0&amp;c=20201002" '
        f'alt="{tex}" title="{tex}" class="latex" />'
    )
    return f'<span style="display:block;text-align:center">{image}</span>' if formula.display else image


def codecogs(formula: Formula, index: int) -> str:
    """An image of the codecogs service: LaTeX in the address, and in `alt` only now and then."""
    source = quote(formula.tex.replace(" ", "&space;"), safe="&;=+()[]{},")
    alt = f' alt="{escape(formula.tex)}"' if index % 3 else ""
    image = (
        f'<img src="https://latex.codecogs.com/{"svg.image" if index % 2 else "gif.latex"}?{escape(source)}"{alt} '
        f'border="0">'
    )
    return f"<center>{image}</center>" if formula.display else image


def latexml(mathml: str, formula: Formula, index: int) -> str:
    """The MathML as LaTeXML writes it: `alttext`, classes and an annotation."""
    body = mathml[mathml.index(">") + 1 : mathml.rindex("</math>")]
    tex, mode = escape(formula.tex), "block" if formula.display else "inline"
    kept = "".join(line.strip() for line in body.splitlines())
    math = (
        f'<math id="S1.m{index + 1}" class="ltx_Math" alttext="{tex}" display="{mode}"><semantics><mrow>{kept}</mrow>'
        f'<annotation encoding="application/x-tex">{escape(formula.tex, quote=False)}</annotation></semantics></math>'
    )
    return (
        f'<table class="ltx_equation ltx_eqn_table"><tbody><tr><td '
        f'class="ltx_eqn_cell">{math}</td></tr></tbody></table>'
        if formula.display
        else math
    )


SOURCE_FORMS: dict[str, Writer] = {
    "katex-auto": delimited(("\\(", "\\)"), ("$$", "$$")),
    "mathjax3-source": delimited(("\\(", "\\)"), ("\\[", "\\]")),
    "dollars": delimited(("$", "$"), ("$$", "$$")),
    "stackexchange": delimited(
        ('<span class="math-container">$', "$</span>"), ('<span class="math-container">$$', "$$</span>")
    ),
    "pandoc": delimited(
        ('<span class="math inline">\\(', "\\)</span>"), ('<span class="math display">\\[', "\\]</span>")
    ),
    "mathjax2-script": script,
    "wordpress": wordpress,
    "codecogs": codecogs,
}
RENDERED_FORMS = {
    "katex": "katex",
    "temml": "temml",
    "mathml": "mathml-temml",
    "mathml-mathjax": "mathml-mathjax",
    "mathjax-svg": "mathjax-svg",
    "mathjax-chtml": "mathjax-chtml",
    "latexml": "mathml-mathjax",
}
FORMS = (*SOURCE_FORMS, *RENDERED_FORMS)
WRAPPED_IN_DIV = {"latexml", "codecogs", "wordpress", "mathjax-svg", "mathjax-chtml"}


def to_html(text: str) -> str:
    """Markdown as HTML; formulas have to be opaque words already."""
    return MarkdownIt("commonmark").enable("table").render(text)


def write_page(markdown: str, form: str, rendered: dict[tuple[str, Formula], str]) -> str:
    """The HTML of a page body with its formulas in the given form; `rendered` holds what node made of them."""
    text, formulas = split_formulas(markdown)

    def formula_html(match: re.Match[str]) -> str:
        index = int(match["index"])
        formula = formulas[index]
        if form in SOURCE_FORMS:
            html = SOURCE_FORMS[form](formula, index)
        else:
            html = rendered[RENDERED_FORMS[form], formula]
            html = latexml(html, formula, index) if form == "latexml" else html
        before, after = match["open"] or "", match["close"] or ""
        return f"<div>{html}</div>" if before and after and form in WRAPPED_IN_DIV else before + html + after

    return PLACEHOLDER.sub(formula_html, to_html(text))
