"""Markups whose formulas are pictures: the TeX is in the address, in the alternative text, or in both."""

from html import escape
from urllib.parse import quote

from roundtrip.formula import Formula, Markup, Rendered, Writer
from roundtrip.source_markups import in_attribute

RAW = "=+()[]{},^_/:;'*!|"  # what people leave unescaped who write the address by hand


def address(pattern: str, space: str = "%20", safe: str = "", centred: str = '<p align="center">@</p>') -> Writer:
    """A writer of pictures with the TeX in their address at `@`, blanks as `space`, and in their text at `#`."""

    def write(formula: Formula, index: int, _: Rendered) -> str:
        source = quote(formula.tex, safe=safe).replace("%20", space).replace("%0A", space)
        image = pattern.replace("@", source).replace("#", escape(formula.tex))
        return centred.replace("@", image) if formula.display else image

    return write


def codecogs_inline(formula: Formula, index: int, rendered: Rendered) -> str:
    """codecogs with its settings in front of the TeX."""
    setting = "\\dpi{120}&amp;space;\\large&amp;space;" if formula.display else "\\inline&amp;space;\\fn_cm&amp;space;"
    write = address(f'<img src="http://latex.codecogs.com/gif.latex?{setting}@" border="0"/>', "&amp;space;", RAW)
    return write(formula, index, rendered)


def aops(formula: Formula, index: int, _: Rendered) -> str:
    """Art of Problem Solving: TeX with its dollars in the alternative text."""
    tex = escape(formula.tex)
    source = f"https://latex.artofproblemsolving.com/{index:x}/1/a{index:04x}.png"
    if formula.display:
        return f'<p><img src="{source}" class="latexcenter" alt="\\[{tex}\\]" width="200" height="40"></p>'
    return f'<img src="{source}" class="latex" alt="${tex}$" style="vertical-align: -1px" width="14" height="13">'


def wiris(formula: Formula, index: int, rendered: Rendered) -> str:
    """WIRIS and MathType: MathML in an attribute, its marks replaced by characters that attributes allow."""
    mathml = rendered["mathjax3-mathml"].replace("\n", "")
    safe = mathml.replace("&", "§").replace("<", "«").replace(">", "»").replace('"', "¨")
    return (
        f'<img class="Wirisformula" role="math" alt="formula {index + 1}" src="/pluginwiris_engine/app/showimage?'
        f'formula={index:032x}" data-mathml="{escape(safe)}" align="middle">'
    )


IMAGE_MARKUPS = (
    Markup(
        "wordpress-latex",
        "D",
        address(
            '<img src="https://s0.wp.com/latex.php?latex=@&amp;bg=ffffff&amp;fg=333333&amp;s=0" alt="#" title="#" '
            'class="latex" />',
            "+",
        ),
    ),
    Markup(
        "wordpress-url",
        "D",
        address(
            '<img src="https://s0.wp.com/latex.php?latex=@&amp;bg=ffffff&amp;fg=000000&amp;s=0" class="latex">', "+"
        ),
    ),
    Markup("codecogs", "D", address('<img src="https://latex.codecogs.com/gif.latex?@">', safe=RAW)),
    Markup("codecogs-alt", "D", address('<img src="https://latex.codecogs.com/svg.image?@" title="#" alt="#">')),
    Markup("codecogs-space", "D", address('<img src="https://latex.codecogs.com/png.latex?@">', "&amp;space;", RAW)),
    Markup("codecogs-inline", "D", codecogs_inline),
    Markup("aops", "D", aops),
    Markup(
        "wikipedia-old",
        "D",
        in_attribute(
            '<img class="tex" alt="@" src="//upload.wikimedia.org/math/a/b/c/abc#.png" />',
            '<dl><dd><img class="tex" alt="@" src="//upload.wikimedia.org/math/a/b/c/abc#.png" /></dd></dl>',
        ),
    ),
    Markup(
        "quicklatex",
        "D",
        in_attribute(
            '<img src="https://example.org/wp-content/ql-cache/quicklatex.com-ab#_l3.png" class="ql-img-inline-formula '
            'quicklatex-auto-format" alt="@" title="Rendered by QuickLaTeX.com" height="13" width="40" />',
            '<p class="ql-center-displayed-equation" style="line-height: 43px;"><span class="ql-right-eqno"> &nbsp; '
            "</span>"
            '<span class="ql-left-eqno"> &nbsp; </span><img src="https://example.org/wp-content/ql-cache/'
            'quicklatex.com-ab#_l3.png" class="ql-img-displayed-equation quicklatex-auto-format" alt="\\[@\\]" '
            'title="Rendered by QuickLaTeX.com" /></p>',
        ),
    ),
    Markup(
        "doxygen-image",
        "D",
        in_attribute(
            '<img class="formulaInl" alt="$@$" src="form_#.png"/>',
            '<p class="formulaDsp">\n<img class="formulaDsp" alt="\\[ @ \\]" src="form_#.png"/>\n</p>',
        ),
    ),
    Markup(
        "latex2html",
        "D",
        in_attribute(
            '<IMG WIDTH="40" HEIGHT="32" ALIGN="MIDDLE" BORDER="0" SRC="img#.png" ALT="$@$">',
            '<DIV ALIGN="CENTER"><IMG WIDTH="240" HEIGHT="52" ALIGN="MIDDLE" BORDER="0" SRC="img#.png" '
            'ALT="\\begin{displaymath}@\\end{displaymath}"></DIV>',
        ),
    ),
    Markup(
        "sphinx-imgmath",
        "D",
        in_attribute(
            '<img class="math" src="../_images/math/ab#.png" alt="@" style="vertical-align: -4px"/>',
            '<div class="math">\n<p><img src="../_images/math/ab#.png" alt="@"/></p>\n</div>',
        ),
    ),
    Markup("google-chart", "D", address('<img src="https://chart.googleapis.com/chart?cht=tx&amp;chl=@">')),
    Markup("github-render", "D", address('<img src="https://render.githubusercontent.com/render/math?math=@">')),
    Markup(
        "zhihu-eeimg",
        "D",
        address('<img src="https://www.zhihu.com/equation?tex=@" alt="#" class="ee_img tr_noresize" eeimg="1">'),
    ),
    Markup("mathtex-cgi", "D", address('<img src="/cgi-bin/mathtex.cgi?@" alt="" border="0" align="middle">')),
    Markup("wiris", "C", wiris, forms=("mathjax3-mathml",)),
)
