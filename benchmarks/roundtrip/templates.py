"""Whole pages around a document: the parts that an extractor has to leave out, in six common shapes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

Sections = Sequence[tuple[str, str]]

_MENU = (
    '<nav class="navbar"><ul class="menu"><li><a href="/">Home</a></li><li><a href="/topics/">Browse all '
    "topics</a></li>"
    '<li><a href="/about/">About this site</a></li><li><a href="/login/">Sign in or register</a></li></ul></nav>'
)
_FOOTER = (
    '<footer class="site-footer"><p>Copyright 2024 Example Press. All rights reserved worldwide.</p><ul><li><a '
    'href="/terms">Terms of service</a></li><li><a href="/privacy">Privacy policy</a></li></ul></footer>'
)
_COOKIES = (
    '<div id="cookie-banner" class="cookie-consent"><p>We use cookies to improve your experience on our site.</p>'
    "<button>Accept all cookies</button></div>"
)
_SIDEBAR = (
    '<aside class="sidebar"><h3>Popular posts</h3><ul><li><a href="/p/1">Seven puzzles for rainy days</a></li><li><a '
    'href="/p/2">How to read a proof</a></li><li><a href="/p/3">Letters from our readers</a></li></ul><h3>Newsletter'
    "</h3><p>Subscribe to our weekly newsletter and never miss a post.</p><form><input "
    'name="mail"><button>Subscribe now'
    "</button></form></aside>"
)
BOILERPLATE = (
    "Browse all topics",
    "Sign in or register",
    "All rights reserved worldwide",
    "Privacy policy",
    "We use cookies to improve",
    "Seven puzzles for rainy days",
    "Subscribe to our weekly newsletter",
    "Related questions you may like",
    "Edit this page on our forge",
    "Share this answer with friends",
    "Download the app for offline",
    "lives by the sea with two cats",
    "Was this page helpful",
    "Continue reading this post",
)
# What templates say themselves that belongs to the page.
CONTENT = {
    "textbook": "Introduction Exercises Read the chapter once more and explain it to a friend. "
    "Find an example of your own."
}


@dataclass(frozen=True, slots=True)
class Page:
    """What a template is filled with."""

    title: str
    sections: Sections
    head: str
    opening: str = ""


Template = Callable[[Page], str]


def _page(page: Page, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(page.title)} | '
        f"Example</title>"
        f'\n<link rel="stylesheet" href="/style.css">\n{page.head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'
    )


def _flow(sections: Sections, level: int = 2) -> str:
    return "\n".join((f"<h{level}>{escape(head)}</h{level}>\n" if head else "") + html for head, html in sections)


def article(page: Page) -> str:
    """A plain article with a menu and a footer."""
    body = f"<h1>{escape(page.title)}</h1>\n{page.opening}{_flow(page.sections)}"
    return _page(page, f"<header>{_MENU}</header>\n<main>\n<article>\n{body}\n</article>\n</main>\n{_FOOTER}")


def blog(page: Page) -> str:
    """A blog post beside a side column, with a banner and share links."""
    body = (
        f'<div class="entry-header"><h1 class="entry-title">{escape(page.title)}</h1></div>\n<div '
        f'class="entry-content">\n'
        f'{page.opening}{_flow(page.sections, 3)}\n</div>\n<div class="share"><a href="#">Share this answer with '
        'friends</a></div>\n<div class="author-box"><h4>About the author</h4><p>Jo writes puzzles and lives by the sea '
        "with two cats.</p></div>"
    )
    return _page(
        page,
        f'{_COOKIES}<div id="header">{_MENU}</div>\n<div id="content" class="site"><div class="post '
        f'hentry">\n{body}\n</div>'
        f"\n{_SIDEBAR}</div>\n{_FOOTER}",
    )


def documentation(page: Page) -> str:
    """A page of documentation: tree of contents, sections with permalinks."""
    tree = "".join(f'<li class="toctree-l1"><a href="/c/{n}">Chapter {n}</a></li>' for n in range(1, 9))
    parts = "\n".join(
        f'<section id="s{n}">\n'
        + (f'<h2>{escape(head)}<a class="headerlink" href="#s{n}" title="Link">¶</a></h2>\n' if head else "")
        + f"{html}\n</section>"
        for n, (head, html) in enumerate(page.sections)
    )
    return _page(
        page,
        f'<div class="sphinxsidebar" role="navigation"><ul>{tree}</ul></div><div class="document"><div class="body" '
        f'role="main">\n{page.opening}<h1>{escape(page.title)}<a class="headerlink" '
        f'href="#top">¶</a></h1>\n{parts}\n</div>'
        '<div class="feedback"><p>Was this page helpful?</p><button>Yes</button><button>No</button></div>'
        f'</div>\n<div class="related"><a href="/edit">Edit this page on our forge</a></div>{_FOOTER}',
    )


def questions(page: Page) -> str:
    """A question and its answers: the first section asks, each of the others answers."""
    blocks = [
        f'<div class="answer" id="answer-{n}"><div class="votecell"><span '
        f'class="vote-count">{7 * n + 3}</span></div><div '
        f'class="answercell post-layout--right"><div class="s-prose js-post-body">\n'
        + (f"<p><strong>{escape(head)}</strong></p>\n" if head else "")
        + f'{html}\n</div><div class="post-signature"><a href="/users/{n}">reader{n}</a></div></div></div>'
        for n, (head, html) in enumerate(page.sections[1:], 1)
    ]
    question = page.sections[0][1]
    return _page(
        page,
        f'{_MENU}<div id="content"><div id="question-header"><h1><a '
        f'href="/q/1">{escape(page.title)}</a></h1></div>\n<div id='
        f'"mainbar"><div class="question" id="question"><div class="postcell post-layout--right"><div class="s-prose '
        f'js-post-body">\n{page.opening}{question}\n</div></div></div>\n<div id="answers"><h2>{len(blocks)} '
        f"Answers</h2>\n"
        + "\n".join(blocks)
        + '\n</div></div>\n<div id="sidebar"><h4>Related questions you may like</h4><ul><li><a href="/q/2">Why is '
        "the empty "
        f'product one?</a></li><li><a href="/q/3">Who invented zero?</a></li></ul></div></div>{_FOOTER}',
    )


def textbook(page: Page) -> str:
    """A chapter of a textbook: numbered sections, exercises in a list at the end."""
    parts = [
        f'<section class="section"><h2 class="heading"><span class="codenumber">4.{n}</span> <span class="title">'
        f"{escape(head or 'Introduction')}</span></h2>\n{html}\n</section>"
        for n, (head, html) in enumerate(page.sections, 1)
    ]
    exercises = (
        '<section class="exercises"><h3>Exercises</h3><ol><li><p>Read the chapter once more and explain it to a friend.'
        "</p></li><li><p>Find an example of your own.</p></li></ol></section>"
    )
    return _page(
        page,
        f'<header id="ptx-masthead">{_MENU}</header><div class="ptx-page"><div id="ptx-sidebar"><nav><ul><li><a '
        f'href="/">'
        f'Download the app for offline</a></li></ul></nav></div><main class="ptx-main"><div id="ptx-content">\n'
        f'{page.opening}<section class="chapter"><h1>{escape(page.title)}</h1>\n'
        + "\n".join(parts)
        + f"\n{exercises}</section>\n"
        f"</div></main></div>{_FOOTER}",
    )


def listing(page: Page) -> str:
    """The front page of a blog: one entry for each section."""
    entries = "\n".join(
        f'<article class="post" id="post-{n}"><h2 class="entry-title"><a '
        f'href="/{n}">{escape(head or page.title)}</a></h2>'
        f'<div class="entry-meta"><time>May {n + 3}, 2023</time></div><div '
        f'class="entry-content">\n{html}\n<p><a class="more-link" '
        f'href="/{n}">Continue reading this post</a></p></div></article>'
        for n, (head, html) in enumerate(page.sections)
    )
    return _page(
        page,
        f'{_COOKIES}<header>{_MENU}</header><div class="wrap"><main '
        f'id="main">\n{page.opening}{entries}\n</main>{_SIDEBAR}'
        f"</div>{_FOOTER}",
    )


TEMPLATES: dict[str, Template] = {
    "article": article,
    "blog": blog,
    "documentation": documentation,
    "questions": questions,
    "textbook": textbook,
    "listing": listing,
}
