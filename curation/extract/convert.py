"""Formulas that pages carry in other notations than TeX, as LaTeX; each notation has a file of its own."""

from collections.abc import Callable

from curation.extract.carriers import Carrier
from curation.extract.formulas import token_for
from curation.extract.notation.asciimath import asciimath_to_tex
from curation.extract.notation.katex_html import katex_html_to_mathml
from curation.extract.notation.markup import Unconvertible, read_markup
from curation.extract.notation.mathjax_chtml import mathjax_chtml_to_mathml
from curation.extract.notation.mathjax_svg import mathjax_svg_to_mathml
from curation.extract.notation.mathml import mathml_to_tex
from curation.extract.tex import tidy
from curation.extract.tokens import Formula, Tokens


def _mathml(markup: str) -> str:
    return mathml_to_tex(read_markup(markup))


_CONVERTERS: dict[str, Callable[[str], str]] = {
    "mathml": _mathml,
    "img-mathml": _mathml,
    "katex-html": lambda markup: mathml_to_tex(katex_html_to_mathml(markup)),
    "mathjax-chtml": lambda markup: mathml_to_tex(mathjax_chtml_to_mathml(markup)),
    "mathjax-svg": lambda markup: mathml_to_tex(mathjax_svg_to_mathml(markup)),
    "asciimath": asciimath_to_tex,
}


def token_for_any(carrier: Carrier, tokens: Tokens) -> str:
    """The token for a carrier of TeX or of any other notation; a counted marker for what has no LaTeX."""
    if carrier.tex is not None:
        return token_for(carrier, tokens)
    convert = _CONVERTERS.get(carrier.kind)
    if convert is None:
        return tokens.add_unconverted("", f"{carrier.kind}: no_source")
    markup = carrier.source or (str(carrier.element.html) if carrier.element is not None else "")
    try:
        tex = tidy(convert(markup))
    except Unconvertible as error:
        return tokens.add_unconverted("", f"{carrier.kind}: {error}")
    except Exception as error:  # a fault of ours in one formula must not cost the page; the count shows it
        return tokens.add_unconverted("", f"{carrier.kind}: {type(error).__name__}")
    return tokens.add(Formula(tex, bool(carrier.display), carrier.kind, converted=True)) if tex else ""
