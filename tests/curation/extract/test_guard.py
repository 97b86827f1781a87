"""Pages that would hurt a parser are refused on their bytes, with the value and the limit in one sentence."""

import pytest

from curation.extract.fast import extract_fast
from curation.extract.guard import MAX_ATTRIBUTES, MAX_BYTES, MAX_TAGS

OPENING = "<html><body><p>Some ordinary paragraph of text, long enough to be kept as the content.</p>"


def refusal(body: bytes, content_type: str | None = None) -> tuple[str | None, str | None]:
    extraction = extract_fast(body, None, content_type)
    assert extraction.text == ""
    return extraction.reason, extraction.detail


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (b"", "empty_body", "The body has 0 bytes and nothing in them."),
        (b" \n\t ", "empty_body", "The body has 4 bytes and nothing in them."),
        (
            OPENING.encode() + b"x" * MAX_BYTES,
            "too_large",
            f"The body has {len(OPENING) + MAX_BYTES:,} bytes; the limit is {MAX_BYTES:,}.",
        ),
        (
            OPENING.encode() + b"<br>" * MAX_TAGS,
            "too_many_tags",
            f"The page has {MAX_TAGS + 4:,} tags; the limit is {MAX_TAGS:,}.",
        ),
        (b"%PDF-1.4 <html>", "not_html", "The body starts like a PDF file; HTML was expected."),
        (b"\x89PNG\r\n\x1a\n", "not_html", "The body starts like a PNG file; HTML was expected."),
        (b"plain words, no markup, 1 < 2", "not_html", "There is no tag in 29 bytes; HTML was expected."),
        (
            b'<?xml version="1.0"?><!-- a --><rss><title>x</title></rss>',
            "not_html",
            "The root element is that of a feed or a drawing; HTML was expected.",
        ),
        (b"<html><body></body></html>", "no_text", "The page has no text outside menus and other boilerplate."),
    ],
)
def test_refusals(body: bytes, reason: str, detail: str) -> None:
    """The reason is stable, the detail says what was wrong."""
    assert refusal(body) == (reason, detail)


@pytest.mark.parametrize(
    "declared", ["application/pdf", "image/png", "text/plain; charset=utf-8", "application/ld+json"]
)
def test_a_declared_type_that_is_not_html(declared: str) -> None:
    """The media type of the header is believed where it names something else."""
    assert refusal(OPENING.encode(), declared)[0] == "not_html"


@pytest.mark.parametrize("declared", [None, "", "text/html", "application/xhtml+xml", "TEXT/HTML; x", "unknown/type"])
def test_other_types_are_looked_into(declared: str | None) -> None:
    """A missing or strange type costs no page."""
    assert extract_fast(OPENING.encode(), None, declared).reason is None


def test_a_tag_with_too_many_attributes() -> None:
    """Also where `>` in quoted values cuts the tag into short pieces for a careless scan."""
    attributes = " ".join(f'a{number}=">"' for number in range(20_000))
    reason, detail = refusal(f"{OPENING}<p {attributes}>x".encode())
    assert reason == "too_many_attributes"
    assert detail is not None
    assert detail.endswith(f"the limit is {MAX_ATTRIBUTES:,}.")


@pytest.mark.parametrize(
    "tag",
    [
        "<path d=M" + "1.5,20.9a0.8,0.8,0,0,0,.1.9" * 6_000 + "/>",
        '<p title="12"" wide="">' + "<b>x</b>" * 20_000,
    ],
)
def test_one_long_value_without_quotes_and_quotes_in_names_are_not_many_attributes(tag: str) -> None:
    """Drawings have such values; and a quote that opens no value does not swallow the page."""
    assert extract_fast(f"{OPENING}{tag}x".encode()).reason is None


def test_long_values_and_scripts_are_no_long_tags() -> None:
    """Embedded images, quoted or not, and comparisons in scripts."""
    image = f'<img src="data:image/png;base64,{"A" * 200_000}"><img src=data:image/png;base64,{"B/+" * 50_000}>'
    script = f"<script>for(i=0;i<a;i++){{{'b=c;' * 40_000}}}</script>"
    assert extract_fast(f"{OPENING}{image}{script}".encode()).reason is None


@pytest.mark.parametrize(
    "nested", ["<div>" * 20_000, "<ul><li>" * 20_000, "<b>x " * 20_000, "<span class=math>" * 20_000]
)
def test_nesting_that_would_take_quadratic_time(nested: str) -> None:
    """Deep blocks by the bytes under them, deep elements of any kind by their levels."""
    assert refusal(f"{OPENING}{nested}x".encode())[0] == "too_deep"


def test_ordinary_depth_is_fine() -> None:
    """A large page with blocks thirty deep, and comments and scripts full of unclosed blocks."""
    noise = "<!-- <div><div> --><script>'<div><div>'</script>" * 2_000
    rows = "<p>word one two three</p>" * 20_000
    assert extract_fast(f"{OPENING}{'<div>' * 30}{noise}{rows}".encode()).reason is None


@pytest.mark.parametrize(
    "inner",
    [
        "<b>x " * 4_000,
        "<p><b><i>x " * 4_000,
        "<table><tr><td>" * 1_000 + "x",
        "$ a " * 50_000,
        "\\( a " * 50_000,
        "<math><mi>x</mi></math> and " * 5_000,
        "<span class='MathJax'>y</span><script type='math/tex'>x</script>" * 3_000,
        "x<sup>2</sup>" * 5_000,
        "<table><tr><td colspan=1000000000>a</td><td>b</td></tr></table>",
        "&amp;&lt;&#x2061;" * 30_000,
        "a\x00b\x0bc\x1f $x^2$ \ufffe &#0; &#x1; &#12; &#xD800;",
        "<a href='/x'>some link text</a> " * 10_000,
        "<pre>" + " " * 300_000 + "x</pre>",
        "<math>" * 4_000 + "<mi>x</mi>",
        "<code><span>" * 2_000 + "$x$",
        "<td><h2></h2><sup></sup><pre></pre><math></math><img class=math><ul></ul>",
        "<svg><title>$x$</title></svg><template><p>\\(x\\)</p></template><frameset>",
    ],
)
def test_strange_pages_give_text_that_is_clean(inner: str) -> None:
    """No exception, no control character, nothing that UTF-8 cannot hold."""
    extraction = extract_fast(f"{OPENING}<p>{inner}</p></body></html>".encode("utf-8", "surrogatepass"))
    assert extraction.reason is None
    assert "ordinary paragraph" in extraction.text
    extraction.text.encode("utf-8")
    assert not {chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127, 0x1FFFE, 0x3FFFE)} & set(extraction.text)
