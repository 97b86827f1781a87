"""Code keeps its lines, whatever a highlighter made of them."""

import pytest
from lxml import html as lxml_html

from curation.extract.content.code_blocks import code_text, fenced, inline_code, language_of, protect_code
from curation.extract.tokens import Tokens


def blocks(inner: str) -> list[str]:
    """The finished blocks of a page, in order."""
    root, tokens = lxml_html.document_fromstring(f"<body>{inner}</body>"), Tokens(b"")
    protect_code(root, tokens)
    found = dict.fromkeys(tokens.pattern.finditer(" ".join(root.itertext())))
    return list(dict.fromkeys(str(tokens.entry(token)) for token in found))


@pytest.mark.parametrize(
    ("inner", "block"),
    [
        ("<pre>if a:\n\n    b = 1   \n\n</pre>", "```\nif a:\n\n    b = 1\n```"),
        ("<pre><code class='language-python'>x\n</code></pre>", "```python\nx\n```"),
        (
            "<div class='highlight-ipython3 notranslate'><div class='highlight'><pre>x</pre></div></div>",
            "```python\nx\n```",
        ),
        ("<pre class='brush: java; gutter: true'>x</pre>", "```java\nx\n```"),
        ("<div class='sourceCode'><pre class='sourceCode haskell'><code>x</code></pre></div>", "```haskell\nx\n```"),
        ("<pre>a\n\n\n\nb</pre>", "```\na\n\n\n\nb\n```"),
        ("<pre data-lang='julia'>x</pre>", "```julia\nx\n```"),
        ("<pre class='r'><code>x &lt;- 1</code></pre>", "```r\nx <- 1\n```"),
        ("<div class='highlight-default'><div class='highlight'><pre>x</pre></div></div>", "```\nx\n```"),
        (
            "<pre><span class='k'>def</span> <span class='nf'>f</span>():<br>    pass</pre>",
            "```\ndef f():\n    pass\n```",
        ),
        ("<pre><button>Copy</button>x<style>p{}</style></pre>", "```\nx\n```"),
        ("<pre><span class='lineno'>1 </span>a\n<span class='lineno'>2 </span>b</pre>", "```\na\nb\n```"),
        ("<pre><code><span class='line'>a</span><span class='line'>  b</span></code></pre>", "```\na\n  b\n```"),
        ("<pre><code><span class='line'>a</span>\n<span class='line'>  b</span></code></pre>", "```\na\n  b\n```"),
        ("<pre><code>a</code><code>b</code></pre>", "```\na\nb\n```"),
        ("<pre>a ``` b</pre>", "````\na ``` b\n````"),
        (
            "<table class='highlighttable'><tr><td class='linenos'><pre>1\n2</pre></td>"
            "<td class='code'><div class='highlight'><pre>a\n  b</pre></div></td></tr></table>",
            "```\na\n  b\n```",
        ),
        (
            "<div class='language-ruby highlighter-rouge'><div class='highlight'><pre class='highlight'><code>"
            "<table class='rouge-table'><tr><td class='rouge-gutter gl'><pre class='lineno'>1\n2\n</pre></td>"
            "<td class='rouge-code'><pre>a\n  b\n</pre></td></tr></table></code></pre></div></div>",
            "```ruby\na\n  b\n```",
        ),
        (
            "<table class='highlight'><tr><td class='blob-num'>1</td><td class='blob-code'>a</td></tr>"
            "<tr><td class='blob-num'>2</td><td class='blob-code'>  b</td></tr></table>",
            "```\na\n  b\n```",
        ),
        (
            "<div class='fragment'><div class='line'><span class='lineno'>1</span>int a;</div>"
            "<div class='line'>  <a href='b'>b</a>;</div></div><!-- fragment -->",
            "```\nint a;\n  b;\n```",
        ),
        ("<p>Type <code>$x^2$</code> and <code>plain</code></p>", "`$x^2$`"),
    ],
)
def test_blocks(inner: str, block: str) -> None:
    """Indentation, blank lines and languages stay; numbers, buttons and spans go."""
    assert blocks(inner) == [block]


def test_the_text_of_a_block_stays_between_two_tokens() -> None:
    """Those who choose the main content weigh it."""
    root, tokens = lxml_html.document_fromstring("<body><pre>some code</pre></body>"), Tokens(b"")
    protect_code(root, tokens)
    assert root.find(".//pre").text == "zqb0qz\nsome code\nzqb0qz"


def test_formulas_in_a_block_of_their_own_are_no_code() -> None:
    """What holds one token and nothing else is a formula that a page set in a fixed width."""
    root, tokens = lxml_html.document_fromstring("<body><pre> zqd0qz </pre><pre></pre></body>"), Tokens(b"")
    protect_code(root, tokens)
    assert root.find(".//pre").text == " zqd0qz "


def test_figures_around_code_are_no_pictures() -> None:
    """Choosers drop figures."""
    root = lxml_html.document_fromstring("<body><figure class='highlight'><pre>x</pre></figure></body>")
    protect_code(root, Tokens(b""))
    assert root.find(".//figure") is None


def test_pieces() -> None:
    """Tabs become columns; inline code with backticks gets more of them."""
    assert fenced("\n\n\tx\n") == "```\n    x\n```"
    assert fenced("") == "```\n```"
    assert inline_code("a`b") == "`` a`b ``"
    assert code_text(lxml_html.fragment_fromstring("<pre>a\u00a0b\r\nc</pre>")) == "a b\nc"
    assert language_of(lxml_html.fragment_fromstring("<pre class='language-c++'>x</pre>")) == "cpp"
