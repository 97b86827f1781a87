"""Markups whose TeX stands in the page's text, in a script or in an attribute, as sites write them."""

from html import escape

from roundtrip.formula import Formula, Markup, Rendered, Writer

MATHJAX2 = '<script type="text/javascript" src="/assets/MathJax-2.7.9/MathJax.js?config=TeX-AMS_CHTML"></script>'
MATHJAX2_DOLLARS = (
    '<script type="text/x-mathjax-config">MathJax.Hub.Config({tex2jax: {inlineMath: [["$","$"],["\\\\(","\\\\)"]], '
    "processEscapes: true}});</script>" + MATHJAX2
)
MATHJAX3 = '<script id="MathJax-script" async src="/assets/mathjax/es5/tex-mml-chtml.js"></script>'
MATHJAX3_DOLLARS = (
    '<script>MathJax = {tex: {inlineMath: [["$", "$"]], processEscapes: true}};</script>'
    '<script async src="/assets/mathjax/es5/tex-svg.js"></script>'
)
KATEX_AUTO = (
    '<link rel="stylesheet" href="/assets/katex.min.css"><script defer src="/assets/contrib/auto-render.min.js" '
    'onload="renderMathInElement(document.body);"></script>'
)


def around(inline: str, display: str) -> Writer:
    """A writer that puts the escaped TeX where `@` stands."""

    def write(formula: Formula, index: int, _: Rendered) -> str:
        frame = (display if formula.display else inline).replace("#", str(index + 1))
        return frame.replace("@", escape(formula.tex, quote=False))

    return write


def in_attribute(inline: str, display: str) -> Writer:
    """A writer that puts the TeX, escaped for an attribute, where `@` stands."""

    def write(formula: Formula, index: int, _: Rendered) -> str:
        frame = (display if formula.display else inline).replace("#", str(index + 1))
        return frame.replace("@", escape(formula.tex))

    return write


def environments(formula: Formula, index: int, _: Rendered) -> str:
    """Display formulas as bare environments, which MathJax typesets without further delimiters."""
    tex = escape(formula.tex, quote=False)
    if not formula.display:
        return f"\\({tex}\\)"
    if tex.startswith("\\begin{aligned}"):
        return tex.replace("{aligned}", "{align*}")
    label = f"\\label{{eq:{index}}}\n" if index % 2 else ""
    name = "equation" if label else "equation*"
    return f"\\begin{{{name}}}{label}{tex}\\end{{{name}}}"


def script(formula: Formula, index: int, _: Rendered) -> str:
    """MathJax 2 before it has run: nothing but the script."""
    mode = "; mode=display" if formula.display else ""
    return f'<script type="math/tex{mode}">{formula.tex}</script>'


def with_preview(formula: Formula, index: int, rendered: Rendered) -> str:
    """A script behind what readers see until it has run."""
    preview = f'<span class="MathJax_Preview">{escape(formula.tex, quote=False)}</span>'
    return preview + script(formula, index, rendered)


def kramdown(formula: Formula, index: int, _: Rendered) -> str:
    """What kramdown writes: TeX with characters that XML needs escaped goes into CDATA."""
    mode = "; mode=display" if formula.display else ""
    tex = f"% <![CDATA[\n{formula.tex} %]]>" if {"<", "&"} & set(formula.tex) else formula.tex
    return f'<script type="math/tex{mode}">{tex}</script>'


def mangled(formula: Formula, _: int, __: Rendered) -> str:
    """TeX between dollars after a Markdown processor has read pairs of underscores as emphasis."""
    pieces = escape(formula.tex, quote=False).split("_")
    pairs = (len(pieces) - 1) // 2
    text = pieces[0]
    for number, piece in enumerate(pieces[1:]):
        text += ("<em>", "</em>")[number % 2] + piece if number < 2 * pairs else "_" + piece
    return f"$${text}$$" if formula.display else f"${text}$"


def with_breaks(formula: Formula, _: int, __: Rendered) -> str:
    """Display formulas whose lines an editor has ended with `<br>`."""
    tex = escape(formula.tex, quote=False)
    if not formula.display:
        return f"${tex}$"
    return "$$<br />\n" + tex.replace("\n", "<br />\n").replace(" = ", "<br>\n= ", 1) + "<br />\n$$"


SOURCE_MARKUPS = (
    Markup("parentheses", "A", around("\\(@\\)", "\\[@\\]"), MATHJAX3),
    Markup("dollars-mathjax2", "A", around("$@$", "$$@$$"), MATHJAX2_DOLLARS, dollars=True),
    Markup("dollars-mathjax3", "A", around("$@$", "$$@$$"), MATHJAX3_DOLLARS, dollars=True),
    Markup("katex-auto", "A", around("\\(@\\)", "$$@$$"), KATEX_AUTO),
    Markup("environments", "A", environments, MATHJAX2),
    Markup("itex", "A", around("[itex]@[/itex]", "[tex]@[/tex]"), MATHJAX2),
    Markup("tex-tags", "A", around("[tex]@[/tex]", "<div>[tex]@[/tex]</div>"), MATHJAX2),
    Markup("markdown-mangled", "A", mangled, MATHJAX2_DOLLARS, dollars=True),
    Markup("dollars-br", "A", with_breaks, MATHJAX2_DOLLARS, dollars=True),
    Markup(
        "stackexchange",
        "A",
        around('<span class="math-container">$@$</span>', '<span class="math-container">$$@$$</span>'),
        MATHJAX2_DOLLARS,
        dollars=True,
    ),
    Markup(
        "sphinx-mathjax",
        "A",
        around(
            '<span class="math notranslate nohighlight">\\(@\\)</span>',
            '<div class="math notranslate nohighlight">\n\\[@\\]</div>',
        ),
        MATHJAX3,
    ),
    Markup(
        "doxygen-mathjax",
        "A",
        around('<span class="formulaInl">\\(@\\)</span>', '<p class="formulaDsp">\n\\[ @ \\]\n</p>'),
        MATHJAX2,
    ),
    Markup(
        "pretext",
        "A",
        around(
            '<span class="process-math">\\(@\\)</span>',
            '<div class="displaymath process-math" data-contains-math-knowls="">\\begin{equation*}\n@\n'
            "\\end{equation*}</div>",
        ),
        MATHJAX3,
    ),
    Markup(
        "arithmatex",
        "A",
        around('<span class="arithmatex">\\(@\\)</span>', '<div class="arithmatex">\\[@\\]</div>'),
        MATHJAX3,
    ),
    Markup(
        "moodle",
        "A",
        around(
            '<span class="filter_mathjaxloader_equation"><span class="nolink">\\(@\\)</span></span>',
            '<span class="filter_mathjaxloader_equation"><span class="nolink">\\[@\\]</span></span>',
        ),
        MATHJAX2,
    ),
    Markup("discourse", "A", around('<span class="math">@</span>', '<div class="math">\n@\n</div>')),
    Markup(
        "jsmath",
        "A",
        around('<span class="math">@</span>', '<div class="math">@</div>'),
        '<script src="/jsMath/easy/load.js"></script>',
    ),
    Markup(
        "gitlab",
        "A",
        around(
            '<code class="code math js-render-math" data-math-style="inline">@</code>',
            '<pre class="code math js-render-math" data-math-style="display"><code>@</code></pre>',
        ),
    ),
    Markup(
        "github",
        "A",
        around(
            '<math-renderer class="js-inline-math" style="display: inline-block" data-run-id="a#">$@$</math-renderer>',
            '<math-renderer class="js-display-math" style="display: block" data-run-id="a#">$$@$$</math-renderer>',
        ),
    ),
    Markup(
        "distill",
        "A",
        around("<d-math>@</d-math>", "<d-math block>@</d-math>"),
        '<script src="https://distill.pub/template.v2.js"></script>',
    ),
    Markup(
        "wp-katex",
        "A",
        around(
            '<span class="wp-katex-eq" data-display="false">@</span>',
            '<span class="wp-katex-eq katex-display" data-display="true">@</span>',
        ),
    ),
    Markup(
        "quora",
        "A",
        around(
            '<span class="qtext_math">[math]@[/math]</span>',
            '<span class="qtext_math">[math]\\displaystyle @[/math]</span>',
        ),
        MATHJAX2,
    ),
    Markup(
        "jats-tex-math",
        "A",
        around("<tex-math>@</tex-math>", '<div class="disp-formula"><tex-math>@</tex-math></div>'),
    ),
    Markup("script-tex", "B", script, MATHJAX2),
    Markup("kramdown", "B", kramdown, MATHJAX2),
    Markup("script-preview", "B", with_preview, MATHJAX2),
    Markup(
        "data-tex",
        "B",
        in_attribute(
            '<span class="ztext-math" data-eeimg="1" data-tex="@"></span>',
            '<p><span class="ztext-math" data-eeimg="1" data-tex="@ \\\\"></span></p>',
        ),
    ),
    Markup(
        "khan-data-expr",
        "B",
        in_attribute(
            '<span class="perseus-math" data-expr="@"><span aria-hidden="true">…</span></span>',
            '<div class="perseus-block-math" data-expr="@"><span aria-hidden="true">…</span></div>',
        ),
    ),
)
