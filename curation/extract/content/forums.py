"""Discussions: every post of a thread, questions and answers alike, without the furniture between the posts.

Choosers of main content take a thread for an article with comments, and drop the answers. Posts are found by what forum
software writes around them, or by the vocabulary of schema.org, and only where there are at least two.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from lxml import etree

from curation.extract.content.writer import write_markdown
from curation.extract.tokens import Tokens

# The class, id or attribute of the element that holds what a poster wrote, by the software that writes it.
_CLASSES = {
    "js-post-body": "stackexchange",
    "post-text": "stackexchange",
    "bbWrapper": "xenforo",
    "messageText": "xenforo-1",
    "cooked": "discourse",
    "ipsComment_content": "invision",
    "usertext-body": "reddit",
    "Post-body": "flarum",
    "userContent": "vanilla",
    "kmsg": "kunena",
    "bbp-reply-content": "bbpress",
    "bbp-topic-content": "bbpress",
    "wpforo-post-content": "wpforo",
    "post-message": "asgaros",
    "post_message": "vbulletin",
    "postcontent": "vbulletin",
    "post_body": "mybb",
    "postmsg": "fluxbb",
    "commtext": "hackernews",
    "commentBody": "slashdot",
    "md-div": "lemmy",
}
_IDS = ("post_message_", "postmessage_")
_PHPBB = ("postbody", "post_wrapper", "postarea")
_CONTENTS = frozenset(("content", "inner", "post"))
_TYPES = re.compile(r"schema\.org/(\w+)")
_CLASS_VALUES = etree.XPath("//@class", smart_strings=False)
_ANY_CLASS = re.compile("|".join((*_CLASSES, *_PHPBB)))
_ATTRIBUTES = (
    "@itemprop='text' or @itemprop='articleBody' or @data-role='commentContent' or @component='post/content'"
    " or @slot='comment' or @slot='text-body' or starts-with(@id, 'post_message_') or starts-with(@id, 'postmessage_')"
)
_NAMES = " or ".join(f"contains(@class, '{name}')" for name in (*_CLASSES, "content", "inner"))
_BY_ATTRIBUTE = etree.XPath(f"//*[{_ATTRIBUTES}]")
_BY_EITHER = etree.XPath(f"//*[{_ATTRIBUTES} or @class and ({_NAMES})]")  # slow, so only where a class is there
_DROPPED_CLASSES = ("signature", "expandLink", "lastedit", "bbp-reply-revision", "post-notice", "lightbox")
_DROPPED = etree.XPath(
    ".//*[self::script or self::style or self::button or @class and ("
    + " or ".join(f"contains(@class, '{name}')" for name in _DROPPED_CLASSES)
    + ")]"
)
_QUOTES = etree.XPath(
    ".//blockquote | .//aside[contains(@class, 'quote')]"
    " | .//div[contains(@class, 'ipsQuote') or contains(@class, 'bbcode_quote') or contains(@class, 'quotecontent')]"
)
_REPEATED = 0.8  # chosen here: the share of a quotation's word triples that stand in earlier posts of the page
_ARTICLE_RATIO = 10  # chosen here; under this much more prose outside the posts, they are remarks on it
_WORD = re.compile(r"\w+")


def find_posts(root: etree._Element) -> list[etree._Element]:
    """The elements that hold the posts of a thread, in order, none inside another; empty if the page is no thread."""
    groups: dict[str, list[etree._Element]] = defaultdict(list)
    candidates = _BY_EITHER if _ANY_CLASS.search(" ".join(_CLASS_VALUES(root))) else _BY_ATTRIBUTE
    for element in candidates(root):
        if software := _software(element):
            groups[software].append(element)
    threads = [_outermost(group) for group in groups.values() if len(group) > 1]
    threads = [posts for posts in threads if len(posts) > 1]
    if not threads:
        return []
    posts = max(threads, key=_text_length)
    return posts if _text_length(posts) * _ARTICLE_RATIO > _prose_outside(root, posts) else []


def write_thread(root: etree._Element, posts: list[etree._Element], tokens: Tokens) -> str:
    """The thread as Markdown: its title, then its posts; quotations of earlier posts of the same page are left out."""
    parts, seen = [], set[tuple[str, ...]]()
    if (title := _title(root, posts[0])) is not None:
        parts.append(write_markdown(title, tokens))
    for post in posts:
        for element in [*_DROPPED(post), *_repeated_quotes(post, seen)]:
            _remove(element)
        seen.update(_triples(post))
        if text := write_markdown(post, tokens):
            parts.append(text)
    return "\n\n".join(parts)


def _title(root: etree._Element, first: etree._Element) -> etree._Element | None:
    """The last main heading above the first post; those before it belong to the site."""
    title = None
    for element in root.iter("h1", str(first.tag)):
        if element is first:
            break
        if element.tag == "h1" and "".join(element.itertext()).strip():
            title = element
    return title


def _software(element: etree._Element) -> str:
    """What wrote this element as a post's text; "" for elements that are something else."""
    if element.get("itemprop") in ("text", "articleBody") and _is_posting(element):
        return "schema.org"
    if element.get("data-role") == "commentContent":
        return "invision"
    if element.get("component") == "post/content":
        return "nodebb"
    if element.get("slot") in ("comment", "text-body"):
        return "reddit"
    if (element.get("id") or "").startswith(_IDS):
        return "vbulletin"
    classes = (element.get("class") or "").split()
    for name in classes:
        if name in _CLASSES:
            return _CLASSES[name]
    if _CONTENTS.isdisjoint(classes):
        return ""
    return "phpbb" if any(_has_class(ancestor, _PHPBB) for ancestor in _near(element)) else ""


def _near(element: etree._Element) -> Iterable[etree._Element]:
    return (ancestor for _, ancestor in zip(range(4), element.iterancestors(), strict=False))


def _has_class(element: etree._Element, names: Iterable[str]) -> bool:
    return not frozenset((element.get("class") or "").split()).isdisjoint(names)


def _is_posting(element: etree._Element) -> bool:
    """Whether schema.org calls this the text of a posting, or of the question or an answer of a page of its own.

    Lists of frequent questions have the same parts, many questions with an answer each; comments below an answer are
    asides.
    """
    types = [
        match[1] for ancestor in element.iterancestors() if (match := _TYPES.search(ancestor.get("itemtype") or ""))
    ]
    if not types or "FAQPage" in types:
        return False
    if types[0] == "Comment":
        return "DiscussionForumPosting" in types[1:]
    return types[0] == "DiscussionForumPosting" or (types[0] in ("Question", "Answer") and "QAPage" in types)


def _outermost(elements: list[etree._Element]) -> list[etree._Element]:
    found = set(elements)
    return [element for element in elements if not any(ancestor in found for ancestor in element.iterancestors())]


def _text_length(elements: Iterable[etree._Element]) -> int:
    return sum(len(text) for element in elements for text in element.itertext("*"))


def _prose_outside(root: etree._Element, posts: list[etree._Element]) -> int:
    """Characters of paragraphs that are in no post: an article's own text, below which a few comments stand."""
    found = set(posts)
    return _text_length(
        paragraph
        for paragraph in root.iter("p")
        if not any(ancestor in found for ancestor in paragraph.iterancestors())
    )


def _repeated_quotes(post: etree._Element, seen: set[tuple[str, ...]]) -> list[etree._Element]:
    quotes = [quote for quote in _outermost(_QUOTES(post)) if quote is not post]
    return [quote for quote in quotes if _is_repeated(_triples(quote), seen)]


def _is_repeated(triples: set[tuple[str, ...]], seen: set[tuple[str, ...]]) -> bool:
    return bool(triples) and len(triples & seen) >= _REPEATED * len(triples)


def _triples(element: etree._Element) -> set[tuple[str, ...]]:
    words = _WORD.findall(" ".join(element.itertext()).lower())
    return set(zip(words, words[1:], words[2:], strict=False))


def _remove(element: etree._Element) -> None:
    """Empties an element where it stands; what follows it stays."""
    del element[:]
    element.text = None
