"""What is refused before any parser sees it, decided on bytes alone, so that the same page always fares the same.

The limits bound the time of parser and main-content choice. Both are linear in bytes and tags but for two things, both
measured: a tag costs the square of its attributes (1.4 ns each pair), and the text inside nested blocks is read again
at every level (2 to 5 ns a byte and level).
"""

import re
from typing import TYPE_CHECKING

from lxml import etree

from curation.extract.outcome import Refusal

if TYPE_CHECKING:
    from resiliparse.parse.html import HTMLTree

MAX_BYTES = 8_000_000
MAX_TAGS = 400_000
MAX_ATTRIBUTES = 2_048  # of one tag, which costs 6 ms then
LONG_TAG_BYTES = 4_096  # shorter tags have fewer
MAX_NESTED_BYTES = 300_000_000  # bytes times levels of blocks around them: about a second
MAX_DEPTH = 512  # levels of any elements, in pages of MANY_TAGS; browsers stop there too
MANY_TAGS = 10_000  # below this no nesting makes a search slow
# Beyond these trafilatura is not asked (100,000 tags cost it 4 to 5 s, and depth as much again).
MOST_TAGS_TO_CHOOSE = 120_000
MOST_NESTED_TAGS = 40_000_000  # tags times the deepest of their levels
LARGE_BYTES = 128_000  # below this one tag alone cannot hold enough attributes to hurt

_MAGIC = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"RIFF", "RIFF"),
    (b"%!PS", "PostScript"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"OggS", "Ogg"),
    (b"\x7fELF", "ELF"),
    (b"wOF", "font"),
)
_OTHER_TYPES = ("image/", "audio/", "video/", "font/", "text/plain", "text/css", "text/csv", "text/javascript")
_OTHER_APPLICATIONS = re.compile(
    r"application/(?:pdf|zip|gzip|postscript|msword|vnd\.|(?:[\w.-]+\+)?json|(?:x-)?javascript)"
)
_HTML_APPLICATIONS = re.compile(r"application/vnd\.(?:wap\.xhtml\+xml|pwg-xhtml)")
_MARKUP = re.compile(rb"<(?:!doctype|!--|\?xml|/?[a-z][a-z0-9:-]*[\s/>])", re.IGNORECASE)
_FEED = re.compile(
    rb"\s*(?:<\?[^>]*>\s*|<!--.{0,500}?-->\s*){0,5}<(?:rss|feed|svg|urlset|sitemapindex|rdf:RDF|opml)\b", re.DOTALL
)

# A quote opens a value only behind an equals sign; elsewhere it is part of a name, as in `<p title="12" wide">`.
_TAG = re.compile(rb"<[a-zA-Z](?:=\s*\"[^\"]*+\"|=\s*'[^']*+'|[^>])*+")
_BETWEEN = re.compile(rb"[\s/]+")
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'|(?i:data:)[^\s>]*")
_IS_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_TOO_DEEP = ">".join("*" * (MAX_DEPTH + 1))
_STEP = re.compile(rb"<(?:(/?)(?:div|article|ul|ol|footer)\b|(!--)|(script|style|textarea|noscript)\b)", re.IGNORECASE)


def refuse_body(body: bytes, content_type: str | None) -> Refusal | None:
    """Why this body is not worth decoding, or None. Reads the size, the declared type and the first bytes."""
    if not body.strip():
        return Refusal("empty_body", f"The body has {len(body)} bytes and nothing in them.")
    if len(body) > MAX_BYTES:
        return Refusal("too_large", f"The body has {len(body):,} bytes; the limit is {MAX_BYTES:,}.")
    declared = (content_type or "").split(";")[0].strip().lower()
    if declared.startswith(_OTHER_TYPES) or (
        _OTHER_APPLICATIONS.match(declared) and not _HTML_APPLICATIONS.match(declared)
    ):
        return Refusal("not_html", f"The body is declared as {declared[:60]}; HTML was expected.")
    for magic, name in _MAGIC:
        if body.startswith(magic):
            return Refusal("not_html", f"The body starts like a {name} file; HTML was expected.")
    return None


def refuse_markup(html: bytes) -> Refusal | None:
    """Why these UTF-8 bytes must not be parsed, or None."""
    if not _MARKUP.search(html):
        return Refusal("not_html", f"There is no tag in {len(html):,} bytes; HTML was expected.")
    if _FEED.match(html[:4096]):
        return Refusal("not_html", "The root element is that of a feed or a drawing; HTML was expected.")
    tags = html.count(b"<")
    if tags > MAX_TAGS:
        return Refusal("too_many_tags", f"The page has {tags:,} tags; the limit is {MAX_TAGS:,}.")
    most = _most_attributes(html) if len(html) > LARGE_BYTES else 0
    if most > MAX_ATTRIBUTES and (most := _most_attributes(_without_scripts(html))) > MAX_ATTRIBUTES:
        return Refusal("too_many_attributes", f"A tag has {most:,} attributes; the limit is {MAX_ATTRIBUTES:,}.")
    return _refuse_nesting(html) if tags * len(html) > MAX_NESTED_BYTES else None


def refuse_tree(tree: "HTMLTree", html: bytes) -> Refusal | None:
    """Why this parsed page must not be searched, or None. Searches cost elements times levels."""
    if html.count(b"<") > MANY_TAGS and tree.document.query_selector(_TOO_DEEP) is not None:
        return Refusal("too_deep", f"Elements are nested more than {MAX_DEPTH:,} deep, which is the limit.")
    return None


def is_costly(root: "etree._Element", markup: bytes) -> bool:
    """Whether a parsed page, serialised, is too much for a chooser whose time grows with tags times depth."""
    tags = markup.count(b"<")
    if tags > MOST_TAGS_TO_CHOOSE or _IS_DEEP(root):
        return True
    return tags * MAX_DEPTH > MOST_NESTED_TAGS and tags * _depth(root) > MOST_NESTED_TAGS


def _depth(root: "etree._Element") -> int:
    depth = deepest = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _most_attributes(html: bytes) -> int:
    """The most attributes that one tag has, among tags long enough to matter. Values count as none, however long."""
    long_tags = (tag for tag in _TAG.findall(html) if len(tag) > LONG_TAG_BYTES)
    return max((_attributes(_QUOTED.sub(b"", tag)) for tag in long_tags), default=0)


def _attributes(tag: bytes) -> int:
    return max(len(_BETWEEN.findall(tag)), tag.count(b"="))


def _without_scripts(html: bytes) -> bytes:
    """The page without its scripts, in which `a<b` would pass for a tag; one look at every byte."""
    kept, at, lower = [], 0, html.lower()
    while (start := lower.find(b"<script", at)) >= 0:
        kept.append(html[at:start])
        at = lower.find(b"</script", start)
        if at < 0:
            return b"".join(kept)
    return b"".join([*kept, html[at:]])


def _refuse_nesting(html: bytes) -> Refusal | None:
    """Follows the blocks whose text is read again at every level, as a parser would, without building anything."""
    depth = deepest = nested_bytes = at = 0
    while step := _STEP.search(html, at):
        nested_bytes += (step.end() - at) * depth
        at = step.end()
        closing, comment, raw = step.groups()
        if comment or raw:
            end = html.find(b"-->" if comment else b"</" + raw, at)
            at = end if end >= 0 else len(html)
        else:
            depth = max(0, depth - 1) if closing else depth + 1
            deepest = max(deepest, depth)
    nested_bytes += (len(html) - at) * depth
    if nested_bytes <= MAX_NESTED_BYTES:
        return None
    return Refusal(
        "too_deep",
        f"Blocks are nested up to {deepest:,} deep, {nested_bytes:,} bytes times levels; "
        f"the limit is {MAX_NESTED_BYTES:,}.",
    )
