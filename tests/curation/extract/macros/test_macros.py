"""Macros that a page defines are expanded as its renderer expands them; everything else stays as written."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.extract.macros.commands import is_standard, undefined_commands
from curation.extract.macros.configured import configured_macros
from curation.extract.macros.definitions import read_definitions, strip_definitions
from curation.extract.macros.expand import Macros, read_macros

DEFINITIONS = r"""
\newcommand{\N}{\mathbb N} \newcommand\R{\mathbb{R}} \newcommand{\inv}{^{-1}} \newcommand{\card}[1]{\left| #1 \right|}
\newcommand{\opt}[2][x]{#1+#2} \def\eps{\varepsilon} \DeclareMathOperator*{\im}{im} \DeclareMathOperator{\id}{id}
\let\oldvec\vec \renewcommand{\vec}[1]{\oldvec{\mathbf{#1}}} \newcommand{\amp}{&} \def\loop{\loop} \newcommand{\n}{n}
\newcommand{\sum@x}{no} \newcommand{\bx}{\mathbf{x}} \newcommand{\ab}{a+b} \def\dd#1#2{\frac{d#1}{d#2}}
\let\phi\varphi \let\varphi\phi \providecommand{\frac}{bad} \providecommand{\mine}{ok} \newcommand{\pay}{$5}
\newcommand{\R}{\mathbb{R}}
"""


@pytest.fixture(scope="module")
def macros() -> Macros:
    """The macros of a page that defines them in TeX."""
    return read_macros("", [DEFINITIONS])


@pytest.mark.parametrize(
    ("tex", "expanded"),
    [
        (r"f:\N\to\N", r"f:\mathbb N\to\mathbb N"),
        (r"\eps x", r"\varepsilon x"),
        (r"\eps\n", r"\varepsilon n"),
        (r"\alpha\n", r"\alpha n"),
        (r"x^\R y_\N", r"x^{\mathbb{R}} y_{\mathbb N}"),
        (r"x\_\R", r"x\_\mathbb{R}"),
        (r"\frac\N2", r"\frac{\mathbb N}2"),
        (r"\frac1\ab", r"\frac1{a+b}"),
        (r"\sqrt[3]\ab", r"\sqrt[3]{a+b}"),
        (r"\hat\bx", r"\hat{\mathbf{x}}"),
        (r"\hat\n", r"\hat n"),
        (r"\card A", r"\left| A \right|"),
        (r"\card{\card{A}}", r"\left| \left| A \right| \right|"),
        (r"\card\N", r"\left| \mathbb N \right|"),
        (r"\opt{y}+\opt[z]{y}", r"x+y+z+y"),
        (r"\im_{x} y^\id", r"\operatorname*{im}_{x} y^{\operatorname{id}}"),
        (r"\vec x", r"\vec{\mathbf{x}}"),
        (r"\dd{y}\eps z", r"\frac{dy}{d\varepsilon} z"),
        (r"f\inv(x)", r"f^{-1}(x)"),
        (r"a \amp b \\N \{\N\} a\\\N", r"a & b \\N \{\mathbb N\} a\\\mathbb N"),
        (r"\phi+\varphi", r"\varphi+\varphi"),
        (r"\frac12\mine", r"\frac12ok"),
    ],
)
def test_expansion(macros: Macros, tex: str, expanded: str) -> None:
    """Arguments, defaults and aliases are right, and a body is braced where LaTeX would take only its first token."""
    assert macros.expand(tex) == expanded


@pytest.mark.parametrize(
    "tex", [r"\loop+1", r"\card", r"{\card}", r"\card & x", r"\card{x", r"\opt", r"\pay", r"\Nat", "x"]
)
def test_what_cannot_be_expanded_stays(macros: Macros, tex: str) -> None:
    """Macros without end, without arguments, or with a dollar that would end the formula; longer names."""
    assert macros.expand(tex) == tex


@pytest.mark.parametrize(
    ("definitions", "tex"),
    [
        (
            "".join(rf"\def\a{a}{{\a{b}\a{b}}}" for a, b in zip("abcdefghijklmnop", "bcdefghijklmnopq", strict=True)),
            r"\aa",
        ),
        (r"\def\d#1{#1#1#1}\def\e{}", r"\d{" * 200 + r"\e" + "}" * 200),
        (r"\def\a{}", r"\a" * 9000),
        (r"\def\a#1{#1}", r"\a{" * 5000),
        (r"\def\a{\b}\def\b{\a}", r"\a\b"),
    ],
)
def test_bombs_stay_as_written(definitions: str, tex: str) -> None:
    """What would grow or run without end is not expanded at all."""
    assert read_macros("", [definitions]).expand(tex) == tex


CONFIG = r"""<script type="text/x-mathjax-config">
MathJax.Hub.Config({ TeX: { Macros: { // RR: "wrong"
  RR: '{\\bf R}', /* a } here */ bold: ["{\\bf #1}", 1], 'opt': ["#1+#2", 2, "a"], e: "\\mathrm" + '{e}',
  fn: function (a, b) { return "}"; }, cancel: ["Extension", "cancel"], sum: x ? "a" : "b", u: "\u211D\x41",
  t: `\\mathbb{T}`, raw: String.raw`\mathbb{Q}`, bad: `${x}`, n: 5, last: "z", }, extensions: ["x"] }});
</script><p>macros: {fake: "no"}</p>
<script>renderMathInElement(document.body, {macros: {"\\Z": "\\mathbb{Z}", "\\f": "#1f(#2)", ...more,
  g() { return 1 }, "\\w": "w"}});
MathJax.tex.macros = {late: "l"};</script>
<div data-katex-macros='{&quot;\\A&quot;: &quot;\\mathbb{A}&quot;}'></div>"""


def test_configuration_is_read_not_run() -> None:
    """MathJax and KaTeX configurations with comments, functions, joined, raw and template strings."""
    found = {entry.name: (entry.body, entry.arguments, entry.default) for entry in configured_macros(CONFIG)}
    assert found == {
        "RR": (r"{\bf R}", 0, None),
        "bold": (r"{\bf #1}", 1, None),
        "opt": ("#1+#2", 2, "a"),
        "e": (r"\mathrm{e}", 0, None),
        "u": ("ℝA", 0, None),
        "t": (r"\mathbb{T}", 0, None),
        "raw": (r"\mathbb{Q}", 0, None),
        "last": ("z", 0, None),
        "Z": (r"\mathbb{Z}", 0, None),
        "f": ("#1f(#2)", 2, None),
        "w": ("w", 0, None),
        "late": ("l", 0, None),
        "A": (r"\mathbb{A}", 0, None),
    }


def test_configured_macros_expand() -> None:
    """Bytes are read as well as text, and definitions in TeX come after the scripts."""
    macros = read_macros(CONFIG.encode(), [r"\def\w{\RR}"])
    assert macros.expand(r"\bold x\in\RR, \opt{b}, \f ab, \w") == r"{\bf x}\in{\bf R}, a+b, af(b), {\bf R}"


@pytest.mark.parametrize(
    "piece", ["macros:{", 'macros:{a:"', "macros:{a:[", "macros:{/*", "macros:{a:((", "macros:{a:1]", 'a:"\\"']
)
def test_broken_scripts_end(piece: str) -> None:
    """Literals that never close, or close wrongly, give nothing."""
    assert not list(configured_macros("<script>macros:{x:[" + piece * 3000))


@pytest.mark.parametrize(
    ("tex", "rest", "definitions"),
    [
        (r"\newcommand{\N}{\mathbb{N}}\newcommand\st[1]{:#1} \N", r"\N", 2),
        (r"\def\x#1#2{a{b}c}\let\y=\x\DeclareMathOperator*{\im}{im} z", "z", 3),
        (r"a\alpha\def\x{1}b", r"a\alpha b", 1),
        (r"\newcommand{\N}{unclosed", "", 1),
        (r"\def\x#1.{..} q", "q", 1),
        (r"\require{cancel}\cancel x", r"\cancel x", 1),
        (r"\definecolor{a}{rgb}{1,0,0} x", "x", 1),
        (r"\global\let\a\b z", "z", 1),
        (r"x \\def\\ y", r"x \\def\\ y", 0),
        (r"\let x \defn", r"\let x \defn", 0),
        (" x ", " x ", 0),
    ],
)
def test_definitions_leave_the_formula(tex: str, rest: str, definitions: int) -> None:
    """Definitions and settings go wherever they stand; a formula without any is the same."""
    found = strip_definitions(tex)
    assert found[0] == rest
    assert len(found[1].splitlines()) == definitions


@given(st.text(alphabet="\\{}[]#12 abdefltnw\n=*", max_size=80))
def test_anything_can_be_read(tex: str) -> None:
    """No text is too broken to look for definitions in, and stripped definitions define the same again."""
    rest, definitions = strip_definitions("\\def\\a{b}" + tex)
    assert [*read_definitions(definitions)][:1] == [*read_definitions("\\def\\a{b}")]
    read_macros("", [tex]).expand(rest)


def test_undefined_commands() -> None:
    """Each name once, in order; letters behind a line break are no command."""
    assert undefined_commands(r"\frac{\foo}{\bar}\foo\\baz \qux{\tfrac12}") == ["foo", "qux"]
    assert undefined_commands("x^2") == []
    assert all(map(is_standard, ["frac", "pmod", "operatorname", "ce", "bm", "tag", "qty", "hfill", "coloneqq"]))
    assert not any(map(is_standard, ["ZZ", "vtx", "card", "amp", "xymatrix"]))


def test_macro_lists_of_real_books(shared_data: Path) -> None:
    """PreTeXt books carry their macros in a hidden formula: with it, hardly a command is undefined."""
    before = after = 0
    with gzip.open(shared_data / "webmath-sample.formulas.jsonl.gz", "rt", encoding="utf-8") as lines:
        pages = [page for page in map(json.loads, lines) if "\\newcommand{\\amp}" in page["formulas"][0]["tex"]]
    for page in pages:
        stripped = [strip_definitions(formula["tex"]) for formula in page["formulas"]]
        macros = read_macros("", [definitions for _, definitions in stripped])
        before += sum(bool(undefined_commands(rest)) for rest, _ in stripped)
        after += sum(bool(undefined_commands(macros.expand(rest))) for rest, _ in stripped)
    assert len(pages) > 70
    assert before > 700
    assert after == 0
