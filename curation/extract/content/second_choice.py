"""The guard of the main content: resiliparse's choice, where trafilatura's would lose a page's formulas or all of it.

trafilatura judges prose better, but drops blocks that are mostly formulas; resiliparse keeps what no menu is.
"""

from dataclasses import dataclass

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from curation.extract.content.choose import Chosen
from curation.extract.fast import write_plain
from curation.extract.prepass import mark
from curation.extract.tokens import Formula, Tokens

LEAST_SHARE = 0.9  # of the formulas that resiliparse keeps; below it its choice stands
LEAST_SHARE_OF_THREAD = 0.5  # a thread leaves out the comments on its posts, and their formulas


@dataclass(frozen=True, slots=True)
class SecondChoice:
    """The main content by resiliparse, its formulas, and how far it had to go: `resiliparse` or `whole_page`."""

    text: str
    chooser: str
    formulas: list[Formula]


def choose_again(markup: bytes, tokens: Tokens, chosen: Chosen) -> SecondChoice | None:
    """What to take instead of a choice that lost formulas, or None where that choice is good enough.

    `markup` is the page with its tokens.
    """
    share = LEAST_SHARE_OF_THREAD if chosen.chooser == "thread" else LEAST_SHARE
    kept = len(tokens.kept(chosen.markdown))
    if not chosen.markdown.strip():
        return choose_plainly(markup, tokens)
    if kept >= share * tokens.formulas:
        return None
    other = _read(_marked(markup, tokens), tokens, "resiliparse")
    return other if kept < share * len(other.formulas) else None


def choose_plainly(markup: bytes, tokens: Tokens) -> SecondChoice:
    """resiliparse's choice. A page of nothing but furniture is taken whole, since some pages are that."""
    tree = _marked(markup, tokens)
    chosen = _read(tree, tokens, "resiliparse")
    return chosen if chosen.text else _read(tree, tokens, "whole_page")


def _marked(markup: bytes, tokens: Tokens) -> HTMLTree:
    tree = HTMLTree.parse_from_bytes(markup)
    mark(tree, markup, tokens)
    return tree


def _read(tree: HTMLTree, tokens: Tokens, chooser: str) -> SecondChoice:
    text = extract_plain_text(tree, main_content=chooser == "resiliparse")
    return SecondChoice(write_plain(text, tokens), chooser, tokens.kept(text))
