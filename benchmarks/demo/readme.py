"""The README beside the data."""

from collections import Counter
from pathlib import Path
from string import Template

from demo.collection import Collection
from demo.sites import MATH_SITES

FORMS = {
    "katex": "KaTeX: HTML with MathML and an annotation",
    "katex-auto": "KaTeX auto-render, before it has run: `\\(…\\)` and `$$…$$`",
    "mathjax3-source": "MathJax 3, before it has run: `\\(…\\)` and `\\[…\\]`",
    "mathjax2-script": 'MathJax 2: `<script type="math/tex">` with a preview',
    "mathjax-chtml": "MathJax 3, after it has run: CHTML with assistive MathML",
    "mathjax-svg": "MathJax 3, after it has run: SVG with assistive MathML",
    "temml": "Temml: MathML with an annotation",
    "mathml": "MathML by Temml, no annotation",
    "mathml-mathjax": "MathML by MathJax, no annotation",
    "wordpress": '`<img class="latex">` with `latex.php?latex=` and `alt`',
    "codecogs": "`<img>` of codecogs, LaTeX in the address, `alt` on two of three",
    "latexml": "`<math alttext>` in the manner of LaTeXML",
    "stackexchange": "`span.math-container` with `$…$`",
    "pandoc": "`span.math.inline` and `.display` in the manner of pandoc",
    "dollars": "bare `$…$` and `$$…$$`",
}
TEXT = Template("""# Demo data

Everything `octo demo` reads. All of it was written for this project: the articles by hand, the exercises by a program
that calculates every answer. Licence: CC0-1.0. The hosts are reserved names, so no real site is meant.

Rebuild (needs node, and once `npm install --no-package-lock` in `benchmarks/render`):

    python benchmarks/demo_data.py            # writes this folder
    python benchmarks/demo_data.py --check    # builds into a temporary folder and compares every byte

The bytes of the `.gz` files depend on the zlib that Python was built with; their contents do not.
This file is written by the same command. The articles lie in `../pages/*.md`.

| file | rows | what |
| --- | --- | --- |
$files

`text` is what a model is trained on. `answer` is LaTeX without dollars. No problem is used twice: the rows, the pages,
the held-out rows and the benchmark are disjoint, apart from the leaks named here and the copies of pages. Benchmark
problem `$qa_leak` stands word for word in `short_qa.jsonl.gz` (row `demo-qa-0613`), and two others stand on the pages
listed below. No other run of 13 words of a benchmark problem occurs anywhere in the data.

`tokenizer.json` is a byte-level BPE with 2,048 entries, trained on the English mathematics pages and the four training
files. `<|endoftext|>` has id 0, digits stand alone, nothing is added before or after a text.

## pages.warc.gz

WARC/1.1, one gzip member a record: $counts. Dates lie between
2019 and 2025. About a quarter of the responses are sent with `Content-Encoding: gzip`, `Transfer-Encoding: chunked` or
both. $math_pages responses are English pages with mathematics ($math_chars characters of Markdown, near-duplicates
included):

| host | pages | formulas |
| --- | --- | --- |
$sites

The other responses, and the pages with something special about them:

| address | what |
| --- | --- |
$specials

The `revisit` record belongs to the first of the pages that have an exact duplicate.
""")


def write_readme(
    data: Path, rows: dict[str, tuple[int, str]], counts: dict[str, int], collection: Collection, qa_leak: str
) -> None:
    """Writes `README.md`; `rows` holds the number of rows and a description for each file."""
    hosts = Counter(url.split("/")[2] for url in collection.texts)
    named = {special.url: special.what for special in collection.specials}
    text = TEXT.substitute(
        files="\n".join(
            f"| `{name}` | {f'{count:,}' if count else ''} | {what} |" for name, (count, what) in rows.items()
        ),
        qa_leak=qa_leak,
        counts=", ".join(f"{count} `{kind}`" for kind, count in counts.items()),
        math_pages=len(collection.texts),
        math_chars=f"{sum(map(len, collection.texts.values())):,}",
        sites="\n".join(f"| {site.host} | {hosts[site.host]} | {FORMS[site.form]} |" for site in MATH_SITES),
        specials="\n".join(f"| {url} | {what} |" for url, what in named.items()),
    )
    (data / "README.md").write_text(text, encoding="utf-8")
