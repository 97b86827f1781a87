"""Whole pages around an article: the menus, side columns, banners and footers that an extractor has to remove."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

FOLDER = Path(__file__).with_name("html")


@dataclass(frozen=True)
class Site:
    """One web site: everything on it has the same look and writes its formulas in the same form."""

    host: str
    name: str
    template: str
    form: str
    path: str
    """Where its articles lie, with `{slug}`."""
    menu: tuple[str, ...]
    tagline: str
    content_type: str = "text/html; charset=utf-8"
    encoding: str = "utf-8"
    server: str = "nginx"


@dataclass(frozen=True)
class Article:
    """What a template is filled with."""

    title: str
    body: str
    lang: str
    date: str
    related: Sequence[tuple[str, str]]
    """Titles and addresses of other pages on the site."""


def links(items: Sequence[tuple[str, str]]) -> str:
    """A list of links."""
    return "<ul>" + "".join(f'<li><a href="{escape(url)}">{escape(text)}</a></li>' for text, url in items) + "</ul>"


def head(site: Site, article: Article) -> str:
    """The head of the page; its charset is the one the page is encoded in."""
    own = FOLDER / "heads" / f"{site.form}.html"
    return (
        f'<head>\n<meta charset="{site.encoding}">\n<title>{escape(article.title)} | {site.name}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="description" content="{escape(article.title)}, an article on {site.name}.">\n'
        f'<link rel="stylesheet" href="/style.css">\n{own.read_text(encoding="utf-8") if own.exists() else ""}</head>'
    )


def answers(body: str, date: str) -> tuple[str, str]:
    """The part before the first section as the question, and each section as an answer."""
    question, *sections = body.split("<h2>")
    blocks = [
        f'<div class="answer" id="answer-{i}"><div class="votes"><button>up</button>'
        f"<span>{(7 * i + len(text)) % 23}</span><button>down</button></div>\n"
        f'<div class="post-body"><h2>{text}</div>\n'
        f'<div class="user-card">answered {date} <a href="/users/{100 + i}">member{100 + i}</a></div></div>'
        for i, text in enumerate(sections, 1)
    ]
    return question, "\n".join(blocks)


def page(site: Site, article: Article) -> str:
    """The whole HTML document."""
    body = article.body
    if site.template == "paper":
        body = body.replace("<h2>", '<h2 class="ltx_title ltx_title_section">').replace("<p>", '<p class="ltx_p">')
    question, replies = answers(body, article.date)
    nearby = article.related or [("Start", "/")]
    template = Template((FOLDER / f"{site.template}.html").read_text(encoding="utf-8"))
    filled = template.substitute(
        name=site.name,
        tagline=site.tagline,
        menu=links([(item, f"/{item.lower().replace(' ', '-')}/") for item in site.menu]),
        title=escape(article.title),
        date=article.date,
        body=body,
        related=links(article.related),
        question=question,
        answers=replies,
        votes=len(article.title) % 17,
        views=len(body) % 997,
        previous=escape(nearby[0][0]),
        previous_url=nearby[0][1],
        next=escape(nearby[-1][0]),
        next_url=nearby[-1][1],
    )
    return f'<!DOCTYPE html>\n<html lang="{article.lang}">\n{head(site, article)}\n{filled}</html>\n'
