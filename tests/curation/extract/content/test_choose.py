"""The main content of a page: articles, manuals, threads; without what stands around it."""

import pytest
from lxml import html as lxml_html

from curation.extract.content.choose import Chosen, main_content, protect
from curation.extract.content.markdown import restore_markdown
from curation.extract.tokens import Formula, Tokens

PROSE = "Every bounded sequence of real numbers has a convergent subsequence, as Bolzano and Weierstrass showed. "


def chosen(inner: str) -> tuple[Chosen, str]:
    """Who chose, and the restored text, of a page in which `zqd0qz` is a displayed formula and `zqi1qz` one in line."""
    root, tokens = lxml_html.document_fromstring(f"<html><body>{inner}</body></html>"), Tokens(b"")
    tokens.add(Formula("a=b", True, "test"))
    tokens.add(Formula("y", False, "test"))
    protect(root, tokens)
    content = main_content(root, tokens)
    return content, restore_markdown(content.markdown, tokens)


MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/about'>About us</a></li></ul></nav>"
FOOTER = "<footer><p>© 2024 Somebody. <a href='/privacy'>Privacy</a></p></footer>"


def test_an_article_with_all_its_parts() -> None:
    """The order stays, the furniture goes, displayed formulas beside paragraphs are kept."""
    _, text = chosen(
        f"{MENU}<article><h1>Compactness<a class='headerlink' href='#c'>¶</a></h1><p>{PROSE * 3}</p>"
        f"<div class='math'>zqd0qz</div><p>where <i>y</i> is zqi1qz.</p><pre><code class='language-python'>if y:\n"
        f"    print('$')\n</code></pre><table><tr><th>f</th><th>g</th></tr><tr><td>zqi1qz</td><td>2</td></tr></table>"
        f"<p>{PROSE * 2}</p></article>{FOOTER}"
    )
    prose = PROSE.strip()
    assert text == (
        f"# Compactness\n\n{' '.join([prose] * 3)}\n\n$$a=b$$\n\nwhere *y* is $y$.\n\n"
        "```python\nif y:\n    print('$')\n```\n\n| f | g |\n| --- | --- |\n| $y$ | 2 |\n\n" + " ".join([prose] * 2)
    )


def test_a_manual_without_a_named_container_keeps_its_structure() -> None:
    """Bare pages lose headings, lists and definitions otherwise."""
    _, text = chosen(
        f"<p>Next: <a rel='next' href='b'>Limits</a>, Up: <a rel='up' href='a'>Sequences</a></p><h2>Sequences</h2>"
        f"<p>{PROSE * 3}</p><dl><dt><code>limit</code> (seq)</dt><dd><p>{PROSE}</p></dd></dl>"
        f"<ul><li>{PROSE}</li><li>{PROSE}</li></ul>"
    )
    prose = PROSE.strip()
    assert text.startswith(f"## Sequences\n\n{prose}")
    assert f"`limit` (seq)\n: {prose}" in text
    assert f"- {prose}\n- {prose}" in text


def test_a_shop_without_a_named_container_is_left_to_its_paragraphs() -> None:
    """Its lists are lists of links and prices, with few words around them."""
    prices = "".join(f"<h4><a href='{n}'>Coffee cup number {n}, blue with stripes</a></h4>" for n in range(30))
    root = lxml_html.document_fromstring(f"<html><body>{prices}<p>{PROSE * 3}</p></body></html>")
    protect(root, Tokens(b""))
    assert main_content(root, Tokens(b"")).markdown == (PROSE * 3).strip()


def test_the_heading_above_a_theorem_is_kept() -> None:
    """Trafilatura takes the article alone."""
    _, text = chosen(f"<div><h1>On zqi1qz</h1></div><article><p>{PROSE * 3} zqi1qz</p><p>{PROSE}</p></article>")
    assert text.startswith("# On $y$\n\nEvery bounded")


POSTS = {
    "stackexchange": "<div class='s-prose js-post-body' itemprop='text'>{}</div><div class='comments'>me too</div>",
    "schema.org": (
        "<div itemscope itemtype='http://schema.org/DiscussionForumPosting'><div itemprop='author'>Ann</div>"
        "<div class='post' itemprop='text'>{}</div></div>"
    ),
    "phpbb": "<div class='postbody'><p class='author'>by Ann</p><div class='content'>{}</div></div>",
    "vbulletin": "<td><div class='smallfont'>Join Date: 2004</div><div id='post_message_17'>{}</div></td>",
    "xenforo": "<article class='message'><div class='user'>Ann</div><div class='bbWrapper'>{}</div></article>",
    "discourse": "<div class='topic-post'><span>Ann</span><div class='cooked'>{}</div></div>",
    "reddit": "<div class='comment'><a>Ann</a><div class='usertext-body'>{}</div></div>",
}


@pytest.mark.parametrize("post", POSTS.values(), ids=POSTS)
def test_threads_keep_their_answers(post: str) -> None:
    """Every post, with its formulas, and nothing between the posts."""
    texts = ["<p>How is zqi1qz found?</p>", f"<p>{PROSE}</p>", "<p>By zqd0qz.</p>"]
    content, text = chosen(f"<h1>Site</h1>{MENU}<h1>A question</h1>{''.join(post.format(text) for text in texts)}")
    assert content.chooser == "thread"
    assert text == f"# A question\n\nHow is $y$ found?\n\n{PROSE.strip()}\n\nBy\n$$a=b$$."


def test_a_quotation_of_an_earlier_post_is_not_repeated() -> None:
    """One from elsewhere stays."""
    first = f"<div class='bbWrapper'>{PROSE}</div>"
    other = "<blockquote>so did Cantor later in life</blockquote>"
    answer = f"<div class='bbWrapper'><blockquote>{PROSE}</blockquote>Indeed, and{other}</div>"
    _, text = chosen(first + answer)
    assert text == f"{PROSE.strip()}\n\nIndeed, and\n\n> so did Cantor later in life"


@pytest.mark.parametrize(
    "page",
    [
        "<div itemscope itemtype='https://schema.org/FAQPage'>{}{}</div>".format(
            *[
                f"<div itemscope itemtype='https://schema.org/Question'><h3>Why?</h3><div itemscope "
                f"itemtype='https://schema.org/Answer'><div itemprop='text'>{PROSE}</div></div></div>"
            ]
            * 2
        ),
        f"<article><h1>T</h1><p>{PROSE * 12}</p></article>" + "<div class='userContent'>Nice.</div>" * 2,
        f"<article><p>{PROSE * 3}</p></article><div class='cooked'>One post is no thread.</div>",
    ],
    ids=["questions and answers of a shop", "an article with remarks", "one post"],
)
def test_what_is_no_thread(page: str) -> None:
    """These go the usual way."""
    assert chosen(page)[0].chooser == "trafilatura"


def test_an_empty_page_has_no_content() -> None:
    """And raises nothing."""
    assert chosen("")[0].markdown == ""
    assert chosen("<script>x</script>")[0].markdown == ""


def test_the_same_page_gives_the_same_content() -> None:
    """Nothing is remembered between pages."""
    page = f"<article><h1>T</h1><p>{PROSE * 3}</p><p>{PROSE * 3}</p></article>"
    first = chosen(page)
    chosen(f"<article><p>{PROSE * 5}</p></article>")
    assert chosen(page) == first
