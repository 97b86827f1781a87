"""Tokens become formulas where they stand, and money never reads as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from curation.extract.content.emphasis import mark_inline
from curation.extract.content.markdown import cut_protected, finish_markdown, restore_markdown
from curation.extract.content.writer import write_markdown
from curation.extract.tokens import Formula, Tokens


def some_tokens() -> Tokens:
    """0: inline x, 1: display of two lines, 2: a fence, 3: inline code, 4: a table that holds 0."""
    tokens = Tokens(b"")
    tokens.add(Formula("x", False, "test"))
    tokens.add(Formula("a = b\n+ c", True, "test"))
    tokens.add_block("```python\nif x:\n\n    y\n```")
    tokens.add_block("`$x$`")
    tokens.add_block("| f |\n| --- |\n| zqi0qz |")
    return tokens


@pytest.mark.parametrize(
    ("text", "restored"),
    [
        ("let zqi0qz be", "let $x$ be"),
        ("zqi0qzzqi0qz", "$x$ $x$"),
        ("we have zqd1qz, so", "we have\n$$a = b\n+ c$$,\nso"),
        ("zqd1qz", "$$a = b\n+ c$$"),
        ("- item zqd1qz (1)", "- item\n  $$a = b\n  + c$$\n  (1)"),
        ("1. zqd1qz", "1. $$a = b\n   + c$$"),
        ("> quoted zqd1qz", "> quoted\n> $$a = b\n> + c$$"),
        ("## On zqd1qz", "## On $a = b + c$"),
        ("code:\nzqb2qz\nafter", "code:\n\n```python\nif x:\n\n    y\n```\n\nafter"),
        ("> zqb2qz text", "> ```python\n> if x:\n>\n>     y\n> ```\n>\n> text"),
        ("zqb2qz zqb2qz\n\n\n\nend", "```python\nif x:\n\n    y\n```\n\n```python\nif x:\n\n    y\n```\n\nend"),
        ("- zqb2qz", "- ```python\n  if x:\n\n      y\n  ```"),
        ("type zqb3qz now", "type `$x$` now"),
        ("zqb4qz", "| f |\n| --- |\n| $x$ |"),
        ("no zqi99qz here", "no zqi99qz here"),
    ],
)
def test_restore(text: str, restored: str) -> None:
    """In the line, on lines of their own, in lists, quotations and headings."""
    assert restore_markdown(text, some_tokens()) == restored


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("It costs $5.", "It costs $5."),
        ("It costs $5, then $10.", "It costs \\$5, then \\$10."),
        ("It costs $5 for zqi0qz.", "It costs \\$5 for zqi0qz."),
        ("It costs $5.\n\nAnd $6.", "It costs $5.\n\nAnd $6."),
        ("already \\$5 and $6", "already \\$5 and \\$6"),
        ("See [12], a_b, 2 * 3 * 4 and <tag>.", "See [12], a_b, 2 * 3 * 4 and <tag>."),
    ],
)
def test_money_and_prose(text: str, finished: str) -> None:
    """A dollar is escaped where another one, or a formula, stands in its paragraph; nothing else ever is."""
    assert finish_markdown(text, some_tokens()) == finished


def test_bars_of_formulas_do_not_end_cells() -> None:
    """They become commands in tables, and only there."""
    tokens = Tokens(b"")
    formula = tokens.add(Formula(r"\left|x\right| + \|y\|", False, "test"))
    table = tokens.add_block(f"| a | b |\n| --- | --- |\n| {formula} | c |")
    assert restore_markdown(table, tokens).split("\n")[2] == r"| $\left\vert x\right\vert + \Vert y\Vert$ | c |"
    rows = tokens.add(Formula(r"a \\| b", False, "test"))
    assert r"$a \\\vert b$" in restore_markdown(tokens.add_block(f"| --- |\n| {rows} |"), tokens)
    assert restore_markdown(formula, tokens) == r"$\left|x\right| + \|y\|$"


def test_a_block_comes_once_and_its_text_goes() -> None:
    """The text between the two tokens was only there to be weighed; other text that came between stays."""
    tokens = some_tokens()
    assert cut_protected("a zqb2qz if x: y zqb2qz b", tokens) == "a zqb2qz b"
    assert cut_protected("a zqb2qz b", tokens) == "a zqb2qz b"
    far = "word " * 500
    assert cut_protected(f"zqb2qz {far}zqb2qz", tokens).count("word") == 500


@given(st.lists(st.sampled_from(["zqb2qz", "zqb3qz", "zqi0qz", "zqd1qz", "word", "\n", "- ", "$", "> ", "# "])))
def test_every_formula_of_a_text_is_restored(pieces: list[str]) -> None:
    """No order of tokens and marks leaves one behind, and text without tokens only loses blank lines."""
    restored = restore_markdown(" ".join(pieces), some_tokens())
    assert "zq" not in restored
    assert restored.count("word") == pieces.count("word")


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("<h2>A <b>bold</b> heading</h2><p>text</p>", "## A bold heading\n\ntext"),
        ("<p>one<br>two<br><br>three</p>", "one\ntwo\n\nthree"),
        ("<ul><li>a<ul><li>b</li></ul></li><li><p>c</p><p>d</p></li></ul>", "- a\n  - b\n- c\n\n  d"),
        ("<ul><li>a</li></ul><ol><li>b</li><li>c</li></ol>", "- a\n\n1. b\n2. c"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<dl><dt>f(<em>x</em>)</dt><dd>The value.<p>More.</p></dd></dl>", "f(x)\n: The value.\n\n  More."),
        ("<dl><dd>indented</dd></dl>", "indented"),
        ("<dl><dt>Returns</dt><dd><td></td><td>y</td></dd></dl>", "Returns\n: y"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td></td><td>c</td></tr></table>", "a | b\nc"),
        ("<p><em>very <b>strong</b></em> , <strong> so </strong>it is</p>", "*very strong* , **so** it is"),
        ("<p>press <kbd>F1</kbd> for <code>help</code><i class='icon'></i></p>", "press `F1` for `help`"),
        ("<p><a href='/x'>a link</a><script>no</script><img alt='no'></p>", "a link"),
    ],
)
def test_shapes(inner: str, text: str) -> None:
    """Headings, lists, quotations, definitions, emphasis, raised letters."""
    root = lxml_html.document_fromstring(f"<body>{inner}</body>")
    mark_inline(root)
    assert write_markdown(root, Tokens(b"")) == text


def test_depth_is_no_recursion() -> None:
    """Two thousand levels are written as two would be."""
    root = lxml_html.Element("div")
    leaf = root
    for _ in range(2_000):
        leaf = lxml_html.etree.SubElement(leaf, "div")
    leaf.text = "deep"
    assert write_markdown(root, Tokens(b"")) == "deep"
