"""What real renderers make of formulas: KaTeX, MathJax 2 to 4 and Temml by node; pandoc and LaTeXML where installed.

Every result is kept on disk by the renderer's file and versions, since a run needs the same ten thousand again.
"""

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from roundtrip.formula import Formula

FOLDER = Path(__file__).parent
CACHE = Path("~/.cache/octocorpus-bench/roundtrip.sqlite").expanduser()
PANDOC = {"mathjax": "--mathjax", "katex": "--katex", "mathml": "--mathml", "webtex": "--webtex", "plain": ""}
_CUT = "<!--cut-->"
_LATEXML_PAGE = "\\documentclass{article}\\usepackage{amsmath,amssymb,mathrsfs}\\begin{document}\n%s\n\\end{document}\n"
_ID = re.compile(r' id="[^"]*"')
_LTX_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
Wanted = tuple[str, str, bool]


def tool_of(form: str) -> str:
    """The program that makes a form."""
    name = form.partition("-")[0]
    return name if name in ("pandoc", "latexml") else "node"


def missing_tools() -> dict[str, str]:
    """The programs that are not there, with what to do about each."""
    found = {"pandoc": "install pandoc", "latexml": "install latexml"}
    missing = {tool: advice for tool, advice in found.items() if not shutil.which(tool)}
    if not (FOLDER / "node_modules").is_dir() or not shutil.which("node"):
        missing["node"] = "install node, then `npm install --no-package-lock --prefix benchmarks/roundtrip`"
    return missing


def rendered(wanted: Iterable[tuple[str, Formula]]) -> dict[Wanted, str | None]:
    """The HTML of every (form, formula) pair; None where the renderer refuses the formula."""
    keys = list(dict.fromkeys((form, formula.tex, formula.display) for form, formula in wanted))
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(CACHE) as store:
        store.execute("CREATE TABLE IF NOT EXISTS rendered (key TEXT PRIMARY KEY, html TEXT)")
        stored = {
            key: store.execute("SELECT html FROM rendered WHERE key = ?", (_digest(key),)).fetchone() for key in keys
        }
        fresh = [key for key in keys if stored[key] is None]
        made = _render([key for key in fresh if tool_of(key[0]) == "node"], fresh)
        store.executemany("INSERT OR REPLACE INTO rendered VALUES (?, ?)", [(_digest(key), made[key]) for key in fresh])
    return {key: made[key] if key in made else stored[key][0] for key in keys}


def _render(by_node: list[Wanted], fresh: list[Wanted]) -> dict[Wanted, str | None]:
    made = _node(by_node)
    for form in dict.fromkeys(key[0] for key in fresh if tool_of(key[0]) == "pandoc"):
        made |= _pandoc(form, [key for key in fresh if key[0] == form])
    return made | _latexml([key for key in fresh if tool_of(key[0]) == "latexml"])


def _digest(key: Wanted) -> str:
    program = (FOLDER / "package.json").read_text() + "".join(p.read_text() for p in sorted(FOLDER.glob("*.mjs")))
    scope = hashlib.sha256(program.encode()).hexdigest()[:12] if tool_of(key[0]) == "node" else ""
    return hashlib.sha256(json.dumps((scope, key)).encode()).hexdigest()


def _node(keys: list[Wanted]) -> dict[Wanted, str | None]:
    if not keys:
        return {}
    lines = "".join(json.dumps({"form": form, "tex": tex, "display": display}) + "\n" for form, tex, display in keys)
    done = subprocess.run(
        ["node", str(FOLDER / "render.mjs")], input=lines, text=True, capture_output=True, check=False
    )
    answers = [json.loads(line).get("html") for line in done.stdout.split("\n") if line]
    if len(answers) != len(keys):
        raise RuntimeError(f"render.mjs stopped after {len(answers)} of {len(keys)} formulas.\n{done.stderr[-2000:]}")
    return dict(zip(keys, answers, strict=True))


def _pandoc(form: str, keys: list[Wanted]) -> dict[Wanted, str | None]:
    """One run for all formulas of a form, given as pandoc's own tree so that nothing is parsed on the way."""
    blocks: list[dict] = []
    for _, tex, display in keys:
        math = {"t": "Math", "c": [{"t": "DisplayMath" if display else "InlineMath"}, tex]}
        blocks += [{"t": "Plain", "c": [math]}, {"t": "RawBlock", "c": ["html", _CUT]}]
    version = json.loads(subprocess.run(["pandoc", "-t", "json"], input="", text=True, capture_output=True).stdout)
    command = ["pandoc", "-f", "json", "-t", "html", "--wrap=none", PANDOC[form.partition("-")[2]]]
    page = json.dumps({**version, "blocks": blocks})
    done = subprocess.run([part for part in command if part], input=page, text=True, capture_output=True, check=True)
    refused = set(re.findall(r"Could not convert TeX math (.*?), rendering as TeX", done.stderr, re.DOTALL))
    pieces = done.stdout.split(_CUT)[:-1]
    return {
        key: None if key[1].strip() in {text.strip() for text in refused} else piece.strip()
        for key, piece in zip(keys, pieces, strict=True)
    }


def _latexml(keys: list[Wanted]) -> dict[Wanted, str | None]:
    """One document with a paragraph for each formula; formulas that LaTeXML marks as errors are refused."""
    if not keys:
        return {}
    lines = []
    for number, (_, tex, display) in enumerate(keys):
        formula = f"\\[{tex}\\]" if display else f"${tex}$"
        lines.append(f"BEGIN{number}Q {formula} END{number}Q\n")
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name, "page.tex"), Path(name, "page.html")
        source.write_text(_LATEXML_PAGE % "\n".join(lines), encoding="utf-8")
        command = [
            "latexmlc",
            "--format=html5",
            "--pmml",
            "--mathtex",
            "--nodefaultresources",
            "--quiet",
            "--timeout=500",
        ]
        subprocess.run([*command, f"--dest={target}", str(source)], check=True, capture_output=True, cwd=name)
        html = target.read_text(encoding="utf-8")
    return {key: _between(html, f"BEGIN{number}Q", f"END{number}Q") for number, key in enumerate(keys)}


def _between(html: str, opening: str, closing: str) -> str | None:
    start, end = html.find(opening), html.find(closing)
    found = _LTX_MATH.findall(html[start:end]) if 0 <= start < end else []
    found = [_ID.sub(' id="p1.m1"', math, count=1) for math in found]  # its own counts the formulas of the run
    return found[0] if len(found) == 1 and "ltx_ERROR" not in html[start:end] and "<merror" not in found[0] else None
