"""The fast extractor: one HTML page in, Markdown text with its formulas as LaTeX out, at about a page in 3 ms."""

import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from curation.extract.decode import to_utf8
from curation.extract.formulas import restore, take_delimited
from curation.extract.guard import refuse_body, refuse_markup, refuse_tree
from curation.extract.outcome import Extraction, Refusal, refused
from curation.extract.prepass import prepare
from curation.extract.structure import write_structure
from curation.extract.tokens import Tokens
from curation.extract.verbatim import show_delimiters

REVISION = 1  # raise it whenever the output may change: it is part of a corpus's fingerprint

_TITLE_CHARS = 1_000
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE_END = re.compile("(?<![ \t])[ \t]++$", re.MULTILINE)
_BULLET = re.compile("^( *)• ", re.MULTILINE)


def extract_fast(body: bytes, charset: str | None = None, content_type: str | None = None) -> Extraction:
    """The main text of a page, or why there is none. Never raises; the outcome depends on the arguments alone.

    `charset` is the one of the HTTP header, `content_type` its media type; both may be missing or wrong.
    """
    if refusal := refuse_body(body, content_type):
        return refused(refusal)
    used = ""
    try:
        html, used = to_utf8(body, charset)
        if refusal := refuse_markup(html):
            return refused(refusal, used)
        return _extract(html, used)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of the parser is no Exception; one bad page must not end a build
        return refused(Refusal("parse_error", f"{type(error).__name__}: {str(error)[:200]}"), used)


def _extract(html: bytes, charset: str) -> Extraction:
    tree = HTMLTree.parse_from_bytes(_without_prefixes(html))
    title = " ".join(_clean(tree.title or "")[:_TITLE_CHARS].split()) or None
    if refusal := refuse_tree(tree, html):
        return refused(refusal, charset, title)
    tokens = Tokens(html)
    prepare(tree, html, tokens)
    text = extract_plain_text(tree, main_content=True)
    text = take_delimited(text, html, tokens)
    kinds = tokens.kinds(text)
    text = _finish(restore(text, tokens))
    if not text:
        return refused(Refusal("no_text", "The page has no text outside menus and other boilerplate."), charset, title)
    return Extraction(
        text=text,
        title=title,
        formulas_found=tokens.formulas,
        formulas_kept=kinds.total(),
        formula_kinds=dict(sorted(kinds.items())),
        formulas_unconverted=tokens.unconverted,
        charset=charset,
    )


def _without_prefixes(html: bytes) -> bytes:
    """The page with `<mml:math>` as `<math>`: an HTML parser does not know that the two are one."""
    for prefix in (b"mml:", b"m:"):
        if b"<" + prefix + b"math" in html:
            html = html.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</")
    return html


def _finish(text: str) -> str:
    text = _clean(show_delimiters(write_structure(text)))
    return _LINE_END.sub("", _BULLET.sub(r"\1- ", text)).strip()


def _clean(text: str) -> str:
    """Without control characters and invisible ones; no-break spaces are spaces."""
    return _CONTROL.sub("", text).replace("\u00a0", " ")
