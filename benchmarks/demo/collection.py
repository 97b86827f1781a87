"""Which page lies on which site: the articles, their copies and everything that goes wrong on the web."""

import random
import re
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from demo.exercises import exercise_page
from demo.markup import RENDERED_FORMS, Formula, render, split_formulas, to_html, write_page
from demo.records import Response, chunked, crawl_date, zipped
from demo.sites import HEAVY, MATH_SITES
from demo.supply import Supply
from demo.templates import Article, Site, page

FRONT = re.compile(r"\A---\n(?P<head>.*?)\n---\n\n(?P<body>.*)\Z", re.DOTALL)
EXERCISE_PAGES = 168
NEAR_DUPLICATES = 10
SYNONYMS = (
    ("therefore", "thus"),
    ("begin", "start"),
    ("seldom", "rarely"),
    ("exactly", "precisely"),
    ("shows", "demonstrates"),
    ("enough", "sufficient"),
    ("quick", "fast"),
    ("obtain", "get"),
    ("hence", "so"),
    ("small", "little"),
    ("large", "big"),
    ("gives", "yields"),
    ("usually", "mostly"),
    ("easy", "simple"),
    ("whole", "entire"),
)


@dataclass(frozen=True)
class Page:
    """One article in Markdown."""

    slug: str
    title: str
    body: str
    lang: str = "en"
    kind: str = "math"
    layout: str = ""
    held_out: bool = False

    @property
    def markdown(self) -> str:
        """The clean text an extractor should find."""
        return f"# {self.title}\n\n{self.body.strip()}\n"


@dataclass(frozen=True)
class Special:
    """A response that needs a word of explanation; `what` stands in the README."""

    url: str
    what: str


def read_page(path: Path) -> Page:
    """A page of the `pages` folder."""
    match = FRONT.match(path.read_text(encoding="utf-8"))
    if not match:
        raise RuntimeError(f"{path}: no front matter; expected `---`, lines of `key: value`, `---` and an empty line.")
    facts = dict(line.split(": ", 1) for line in match["head"].splitlines())
    return Page(
        path.stem,
        facts["title"].strip('"'),
        match["body"],
        facts.get("lang", "en"),
        facts.get("kind", "math"),
        facts.get("layout", ""),
        facts.get("held_out") == "true",
    )


def slugified(title: str) -> str:
    """A title as part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower().replace("'", "")).strip("-")


def exercise_pages(supply: Supply, count: int) -> list[Page]:
    """So many different exercise pages."""
    made = [exercise_page(supply, number) for number in range(count)]
    return [
        Page(f"{slugified(title)}-{number + 1}", title, body, layout="forum" if layout == "thread" else "")
        for number, (title, _, layout, body) in enumerate(made)
    ]


def placed(pages: list[Page]) -> list[tuple[Page, Site]]:
    """Each mathematics page with its site; threads go to the forum and to two others, the rest round all the sites."""
    counts = {site.host: 0 for site in MATH_SITES}
    result = []
    for page_ in pages:
        free = [
            s
            for s in MATH_SITES
            if counts[s.host] < HEAVY.get(s.form, len(pages))
            and (s.template != "forum" or page_.layout == "forum" or "## " in page_.body)
        ]
        site = min(free, key=lambda s: counts[s.host] - (3 if s.template == "forum" and page_.layout == "forum" else 0))
        counts[site.host] += 1
        result.append((page_, site))
    return result


def near_copy(original: Page, rng: random.Random) -> Page:
    """The same article with up to four words changed and another title."""
    body, changed = original.body, 0
    for old, new in rng.sample(SYNONYMS, len(SYNONYMS)):
        pattern = re.compile(rf"(?<![\w$\\{{]){old}(?![\w$}}])")
        if changed < 4 and pattern.search(body):
            body, changed = pattern.sub(new, body, count=1), changed + 1
    return replace(original, title=f"{original.title}, revised", body=body)


def url_of(site: Site, item: Page) -> str:
    """The address of a page on its site."""
    number = 1000 + zlib.crc32(item.slug.encode()) % 9000
    return f"https://{site.host}{site.path.format(slug=item.slug, number=number)}"


class Collection:
    """All responses of the demo WARC, and the list of those that are special."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)
        self.responses: list[Response] = []
        self.specials: list[Special] = []
        self.rendered: dict[tuple[str, Formula], str] = {}
        self.titles: dict[str, list[tuple[str, str]]] = {}
        self.texts: dict[str, str] = {}
        """The clean Markdown of each mathematics page in English, by URL."""

    def prepare(self, pages: list[tuple[Page, Site]]) -> None:
        """Everything node has to render, at once, and the links between the pages of a site."""
        wanted = [
            (RENDERED_FORMS[site.form], f)
            for item, site in pages
            if site.form in RENDERED_FORMS
            for f in split_formulas(item.markdown)[1]
        ]
        self.rendered |= render(wanted)
        for item, site in pages:
            self.titles.setdefault(site.host, []).append((item.title, url_of(site, item)))

    def html(self, item: Page, site: Site) -> str:
        """The page as its site shows it; the charset of its `meta` element is the true one."""
        url = url_of(site, item)
        others = [entry for entry in self.titles.get(site.host, []) if entry[1] != url]
        related = self.rng.sample(others, min(5, len(others)))
        body = write_page(item.body, site.form, self.rendered) if item.kind == "math" else to_html(item.body)
        return page(site, Article(item.title, body, item.lang, crawl_date(url)[:10], related))

    def add(self, item: Page, site: Site, what: str = "") -> Response:
        """The page as a response, plain, gzipped or chunked."""
        body = self.html(item, site).encode(site.encoding, "xmlcharrefreplace")
        response = Response(
            url_of(site, item),
            body,
            site.content_type,
            server=site.server,
            headers=(("Cache-Control", "max-age=600"),) if self.rng.random() < 0.3 else (),
        )
        way = self.rng.random()
        response = (
            zipped(response)
            if way < 0.12
            else chunked(response, self.rng)
            if way < 0.2
            else chunked(zipped(response), self.rng)
            if way < 0.25
            else response
        )
        self.responses.append(response)
        if item.kind == "math" and item.lang == "en":
            self.texts[response.url] = item.markdown
        if what:
            self.specials.append(Special(response.url, what))
        return response

    def raw(self, url: str, body: bytes, what: str, **facts: object) -> Response:
        """A special response whose body is given."""
        response = Response(url, body, **facts)  # type: ignore[arg-type]
        self.responses.append(response)
        self.specials.append(Special(url, what))
        return response


def tiny_png() -> bytes:
    """A grey picture of 16 by 16 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((i * 16 + j) % 256 for j in range(16)) for i in range(16))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def tiny_pdf() -> bytes:
    """A PDF of one page with one line of text."""
    text = b"BT /F1 18 Tf 40 100 Td (Exercise sheet, see the web page.) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 360 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> "
        b">>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        body
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )
