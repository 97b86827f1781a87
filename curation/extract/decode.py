"""From a body to UTF-8: what the page says, unless its bytes say otherwise. One bad byte never costs a page."""

import codecs
import re

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(
    rb"<meta\b[^>]*?charset\s*=\s*[\"']?\s*([\w:.-]+)|<\?xml[^>]*?encoding\s*=\s*[\"']([\w:.-]+)", re.IGNORECASE
)
_META_BYTES = 4096
# Python's codec of these names knows fewer characters than browsers do.
_WIDER = {"shift_jis": "cp932", "euc_kr": "cp949", "gbk": "gb18030", "big5": "big5hkscs", "iso8859-11": "cp874"}
_ASCII = bytes(range(128))
_MOSTLY = 4  # so many well-formed UTF-8 characters for each broken one make a UTF-8 page with damage
_MAX_BROKEN = 0.05  # of the characters, before a declared charset is disbelieved


def to_utf8(body: bytes, declared: str | None) -> tuple[bytes, str]:
    """The body in UTF-8 without a byte order mark, and the name of the charset it was read in.

    `declared` is the charset of the HTTP header. In order: byte order mark, UTF-16 by its zero bytes, UTF-8 if that
    is what the bytes are (pages declare wrongly more often than they are UTF-8 by accident), HTTP, meta, detection.
    """
    for mark, charset in _BOMS:
        if body.startswith(mark):
            rest = body[len(mark) :]
            return (_repaired(rest) if charset == "utf-8" else _transcoded(rest, charset)), charset
    charsets = [name for name in (_known(declared), _known(_meta_charset(body))) if name]
    if "iso2022_jp" in charsets and b"\x1b" in body:
        return _transcoded(body, "iso2022_jp"), "iso2022_jp"
    if _is_utf16(body):
        charset = "utf-16-le" if body[1:400:2].count(0) > body[:400:2].count(0) else "utf-16-be"
        return _transcoded(body, charset), charset
    if _is_utf8(body):
        return body, "utf-8"
    if _is_damaged_utf8(body):
        return _repaired(body), "utf-8"
    return _by_charset(body, [name for name in charsets if name != "utf-8"])


def _by_charset(body: bytes, charsets: list[str]) -> tuple[bytes, str]:
    """The first declared charset that fits, else the detected one."""
    for charset in charsets:
        text = body.decode(charset, "replace")
        if text.count("\ufffd") <= _MAX_BROKEN * len(text):
            return _encoded(text), charset
    charset = _known(detect_encoding(body)) or "cp1252"
    return _transcoded(body, charset), charset


def _known(name: str | None) -> str | None:
    """Python's codec for a charset name of the web, or None. Never one of Python's other codecs (hex, zip, rot13)."""
    mapped = map_encoding_to_html5(name.strip(" \t\"'"), fallback_utf8=False) if name else None
    return _WIDER.get(mapped, mapped) if mapped else None


def _meta_charset(body: bytes) -> str | None:
    found = _META.search(body[:_META_BYTES])
    return (found[1] or found[2]).decode("ascii", "replace") if found else None


def _is_utf16(body: bytes) -> bool:
    """Markup in UTF-16 has a zero in every second byte, all on one side."""
    even, odd = body[:400:2].count(0), body[1:400:2].count(0)
    return max(even, odd) > 10 * min(even, odd) and max(even, odd) > len(body[:400]) // 4


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_damaged_utf8(body: bytes) -> bool:
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    high_bytes = len(body.translate(None, _ASCII))
    good = len(text) - (len(body) - high_bytes) - broken
    return good > _MOSTLY * broken


def _repaired(body: bytes) -> bytes:
    return body if _is_utf8(body) else _transcoded(body, "utf-8")


def _transcoded(body: bytes, charset: str) -> bytes:
    return _encoded(body.decode(charset, "replace"))


def _encoded(text: str) -> bytes:
    """UTF-8; the lone surrogates that some codecs let through become question marks."""
    return text.encode("utf-8", "replace")
