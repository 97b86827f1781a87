"""The careful extractor: every formula of a page becomes LaTeX, whatever it is written in, and the main content stays.

bytes ─ guard, charset ─▶ HTML5 tree ─ carriers become tokens ─▶ HTML tree of lxml ─ formulas in the text become
tokens ─▶ main content, as Markdown ─ tokens become LaTeX ─▶ text
"""

import re

from lxml import etree
from lxml import html as lxml_html

from curation.extract.clean import clean, parsable
from curation.extract.content.choose import main_content, protect
from curation.extract.content.markdown import restore_markdown
from curation.extract.content.second_choice import SecondChoice, choose_again, choose_plainly
from curation.extract.convert import token_for_any
from curation.extract.formulas import sets_formulas
from curation.extract.guard import is_costly
from curation.extract.macros.commands import undefined_commands
from curation.extract.macros.expand import read_macros
from curation.extract.outcome import Extraction
from curation.extract.page import Page, extract_page, no_text
from curation.extract.prepass import take_carriers
from curation.extract.tex import tidy
from curation.extract.text.backticks import take_asciimath
from curation.extract.text.delimited import take_text_formulas
from curation.extract.text.page_delimiters import read_delimiters
from curation.extract.text.runs import take_runs
from curation.extract.text.scripts import mark_scripts
from curation.extract.tokens import Formula

MOST_UNDEFINED = 50  # names a page; chosen here

# lxml.html asks a Python function for the class of every element it hands out; trafilatura needs but this one.
_ONE_CLASS = etree.ElementDefaultClassLookup(element=lxml_html.HtmlElement)
_BAD_REFERENCES = re.compile(
    "&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]));?(?![0-9a-fA-F])"
)


def extract_careful(body: bytes, charset: str | None = None, content_type: str | None = None) -> Extraction:
    """The main text of a page, or why there is none. Never raises; the outcome depends on the arguments alone.

    `charset` is the one of the HTTP header, `content_type` its media type; both may be missing or wrong.
    """
    return extract_page(body, charset, content_type, read_careful)


def read_careful(page: Page) -> Extraction:
    """The outcome for an opened page."""
    tokens = page.tokens
    take_carriers(page.tree, page.html, tokens, token_for_any)
    markup = _markup(page)
    root = _second_tree(markup)
    _take_text(root, markup, page)
    _expand_macros(page)
    if tokens.formulas:
        markup = etree.tostring(root, encoding="utf-8", method="html")
    if is_costly(root, markup):
        return _second(page, choose_plainly(markup, tokens))
    protect(root, tokens)
    chosen = main_content(root, tokens)
    if other := choose_again(markup, tokens, chosen):
        return _second(page, other)
    text = clean(restore_markdown(chosen.markdown, tokens)).strip()
    return _outcome(page, text, tokens.kept(chosen.markdown), chosen.chooser)


def _second(page: Page, choice: SecondChoice) -> Extraction:
    return _outcome(page, choice.text, choice.formulas, choice.chooser)


def _take_text(root: "etree._Element", markup: bytes, page: Page) -> None:
    sure = sets_formulas(page.html, page.tokens)
    take_text_formulas(root, markup, page.tokens, sure, read_delimiters(page.html))
    take_asciimath(root, page.html, page.tokens)
    take_runs(root, markup, page.tokens, sure)
    mark_scripts(root)


def _expand_macros(page: Page) -> None:
    """Writes out the macros that the page defines, so that no formula needs the page to be understood."""
    if not page.tokens.definitions and b"acros" not in page.html:
        return
    macros = read_macros(page.html, page.tokens.definitions)
    if macros.table:
        page.tokens.rewrite(lambda tex: tidy(macros.expand(tex)))


def _outcome(page: Page, text: str, kept: list[Formula], chooser: str) -> Extraction:
    if not text:
        return no_text(page)
    undefined = undefined_commands("\n".join(formula.tex for formula in kept))
    outcome = Extraction(text, title=page.title, extractor=chooser, charset=page.charset)
    return outcome.with_formulas(page.tokens, kept, undefined[:MOST_UNDEFINED])


def _markup(page: Page) -> bytes:
    """The page with its tokens. One without any goes on as it came, since trafilatura knows libxml2's repairs of pages
    best, and those of HTML5 change its choice on one page of a hundred.
    """
    if page.tokens.is_used:
        return parsable(str(page.tree)).encode()
    return _BAD_REFERENCES.sub("", parsable(page.html.decode("utf-8", "replace"))).encode()


def _second_tree(markup: bytes) -> "etree._Element":
    """The page, with its tokens, as the tree that the choice of the main content works on."""
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    parser.set_element_class_lookup(_ONE_CLASS)
    return lxml_html.document_fromstring(markup, parser=parser)
