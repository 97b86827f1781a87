"""TeX loses what is not part of the formula and keeps its author's spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.extract.tex import looks_like_prose, tidy, undelimited


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  x^2 ", "x^2"),
        ("{\\displaystyle x^{2}}", "x^{2}"),
        ("{\\displaystyle a}{b}", "{\\displaystyle a}{b}"),
        ("\\displaystyle\\sum", "\\sum"),
        ("\\displaystyles", "\\displaystyles"),
        ("a%\nb % note\nc", "a\nb\nc"),
        ("\\alpha%\nb", "\\alpha\nb"),
        ("\\sin\u2061x", "\\sin x"),
        ("\\text{50% off}\nx", "\\text{50\\% off}\nx"),
        ("x % note", "x"),
        ("p = 95%", "p = 95\\%"),
        ("5\\% of x", "5\\% of x"),
        ("a\u00a0b\u200b", "a b"),
        ("\\begin{equation*}x\\label{eq:1}\\end{equation*}", "x"),
        ("\\begin{align}\n\n a \\\\\n\n b\n\\end{align}", "\\begin{align}\na \\\\\nb\n\\end{align}"),
        ("a $ b", "a \\$ b"),
        ("\\text{if $b$}", "\\text{if $b$}"),
        ("% <![CDATA[\nx\n%]]>", "x"),
        ("\\begin{equation}x\\label{a}\\end{equation}.", "x."),
        (
            "\\begin{equation}a\\end{equation} \\begin{equation}b\\end{equation}",
            "\\begin{equation}a\\end{equation} \\begin{equation}b\\end{equation}",
        ),
        ("\\label{eq:a_{1}} x", "x"),
        ("\\colorbox{red}{$x$}", "\\colorbox{red}{$x$}"),
        ("\\tag{$*$}", "\\tag{$*$}"),
        ("\\text{a} $ b", "\\text{a} \\$ b"),
        ("\\mathrm{T} = $5", "\\mathrm{T} = \\$5"),
        ("$\\displaystyle x$", "x"),
        ("\\displaystyle{x}", "x"),
        ("a &lt; b<br />+ c", "a < b\n+ c"),
        ("x\\ ", "x"),
        ("\\ ", ""),
        ("a \\\\", "a \\\\"),
        ("\\begingroup", ""),
        ("\\begingroups", "\\begingroups"),
    ],
)
def test_tidy(raw: str, clean: str) -> None:
    """Wrappers, comments, labels and blank lines go; what would end a formula between dollars is made harmless."""
    assert tidy(raw) == clean


@given(st.text(alphabet="\\{}[]%$#&abdefnw \n", max_size=60))
def test_tidy_takes_anything_and_settles(raw: str) -> None:
    """No TeX is too broken, and what is tidy has neither blank lines nor spaces around it."""
    clean = tidy(raw)
    assert clean == clean.strip()
    assert "\n\n" not in clean
    assert (len(clean) - len(clean.rstrip("\\"))) % 2 == 0, "it would escape the dollar behind it"


@pytest.mark.parametrize(
    ("text", "inner", "display"),
    [
        ("\\(x\\)", "x", False),
        (" \\[ x \\] ", "x", True),
        ("$$x$$", "x", True),
        ("$x$", "x", False),
        ("\\(a\\) and \\(b\\)", "\\(a\\) and \\(b\\)", None),
        ("$$", "$$", None),
        ("x", "x", None),
    ],
)
def test_undelimited(text: str, inner: str, display: bool | None) -> None:
    """Only delimiters around the whole text are taken off."""
    assert undelimited(text) == (inner, display)


def test_prose_is_told_from_tex() -> None:
    """Two words in a row, and nothing that TeX would have."""
    assert looks_like_prose("Blue latex gloves")
    assert not looks_like_prose("exclude")
    assert not looks_like_prose("\\text{if and only if}")
    assert not looks_like_prose("a b c d")
