"""Data tables come out row by row; tables that lay out a page or an equation do not."""

import pytest
from lxml import html as lxml_html

from curation.extract.content.tables import protect_tables
from curation.extract.tokens import Formula, Tokens


def protected(inner: str) -> tuple[list[str], str]:
    """The finished tables of a page, and what its text became."""
    root, tokens = lxml_html.document_fromstring(f"<body><div>{inner}</div></body>"), Tokens(b"")
    tokens.add(Formula("x^2", True, "test"))
    protect_tables(root, tokens)
    text = " ".join("".join(root.itertext()).split())
    entries = dict.fromkeys(token[0] for token in tokens.pattern.finditer(text) if token[1] == "b")
    return [str(tokens.entry(tokens.pattern.match(entry))) for entry in entries], text


@pytest.mark.parametrize(
    ("inner", "table"),
    [
        (
            "<table><caption>Powers</caption><tr><th>f</th><th>g</th></tr><tr><td>zqd0qz</td><td>a|b</td></tr></table>",
            "Powers\n\n| f | g |\n| --- | --- |\n| zqi0qz | a\\|b |",
        ),
        (
            "<table><thead><tr><th colspan=2>ab</th><th>c</th></tr></thead>"
            "<tbody><tr><td>1</td><td>2</td><td>3</td></tr></tbody></table>",
            "| ab |  | c |\n| --- | --- | --- |\n| 1 | 2 | 3 |",
        ),
        (
            "<table><tr><td rowspan=2>a</td><td>b</td></tr><tr><td>c</td></tr><tr><td>d</td><td>e</td></tr></table>",
            "| a | b |\n| --- | --- |\n|  | c |\n| d | e |",
        ),
        (
            "<table><tr><td colspan=1000000000>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
            "| a |  | b |\n| --- | --- | --- |\n| c | d |  |",
        ),
        (
            "<table><tr><td>costs $5</td><td>or $6</td></tr>"
            "<tr><td><p>a</p><p>b</p></td><td><ul><li>c</ul></td></tr></table>",
            "| costs $5 | or $6 |\n| --- | --- |\n| a b | - c |",
        ),
        (
            "<table><tr><td></td><td>a</td><td>b</td></tr><tr><td> </td><td>c</td><td>d</td></tr></table>",
            "| a | b |\n| --- | --- |\n| c | d |",
        ),
    ],
)
def test_data(inner: str, table: str) -> None:
    """Captions, spans, formulas, bars; columns without anything in them go."""
    assert protected(inner)[0] == [table]


@pytest.mark.parametrize(
    "inner",
    [
        "<table><tr><td>one row</td><td>only</td></tr></table>",
        "<table><tr><td>one</td></tr><tr><td>column</td></tr></table>",
        "<table role='presentation'><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        "<table><tr><td><h2>a</h2></td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        "<table><tr><td><a href=1>aaaa</a></td><td>b</td></tr><tr><td><a href=2>cccc</a></td><td>d</td></tr></table>",
        "<table><tr><td>"
        + "a long column of a page " * 200
        + "</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
    ],
)
def test_layout_is_left_alone(inner: str) -> None:
    """Lists of links, columns of a page, and what is no grid."""
    assert protected(inner)[0] == []


@pytest.mark.parametrize(
    "inner",
    [
        "<table><tr><td></td><td>zqd0qz</td><td>(1.2)</td></tr></table>",
        "<table class='ltx_equation ltx_eqn_table'><tr><td>zqd0qz</td><td>(1.2)</td></tr></table>",
    ],
)
def test_an_equation_is_no_table(inner: str) -> None:
    """The number stays beside it."""
    assert protected(inner) == ([], "zqd0qz (1.2)")


def test_a_row_of_links_is_a_menu() -> None:
    """It goes; a row with words beside the links does not."""
    row = "<table><tr><td><a href=1>Home</a></td><td><a href=2>More</a></td>{}</tr></table>"
    assert protected(row.format("")) == ([], "")
    assert protected(row.format("<td>and words</td>")) == ([], "HomeMoreand words")


def test_spans_that_are_made_up_do_not_count() -> None:
    """A few bytes must not become a hundred columns and rows for every cell."""
    wide = "<tr>" + "<td rowspan=100 colspan=100>x</td>" * 50 + "</tr>"
    tables, _ = protected(f"<table>{wide}<tr><td>b</td><td>c</td></tr></table>")
    assert tables[0].split("\n")[2].startswith("| b | c | ")
    assert tables[0].split("\n")[0].count("x") == 50


def test_a_table_of_more_rows_than_anyone_reads_loses_them_only_in_the_tree() -> None:
    """Choosers would spend seconds on them; the finished table has them all."""
    rows = "".join(f"<tr><td>{number}</td><td>word</td></tr>" for number in range(1_500))
    tables, text = protected(f"<table>{rows}</table>")
    assert tables[0].count("\n") == 1_500
    assert text.startswith("zqb1qz 0word1word")
    assert text.endswith("zqb1qz")
