"""Programs that make MathML of formulas: KaTeX, Temml, MathJax 3 and 4, pandoc (texmath), LaTeXML."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import which

from equivalence import rendered
from formulas import Source

PRODUCERS = ("katex", "temml", "mathjax3", "mathjax4", "pandoc", "latexml")
_SOURCES = re.compile(  # where the TeX stands beside the MathML; none of it is left for the converter
    r'<annotation(?:-xml)?\b[^>]*>.*?</annotation(?:-xml)?>|\s(?:alttext|data-latex(?:-item)?|data-tex)="[^"]*"',
    re.DOTALL,
)
_OUTSIDE = re.compile(r"\\begin\{(?:align|gather|equation|multline|alignat|flalign|eqnarray)")
_PREAMBLE = r"\documentclass{article}\usepackage{amsmath,amssymb,mathrsfs,cancel}\newcommand{\R}{\mathbb{R}}"


def is_installed(producer: str) -> bool:
    """Whether the program is there; the JavaScript ones are taken to be."""
    return which({"pandoc": "pandoc", "latexml": "latexmlc"}.get(producer, "node")) is not None


def mathml(producer: str, formulas: Sequence[Source], folder: Path) -> list[str | None]:
    """The MathML of each formula without any TeX in it; None where the producer refuses."""
    if producer == "pandoc":
        made = _pandoc(formulas)
    elif producer == "latexml":
        made = _latexml(formulas, folder)
    else:
        made = rendered(producer, [(formula.tex, formula.display) for formula in formulas])
    return [without_source(markup) if markup else None for markup in made]


def without_source(markup: str) -> str:
    """MathML without annotations and the attributes that hold TeX."""
    return _SOURCES.sub("", markup)


def _pandoc(formulas: Sequence[Source]) -> list[str | None]:
    blocks = []
    for place, formula in enumerate(formulas):
        kind = {"t": "DisplayMath" if formula.display else "InlineMath"}
        blocks.append(_block(f"f{place}", {"t": "Math", "c": [kind, formula.tex]}))
    document = json.dumps({"pandoc-api-version": [1, 22], "meta": {}, "blocks": blocks})
    command = ["pandoc", "-f", "json", "-t", "html", "--mathml", "--wrap=none"]
    page = subprocess.run(command, input=document, text=True, capture_output=True, check=True).stdout
    found = re.findall(r'<div id="f(\d+)">\s*<p>\s*(?:<span[^>]*>)?(<math.*?</math>)', page, re.DOTALL)
    by_place = {int(place): markup for place, markup in found}
    return [by_place.get(place) for place in range(len(formulas))]


def _block(name: str, inline: dict) -> dict:
    return {"t": "Div", "c": [[name, [], []], [{"t": "Para", "c": [inline]}]]}


def _latexml(formulas: Sequence[Source], folder: Path) -> list[str | None]:
    """One document of all formulas; those it reports an error in, or splits, are left out."""
    body = [
        f"\nQQ{place}QQ " + (rf"\[{formula.tex}\]" if formula.display else f"${formula.tex}$") + "\n\n"
        for place, formula in enumerate(formulas)
        if not _OUTSIDE.search(formula.tex) and "$" not in formula.tex
    ]
    source, target = folder / "formulas.tex", folder / "formulas.html"
    source.write_text("\n".join([_PREAMBLE, r"\begin{document}", *body, r"\end{document}"]))
    options = ["--format=html5", "--pmml", "--nodefaultresources", "--nocomments", f"--dest={target}"]
    subprocess.run(["latexmlc", *options, str(source)], capture_output=True, check=False, cwd=folder)
    found: dict[int, str] = {}
    for place, text in re.findall(r"QQ(\d+)QQ(.*?)(?=QQ\d+QQ|\Z)", target.read_text(), re.DOTALL):
        parts = re.findall(r"<math.*?</math>", text, re.DOTALL)
        if len(parts) == 1 and "ltx_ERROR" not in text and "merror" not in text:
            found[int(place)] = parts[0]
    return [found.get(place) for place in range(len(formulas))]
