import gzip
import html
import json
import re
from pathlib import Path

from fastwarc import ArchiveIterator, WarcRecordType
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from curation.extract.notation.markup import Unconvertible, read_markup
from curation.extract.notation.mathml import mathml_to_tex

REASONS = {"too_deep", "private_use", "content_mathml", "merror"}
LEAVES = ["mi", "mn", "mo", "mtext", "ms", "mspace", "mglyph", "mprescripts", "none", "annotation", "img"]
BRANCHES = [
    *("mrow", "mstyle", "mpadded", "mphantom", "mfrac", "msqrt", "mroot", "menclose", "mfenced", "maction"),
    *("msub", "msup", "msubsup", "mover", "munder", "munderover", "mmultiscripts", "semantics"),
    *("mtable", "mtr", "mlabeledtr", "mtd", "merror", "apply", "span"),
]
SIGNS = "xA1+=(){}[]|‖∑∫′°²∣∥⃗→^~_\\#$%&"
TEXTS = st.sampled_from([*SIGNS, "", " ", "lim", "mod", "10", "𝐱ℝ", "\u2061", "\u2062", "\u0338"])
ATTRIBUTES = {
    "stretchy": ["true", "false"],
    "fence": ["true", "false"],
    "form": ["prefix", "postfix"],
    "minsize": ["1.2em", "2.4em", "120%", ""],
    "lspace": ["0", "0.22em"],
    "largeop": ["true"],
    "mathvariant": ["bold", "normal", "script", "italic", "bold-fraktur", "nonsense"],
    "width": ["0", "1em", "-1em", "50%", "100%"],
    "displaystyle": ["true", "false"],
    "columnalign": ["left", "right left", "center nonsense"],
    "columnlines": ["solid none"],
    "rowlines": ["solid"],
    "columnspacing": ["0em", "1em"],
    "frame": ["solid"],
    "open": ["", "[", "<", "ab"],
    "close": ["", ")", "|"],
    "separators": ["", ";,"],
    "notation": ["box", "top bottom", "updiagonalstrike", "longdiv"],
    "linethickness": ["0", "0px", "2"],
    "bevelled": ["true"],
    "selection": ["2", "0", "x"],
    "class": ["tml-tag", "mtr-glue", "mml-eqn-num", "tml-small", "ltx_font_mathscript"],
    "style": ["border-left:1px solid", "padding:0;width:50%", "padding:3pt;border:1px solid"],
    "data-mjx-texclass": ["OPEN", "CLOSE", "INNER", "ORD"],
    "data-mjx-auto-op": ["false"],
}


def element(tag: str, attributes: dict[str, str], content: str | list[etree._Element]) -> etree._Element:
    made = etree.Element(tag, attributes)
    if isinstance(content, str):
        made.text = content
    else:
        made.extend(content)
    return made


pairs = st.sampled_from([(name, value) for name, values in ATTRIBUTES.items() for value in values])
attributes = st.lists(pairs, max_size=3).map(dict)
leaves = st.builds(element, st.sampled_from(LEAVES), attributes, TEXTS | st.text("abc 12.,()", max_size=6))
formulas = st.recursive(
    leaves,
    lambda inner: st.builds(element, st.sampled_from(BRANCHES + LEAVES[:4]), attributes, st.lists(inner, max_size=4)),
    max_leaves=25,
)


def outermost_braces_match(tex: str) -> bool:
    depth = 0
    for brace in re.findall(r"\\.|[{}]", tex):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        if depth < 0:
            return False
    return depth == 0


@given(st.lists(formulas, max_size=5), st.sampled_from(["", "block"]))
def test_any_tree_gives_balanced_latex_or_a_known_reason(children: list[etree._Element], display: str) -> None:
    math = element("math", {"display": display}, children)
    try:
        tex = mathml_to_tex(math)
    except Unconvertible as refusal:
        assert str(refusal) in REASONS
        return
    assert outermost_braces_match(tex)
    assert len(re.findall(r"\\left(?![a-z])", tex)) == len(re.findall(r"\\right(?![a-z])", tex))
    assert len(re.findall(r"\\begin\{", tex)) == len(re.findall(r"\\end\{", tex))


@given(st.lists(formulas, max_size=4))
def test_the_same_tree_gives_the_same_latex(children: list[etree._Element]) -> None:
    markup = etree.tostring(element("math", {}, children), encoding="unicode")
    assert result(markup) == result(markup)


def result(markup: str) -> str:
    try:
        return mathml_to_tex(read_markup(markup))
    except Unconvertible as refusal:
        return f"refused: {refusal}"


def test_long_flat_formulas_are_converted_whole() -> None:
    math = element("math", {}, [element("mi", {}, "x") for _ in range(20_000)])
    assert mathml_to_tex(math) == "x" * 20_000
    bars = element("math", {}, [element("mo", {}, "|") for _ in range(20_000)])
    assert mathml_to_tex(bars) == "|" * 20_000


def test_the_reader_refuses_too_much_markup() -> None:
    assert result("<math>" + "<mi>x</mi>" * 50_000 + "</math>") == "refused: too_large"


def test_pages_written_by_latexml_say_what_their_alternative_text_says(shared_data: Path) -> None:
    """Compared without spaces, braces and commands for size; the rest is spelling, as `\\geq` for `\\ge`."""
    pairs = list(page_formulas(shared_data, pages=40))
    same = [plain(alttext) == plain(result(markup)) for alttext, markup in pairs]
    assert len(same) > 500
    assert sum(same) / len(same) > 0.9


def page_formulas(data: Path, pages: int):
    with gzip.open(data / "webmath-sample.manifest.jsonl.gz", "rt") as manifest:
        rows = [json.loads(line) for line in manifest]
    wanted = {row["record_id"] for row in rows if "11_Number_theory@" in row["source"] and not row["variant"]}
    chosen = set(sorted(wanted)[:pages])
    with (data / "webmath-sample.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, auto_decode="transfer"):
            if f"<{record.record_id.strip('<>')}>" not in chosen:
                continue
            body = record.reader.read()
            if body.startswith(b"\x1f\x8b"):
                body = gzip.decompress(body)
            for markup in re.findall(r"<math\b.*?</math>", body.decode(), re.DOTALL):
                if alttext := re.search(r'alttext="([^"]*)"', markup):
                    yield html.unescape(alttext[1]), re.sub(r"<annotation.*?</annotation>", "", markup, flags=re.DOTALL)


def plain(tex: str) -> str:
    for pattern, instead in SPELLINGS:
        tex = pattern.sub(instead, tex)
    return tex


SPELLINGS = [
    (re.compile(pattern), instead)
    for pattern, instead in [
        (r"%\n", ""),
        (r"\\(?:displaystyle|left|right|[bB]igg?[lr]?|[lr]vert|limits|text|mathrm|rm)(?![a-z])|\|", ""),
        (r"\\colon(?![a-z])", ":"),
        (r"\\dots(?![a-z])", r"\\ldots"),
        (r"\^\{\\prime\}", "'"),
        (r"\\ast(?![a-z])", "*"),
        (r"[\s{}]|\\[,;:! ]|\\q?quad(?![a-z])", ""),
    ]
]
