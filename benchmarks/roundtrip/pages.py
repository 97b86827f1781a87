"""Pages with known formulas: every document in every markup, in templates that take turns."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape

from roundtrip.documents import PLACE, Document
from roundtrip.formula import Formula, Markup
from roundtrip.markups import write_all
from roundtrip.templates import BOILERPLATE, CONTENT, TEMPLATES, Page

_BLOCK = re.compile(r"\s*<(?:div|p|pre|dl|center|table|blockquote)\b", re.IGNORECASE)
_PARAGRAPH = re.compile(r"<p>((?:(?!</p>).)*)</p>", re.DOTALL)
_EMPTY = re.compile(r"<p>\s*</p>")
_INLINE_TAG = re.compile(r"</?(?:sup|sub|em|strong|i|b|a)\b[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page, and what is on it."""

    name: str
    markup: str
    group: str
    template: str
    html: str
    formulas: tuple[Formula, ...]
    before: tuple[str, ...]
    """The word in front of each formula; "" where another formula or nothing is."""
    words: tuple[str, ...]
    code: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    boilerplate: tuple[str, ...]


def known_pages(documents: list[Document], markups: Iterable[Markup]) -> tuple[list[KnownPage], dict[str, int]]:
    """The pages, and how many were left out for each markup because its renderer refused a formula."""
    chosen = list(markups)
    written = write_all(chosen, [list(document.formulas) for document in documents])
    pages, refused = [], dict.fromkeys((markup.name for markup in chosen), 0)
    for at, markup in enumerate(chosen):
        for number, document in enumerate(documents):
            pieces = written.get((markup.name, number))
            template = list(TEMPLATES)[(number + at) % len(TEMPLATES)]
            if pieces:
                pages.append(known_page(document, markup, pieces, template))
            elif (markup.name, number) in written:
                refused[markup.name] += 1
    return pages, refused


def known_page(document: Document, markup: Markup, pieces: list[str], template: str) -> KnownPage:
    """One document in one markup and template."""
    money = "\\$" if markup.dollars else "$"
    sections = tuple((_filled(head, pieces, money), _body(html, pieces, money)) for head, html in document.sections)
    html = TEMPLATES[template](Page(document.title, sections, markup.head, markup.opening))
    plain = _plain(document)
    return KnownPage(
        f"{document.name}/{markup.name}/{template}",
        markup.name,
        markup.group,
        template,
        html,
        document.formulas,
        tuple(_word_before(plain, index) for index in range(len(document.formulas))),
        _words(f"{plain} {CONTENT.get(template, '')}"),
        document.code,
        document.rows,
        tuple(text for text in BOILERPLATE if text in html),
    )


def _words(plain: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in WORD.findall(PLACE.sub(" ", plain).replace("qzmoneyz", "$")))


def _filled(text: str, pieces: list[str], money: str) -> str:
    return PLACE.sub(lambda place: pieces[int(place[1])], text).replace("qzmoneyz", money)


def _body(html: str, pieces: list[str], money: str) -> str:
    """The formulas in their places; paragraphs end before a formula that is a block, as editors write it."""

    def split(paragraph: re.Match[str]) -> str:
        parts = re.split(r"(qzformula\d+z)", paragraph[1])
        blocks = [f"</p>{p}<p>" if PLACE.fullmatch(p) and _BLOCK.match(pieces[int(p[9:-1])]) else p for p in parts]
        return _EMPTY.sub("", f"<p>{''.join(blocks)}</p>")

    return _filled(_PARAGRAPH.sub(split, html), pieces, money)


def _plain(document: Document) -> str:
    text = "\n".join(f"{head}\n{html}" for head, html in document.sections)
    return unescape(_TAG.sub(" ", _INLINE_TAG.sub("", f"{document.title}\n{text}")))


def _word_before(plain: str, index: int) -> str:
    stretch = plain[: plain.index(f"qzformula{index}z")][-60:]
    words = WORD.findall(stretch.replace("qzmoneyz", "$"))
    return words[-1].casefold() if words and not PLACE.fullmatch(words[-1]) else ""
