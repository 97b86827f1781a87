"""AsciiMath becomes the LaTeX that its author would have written, and prose between backticks stays prose."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.extract.notation.asciimath import MAX_CHARS, asciimath_to_tex
from curation.extract.notation.asciimath_pages import looks_like_asciimath, page_uses_asciimath
from curation.extract.notation.markup import Unconvertible

LINES = Path(__file__).with_name("asciimath.tsv").read_text(encoding="utf-8").splitlines()
TABLE = [line.split("\t") for line in LINES if "\t" in line]


@pytest.mark.parametrize(("source", "tex"), TABLE)
def test_the_whole_language(source: str, tex: str) -> None:
    """Signs, fractions, scripts, functions, fonts, accents, brackets, matrices and text."""
    assert asciimath_to_tex(source) == tex


@pytest.mark.parametrize(("source", "tex"), TABLE)
def test_formulas_are_told_from_prose(source: str, tex: str) -> None:
    """Every formula of the table passes, but for one that could be a call."""
    assert looks_like_asciimath(source) or source == "tt(code)"


@pytest.mark.parametrize(
    ("source", "tex"),
    [
        ("f^2'", "f^2{}'"),  # LaTeX allows no prime behind a superscript
        ("'_1^2", "'^2_1"),  # and wants a superscript next to the prime
        ("alphax", "\\alpha x"),
        ("sinx", "\\sin x"),
        ("(log)^(det)", "(\\log)^{\\det}"),
        ('x "50% of $5_"', "x \\text{50\\% of \\$5\\_}"),
        ('"a\\b{c}"', "\\text{a\\textbackslash{}b\\{c\\}}"),
        ("root([x])(y)", "\\sqrt[{[x]}]{y}"),
        ("root(a_([2]))(y)", "\\sqrt[{a_{[2]}}]{y}"),
        ("x/", "\\frac{x}{}"),
        ("x^", "x^{}"),
        ("(a+b", "(a+b"),
        ("a+b)", "a+b)"),
        ("a |-- b | c", "a \\vdash b \\mid c"),
        ("(|a|,b)", "(|a|,b)"),
        ("{:x^2:}^3", "{x^2}^3"),
        ("x &lt; y&nbsp;z", "x < y z"),
        ("E=mc^2\\", "E=mc^2"),
        ("x in \\{1,2\\}", "x \\in \\{1,2\\}"),
        ("color(x:y)(z)", "{z}"),
        ('"', None),
        ("  ", None),
    ],
)
def test_corners(source: str, tex: str | None) -> None:
    """What LaTeX would not take is written so that it does; a lone quote is nothing."""
    if tex is None:
        with pytest.raises(Unconvertible, match="^empty$"):
            asciimath_to_tex(source)
    else:
        assert asciimath_to_tex(source) == tex


@pytest.mark.parametrize("piece", ["(", "sqrt ", "sin ", "sin^2 ", "[[a,b],", "hat "])
def test_depth_has_a_bound(piece: str) -> None:
    """A formula nested beyond reason is refused, whatever nests it."""
    with pytest.raises(Unconvertible, match="^too_deep$"):
        asciimath_to_tex(piece * 500)


def test_length_has_a_bound() -> None:
    """The longest formula is read, one character more is not."""
    assert asciimath_to_tex("|" * MAX_CHARS).count("|") == MAX_CHARS
    with pytest.raises(Unconvertible, match="^too_large$"):
        asciimath_to_tex("x" * (MAX_CHARS + 1))


@given(
    st.lists(
        st.sampled_from([*"()[]{}|,^_/'\"-xf2 \\", "sin", "sqrt", "frac", "text(", "{:", ":}", "hat"]), max_size=40
    )
)
def test_anything_gives_balanced_braces(parts: list[str]) -> None:
    """Whatever stands between two backticks, its LaTeX never leaves a group open, or it is refused."""
    try:
        tex = asciimath_to_tex("".join(parts))
    except Unconvertible:
        return
    bare = tex.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    assert bare.count("{") == bare.count("}")
    assert tex.count("\\left") == tex.count("\\right")


@pytest.mark.parametrize(
    "text",
    [
        "npm install", "README", "user_type", "foo()", "a == b", "x += 1", "print(x)", "console.log(x)", "type the key",
        "getElementById", "std::vector", "<div>", "https://a.b/c", "src/main.py", "if (a && b) {", "return x;", "",
        "a\n\nb", "x" * 1001,
    ],
)  # fmt: skip
def test_code_and_prose_are_no_formulas(text: str) -> None:
    """Calls, paths, tags, operators of programming languages, and words that AsciiMath would tear into letters."""
    assert not looks_like_asciimath(text)


@pytest.mark.parametrize(
    ("html", "uses"),
    [
        (b'<script src="https://cdn.example/MathJax.js?config=AM_CHTML"></script>', True),
        (b'<script src="MathJax.js?config=TeX-MML-AM_CHTML" async>', True),
        (b"<script>MathJax = {loader: {load: ['input/asciimath']}}</script>", True),
        (b"<script>MathJax.Hub.Config({asciimath2jax: {delimiters: [['`','`']]}})</script>", True),
        (b'<script src="js/ASCIIMathMLwFallback.js"></script>', True),
        (b'<script src="MathJax.js?config=TeX-AMS-MML_HTMLorMML"></script>', False),
        (b"<script>1</script><p>Use ASCIIMathML.js or <code>config=AM_CHTML</code></p>", False),
    ],
)
def test_only_a_script_is_evidence(html: bytes, uses: bool) -> None:
    """A page that loads a reader of AsciiMath has formulas between backticks; one that talks about it need not."""
    assert page_uses_asciimath(html) is uses
