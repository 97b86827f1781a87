"""Documents with known formulas: our own texts, and problems with solutions from the benchmark folder."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from roundtrip.ascii_forms import ASCII_FORMS
from roundtrip.formula import Formula

FOLDER = Path(__file__).parent
PLACE = re.compile(r"qzformula(\d+)z")
_SPAN = re.compile(
    r"(?P<code>```.*?```|`[^`\n]*`)|(?P<money>\\\$)|\$\$(?P<display>(?:[^$\\]|\\.)+)\$\$|\$(?P<inline>(?:[^$\\]|\\.)+)\$",
    re.DOTALL,
)
_BRACKETS = re.compile(r"\\\[(.+?)\\\]", re.DOTALL)
_ODD = re.compile(
    r"\[asy\]|\\includegraphics|\\begin\{(?:tabular|table|figure|center)|\\(?:ref|eqref|cite|tag)\b|!\[|<|\|\n"
)
_PROBLEM_FILES = (
    ("olympiad_bench.test.jsonl.gz", "question", "solution"),
    ("math.test.jsonl.gz", "problem", "solution"),
)
_DEV_SHARE = 6  # of ten
_PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


@dataclass(frozen=True, slots=True)
class Document:
    """A text whose formulas are places, `qzformula7z`, with what an extractor should keep of it."""

    name: str
    title: str
    sections: tuple[tuple[str, str], ...]
    """Heading and HTML."""
    formulas: tuple[Formula, ...]
    code: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Cells of tables, with places."""

    @property
    def split(self) -> str:
        """`dev` or `test`, by the name alone."""
        return "dev" if int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % 10 < _DEV_SHARE else "test"


def own_documents() -> list[Document]:
    """Our own texts: tables with formulas, code, money, citations and footnotes in each of them."""
    texts = re.split(r"(?m)^# ", (FOLDER / "texts.md").read_text(encoding="utf-8"))[1:]
    return [parse(f"own:{text.partition(chr(10))[0]}", text) for text in texts]


def problem_documents(folder: Path, limit: int) -> Iterator[Document]:
    """Problems with their solutions, those with the smallest hashes first, each file in turn."""
    sources = [iter(_problems(folder / name, question, answer)) for name, question, answer in _PROBLEM_FILES]
    for number in range(limit):
        yield next(sources[number % len(sources)])


def _problems(path: Path, question: str, answer: str) -> Iterator[Document]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in sorted(rows, key=lambda row: hashlib.sha256(row[question].encode()).digest()):
        solution = row[answer][0] if isinstance(row[answer], list) else row[answer]
        text = _dollars(f"{row[question]}\n\n## Solution\n\n{solution}")
        document = None if _ODD.search(text) else parse(f"{path.name}:{row.get('id', row.get('idx'))}", _framed(text))
        if document and 12 <= len(document.formulas) <= 60 and not _has_bare_tex(document):
            yield document


def _has_bare_tex(document: Document) -> bool:
    """Whether TeX stands outside delimiters, as alignments do in some solutions."""
    return any("\\" in html or "$" in html for _, html in document.sections)


def _dollars(text: str) -> str:
    """Display formulas between dollars, and blank lines out of them."""
    text = _BRACKETS.sub(lambda found: f"\n\n$${found[1]}$$\n\n", text)
    return re.sub(
        r"\$\$(.+?)\$\$", lambda f: f"\n\n$${re.sub(chr(10) + '+', chr(10), f[1].strip())}$$\n\n", text, flags=re.DOTALL
    )


def _framed(text: str) -> str:
    """The problem with a title of ours, and a table of its first formulas behind it."""
    short = [found["inline"] for found in _SPAN.finditer(text) if found["inline"] and len(found["inline"]) < 40]
    rows = "\n".join(f"| step {n + 1} | ${tex}$ |" for n, tex in enumerate(short[:4]) if "|" not in tex)
    return (
        f"A problem with its solution\n\n{text}\n\n## Overview\n\nThe formulas that this page began with, in a table "
        f"that a reader can print for \\$2 or copy for free [3].\n\n| place | formula |\n|---|---|\n{rows}\n"
    )


def parse(name: str, markdown: str) -> Document:
    """A document from Markdown: its title in the first line, formulas between dollars, money as `\\$`."""
    formulas: list[Formula] = []

    def place(found: re.Match[str]) -> str:
        if found["code"] or found["money"]:
            return found[0] if found["code"] else "qzmoneyz"
        tex = (found["display"] or found["inline"]).strip()
        formulas.append(Formula(tex, found["display"] is not None, ASCII_FORMS.get(tex, "")))
        return f"qzformula{len(formulas) - 1}z"

    title, _, body = _SPAN.sub(place, markdown).partition("\n")
    code = tuple(
        line for block in re.findall(r"```\w*\n(.*?)```", body, re.DOTALL) for line in block.splitlines() if line
    )
    rows = tuple(_cells(line) for line in body.splitlines() if line.startswith("| "))
    parts = re.split(r"(?m)^## (.*)\n", body)
    sections = zip(["", *parts[1::2]], parts[::2], strict=True)
    return Document(
        name, title.strip(), tuple((head, _PARSER.render(text)) for head, text in sections), tuple(formulas), code, rows
    )


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
