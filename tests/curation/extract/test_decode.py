"""A page is read in the charset it is written in, whatever it says; one bad byte costs one character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.extract.decode import to_utf8
from curation.extract.fast import extract_fast

RUSSIAN = "<p>Пусть дано вещественное число и предел последовательности, тогда существует точка.</p>"
FRENCH = "<p>L'élève a démontré le théorème à la fin de l'été, où était sa clé égarée.</p>"
KOREAN = "<p>이 책은 실수의 수열과 극한에 대하여 설명한다. 모든 학생은 이것을 읽어야 한다.</p>"


@pytest.mark.parametrize(
    ("text", "codec", "declared", "used"),
    [
        (RUSSIAN, "utf-8", None, "utf-8"),
        (RUSSIAN, "utf-8", "iso-8859-1", "utf-8"),
        (RUSSIAN, "koi8-r", "KOI8-R", "koi8-r"),
        (RUSSIAN, "cp1251", "windows-1251", "cp1251"),
        (RUSSIAN, "koi8-r", None, "koi8-r"),
        (FRENCH, "latin-1", "iso-8859-1", "cp1252"),
        (FRENCH, "latin-1", "utf-8", "cp1252"),
        (KOREAN, "cp949", "euc-kr", "cp949"),
        (KOREAN, "utf-16-le", None, "utf-16-le"),
        (FRENCH, "utf-16-be", None, "utf-16-be"),
        (KOREAN, "utf-16", None, "utf-16-le"),
        (RUSSIAN, "utf-8-sig", "windows-1251", "utf-8"),
        ("<p>日本語</p>", "iso2022_jp", "ISO-2022-JP", "iso2022_jp"),
    ],
)
def test_charsets(text: str, codec: str, declared: str | None, used: str) -> None:
    """By mark, by bytes, by header or by detection."""
    padded = "<html><head><title>x</title></head><body>" + text * 8
    assert to_utf8(padded.encode(codec), declared) == (padded.encode(), used)


@pytest.mark.parametrize(
    "declaration",
    ['<meta charset="euc-kr">', "<META http-equiv=Content-Type content='text/html; charset=EUC-KR'>"],
)
def test_meta_charset(declaration: str) -> None:
    """Where the header is silent the page is asked."""
    page = f"<html><head>{declaration}</head><body>{KOREAN}"
    assert to_utf8(page.encode("cp949"), None) == (page.encode(), "cp949")


def test_xml_declaration() -> None:
    """XHTML pages declare in their first line."""
    page = f'<?xml version="1.0" encoding="iso-8859-2"?><html>{FRENCH}'
    assert to_utf8(page.encode("iso-8859-2", "replace"), None)[1] == "iso8859-2"


def test_a_charset_that_cannot_be_is_not_believed() -> None:
    """Japanese declared as something whose bytes do not fit is detected."""
    page = "<p>これは日本語の文章です。数列の極限について説明します。</p>" * 20
    assert to_utf8(page.encode("euc_jp"), "shift_jis") == (page.encode(), "euc_jp")


@pytest.mark.parametrize("broken", [b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80"])
def test_one_bad_byte_costs_one_character(broken: bytes) -> None:
    """UTF-8 with damage is UTF-8."""
    html, used = to_utf8(RUSSIAN.encode() + broken + b"<p>after</p>", "utf-8")
    assert used == "utf-8"
    assert html.decode().startswith(RUSSIAN)
    assert html.decode().endswith("<p>after</p>")


@pytest.mark.parametrize(
    "declared", ["hex", "rot13", "zip", "utf-7", "unicode_escape", "punycode", "nonsense", "", "\x00"]
)
def test_only_charsets_of_the_web_are_codecs(declared: str) -> None:
    """Python's other codecs would run on hostile names."""
    assert to_utf8(FRENCH.encode("latin-1") * 5, declared)[1] == "cp1252"


@given(st.binary(max_size=200), st.sampled_from([None, "utf-8", "big5", "iso-2022-jp", "utf-16", "x"]))
def test_any_bytes_become_utf8(body: bytes, declared: str | None) -> None:
    """Never an exception, always valid UTF-8."""
    to_utf8(body, declared)[0].decode("utf-8")


@given(st.binary(max_size=300))
def test_extraction_takes_any_bytes(body: bytes) -> None:
    """Bytes after the beginning of a page, and alone."""
    for page in (body, b"<html><body><p>words " + body):
        extraction = extract_fast(page)
        assert (extraction.reason is None) == bool(extraction.text)
        assert extraction.reason != "parse_error"
