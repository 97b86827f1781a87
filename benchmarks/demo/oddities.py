"""The responses that are not simply pages: errors, damage, copies, spam and other formats."""

import json
from dataclasses import replace

from demo.collection import Collection, Page, near_copy, tiny_pdf, tiny_png, url_of
from demo.records import Response
from demo.sites import MAGAZINE, MATH_SITES
from demo.templates import Site

NESTING = 1500
WITHOUT_LATEX = ("mathml", "mathml-mathjax", "mathjax-svg", "mathjax-chtml")
"""Forms in which LaTeX has to be guessed from MathML: a copy in such a form may differ more than the words do."""


def copies(collection: Collection, placed: list[tuple[Page, Site]], count: int) -> None:
    """Near-duplicates: the same article with few words changed, in another form on another site."""
    rng = collection.rng
    light = [site for site in MATH_SITES if site.form not in WITHOUT_LATEX and site.template != "forum"]
    chosen = [pair for pair in placed if pair[1] in light]
    pairs = []
    for item, site in rng.sample(chosen, count):
        other = rng.choice([candidate for candidate in light if candidate is not site])
        pairs.append((near_copy(item, rng), other, url_of(site, item)))
    collection.prepare([(item, site) for item, site, _ in pairs])
    for item, site, original in pairs:
        collection.add(
            item, site, f"near-duplicate of {original}: up to four words changed, other site, other formula markup"
        )


def same_bodies(collection: Collection) -> list[Response]:
    """Exact duplicates: a body that was answered before, under another address."""
    plain = [
        r
        for r in collection.responses
        if r.status == "200 OK" and not r.headers and not r.truncated and len(r.body) > 4000
    ]
    chosen = collection.rng.sample(plain, 4)
    changes = (
        lambda u: f"{u}?utm_source=newsletter",
        lambda u: u.replace("https://", "http://www."),
        lambda u: f"{u.rstrip('/')}/amp/",
        lambda u: f"{u}?print=1",
    )
    for response, change in zip(chosen, changes, strict=True):
        copy = replace(response, url=change(response.url))
        collection.raw(
            copy.url,
            copy.body,
            f"exact duplicate of {response.url}: the same bytes",
            content_type=copy.content_type,
            server=copy.server,
        )
    return chosen


def failures(collection: Collection) -> None:
    """Statuses other than 200, and formats other than HTML."""
    missing = (
        b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not found</h1><p>The page you are "
        b"looking for does not exist. Perhaps it has moved.</p></body></html>"
    )
    collection.raw("https://algebra.example.org/2019/old-article/", missing, "status 404", status="404 Not Found")
    collection.raw(
        "http://calculus.example.com/guide",
        b"",
        "status 301, no body",
        status="301 Moved Permanently",
        headers=(("Location", "https://calculus.example.com/guide/"),),
    )
    collection.raw(
        "https://tutoring.example.com/sheets/private.php",
        b"<html><body><h1>403 Forbidden</h1></body></html>",
        "status 403",
        status="403 Forbidden",
    )
    collection.raw(
        "https://lectures.example.net/notes/sheet-3.pdf", tiny_pdf(), "a PDF", content_type="application/pdf"
    )
    collection.raw("https://figures.example.net/img/grey.png", tiny_png(), "a PNG", content_type="image/png")
    numbers = json.dumps({"sequence": "primes", "values": [2, 3, 5, 7, 11, 13], "next": 17}).encode()
    collection.raw("https://numbers.example.net/api/sequence.json", numbers, "JSON", content_type="application/json")
    collection.raw(
        "https://forum.example.net/robots.txt",
        b"User-agent: *\nDisallow: /login\n",
        "plain text",
        content_type="text/plain; charset=utf-8",
    )
    collection.raw("https://static.example.org/solutions/empty/index.html", b"", "status 200 with an empty body")


def damage(collection: Collection, article: Page, site: Site, broken: Page) -> None:
    """Pages that are cut off, declared wrongly or nested beyond reason."""
    html = collection.html(article, site).encode()
    collection.raw(
        f"https://{site.host}/cut{site.path.format(slug=article.slug, number=1)}",
        html[: len(html) * 2 // 5],
        "cut off in the middle of the transfer (`WARC-Truncated: length`)",
        truncated=True,
    )
    latin = collection.html(broken, MAGAZINE).encode("latin-1")
    collection.raw("https://magazine.example.com/fr/automne.html", latin, "French; declared UTF-8, is ISO-8859-1")
    text = (
        "<p>At the bottom of this page there is a single sentence about nested boxes, and nothing else that is worth "
        "reading.</p>"
    )
    deep = (
        f"<!DOCTYPE "
        f"html><html><head><title>Boxes</title></head><body>{'<div>' * NESTING}{text}{'</div>' * NESTING}</body></html>"
    )
    collection.raw(
        "https://handbook.example.org/sandbox/boxes", deep.encode(), f"{NESTING:,} nested boxes around one sentence"
    )


def spam(collection: Collection) -> None:
    """A page that says the same thing again and again."""
    line = "Buy cheap math homework answers online best cheap homework answers fast. "
    body = "".join(f"<p>{line * 6}</p>" for _ in range(40))
    collection.raw(
        "https://best-answers.example.com/cheap/",
        f"<!DOCTYPE html><html><head><title>Cheap answers</title></head><body><h1>Cheap "
        f"answers</h1>{body}</body></html>".encode(),
        "spam: one sentence 240 times",
    )
