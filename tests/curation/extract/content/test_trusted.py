"""Sections and asides that sound like furniture and are text stay in the text; boxes of links do not."""

from curation.extract.careful import extract_careful

PROSE = "A paragraph of plain prose, long enough that any reader would take it for the main content of this page. "


def text_of(inner: str) -> str:
    page = extract_careful(f"<html><body><main><h1>Rates</h1><p>{PROSE * 3}</p>{inner}</main></body></html>".encode())
    assert page.reason is None
    return page.text


def test_a_section_keeps_its_text_when_its_id_comes_from_its_title() -> None:
    numbered = f'<div id="sec-related-rates-1"><p id="sec-related-rates-1-1">{PROSE} Water flows in.</p></div>'
    assert "Water flows in." in text_of(f'<section id="sec-related-rates"><h2>Related rates</h2>{numbered}</section>')


def test_a_section_with_formulas_keeps_its_text_whatever_its_id() -> None:
    exercise = r'<section id="exercise-share-3"><p>Show that \(a^2 + b^2 = c^2\) for the shares of both.</p></section>'
    assert "$a^2 + b^2 = c^2$" in text_of(exercise)


def test_a_box_of_related_pages_goes() -> None:
    links = "".join(f'<li><a href="/{number}">Another page on rates, number {number}</a></li>' for number in range(8))
    assert "Another page" not in text_of(f'<section id="related"><h2>Related</h2><ul>{links}</ul></section>')


def test_notes_of_documentation_and_asides_with_formulas_stay() -> None:
    assert "Take care." in text_of(f'<aside class="admonition warning"><p>Take care. {PROSE}</p></aside>')
    assert r"$\int f$" in text_of(
        r"<aside><p>Remember that \(\int f\) is a limit of sums, as we saw before.</p></aside>"
    )


def test_menus_do_not_make_up_for_the_text_that_formulas_took() -> None:
    links = "".join(
        f'<li><a href="/{name}">Part (<code>lib.{name}</code>)</a></li>' for name in ("special", "fft", "io")
    )
    formula = r"\[ " + r"\int_0^1 f(x)\,dx + " * 20 + r"0 \]"
    page = extract_careful(
        f"<html><body><div><nav><ul>{links}</ul></nav></div><main><h1>A law</h1><p>Over all integers.</p>"
        f"<p>{formula}</p></main></body></html>".encode()
    )
    assert "lib." not in page.text
    assert page.formulas_kept == 1
