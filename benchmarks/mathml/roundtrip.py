"""How well MathML becomes LaTeX again: formulas to MathML by six programs, the TeX taken out, converted, and compared.

    python benchmarks/mathml/roundtrip.py [DATA] [--part development|held-out] [--producer NAME …] [--show N]
                                          [--beside FILE] [--json FILE]
    python benchmarks/mathml/roundtrip.py [DATA] --pages

DATA (or $OCTO_TEST_DATA) holds `benchmarks/`, `webmath-sample.*` and `planetmath-sources.jsonl.gz`. *exact* is equal
TeX without white space and style commands; *equivalent* is defined in `mathml_equivalence.py`; *refused* is what KaTeX
cannot read. Times are CPU seconds of the conversion of parsed elements. With `--pages` the formulas are those of the
sample's pages with `alttext`, as LaTeXML wrote them. `--beside` names a Python file with another `to_tex(element)`.
"""

import argparse
import html
import importlib.util
import json
import os
import re
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from equivalence import canonical
from fastwarc import ArchiveIterator, WarcRecordType
from formulas import Source, formulas
from lxml import etree
from producers import PRODUCERS, is_installed, mathml, without_source

from curation.extract.notation.markup import Unconvertible, read_markup
from curation.extract.notation.mathml import mathml_to_tex
from curation.extract.tex import tidy

Convert = Callable[[etree._Element], str]
_PART_SIZE = 2000
_LOOKS = re.compile(r"\\(?:displaystyle|textstyle)(?![A-Za-z])|\\(?:begin|end)\{equation\*?\}|\\label\{[^{}]*\}|\s|~")
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
_ALTTEXT = re.compile(r'\salttext="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Score:
    """Of `formulas` conversions: how many are exact, equivalent, and refused by KaTeX; and how many a CPU second."""

    formulas: int
    exact: int
    equivalent: int
    refused: int
    seconds: float

    def row(self, name: str) -> str:
        """A line of the table."""
        shares = "  ".join(f"{count / self.formulas:9.4f}" for count in (self.exact, self.equivalent, self.refused))
        return f"{name:22} {self.formulas:6}  {shares}  {self.formulas / self.seconds:9.0f}"


def main() -> None:
    """Prints a line for each producer and converter; writes the same numbers as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("OCTO_TEST_DATA"))
    parser.add_argument("--part", choices=("development", "held-out"), default="held-out")
    parser.add_argument("--producer", action="append", choices=PRODUCERS)
    parser.add_argument("--pages", action="store_true", help="the MathML of real pages instead")
    parser.add_argument("--show", type=int, default=0, help="print so many formulas that are not equivalent")
    parser.add_argument("--beside", type=Path, help="a Python file with another `to_tex`")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("no data folder given; name one or set OCTO_TEST_DATA")
    converters = {"octocorpus": mathml_to_tex}
    if arguments.beside:
        converters[arguments.beside.stem] = _other(arguments.beside)
    print(f"{'':22} formulas      exact  equivalent   refused  per CPU-s")
    scores: dict[str, Score] = {}
    for name, sources, markups in _sets(arguments):
        for converter, convert in converters.items():
            scores[f"{name} {converter}"] = score = _score(sources, markups, convert, arguments.show)
            print(score.row(f"{name} {converter}") + "\n" * bool(arguments.show), flush=True)
    for converter in converters:
        print(_total([score for name, score in scores.items() if name.endswith(converter)]).row(f"all {converter}"))
    if arguments.json:
        table = {name: {field: getattr(s, field) for field in Score.__slots__} for name, s in scores.items()}
        arguments.json.write_text(json.dumps(table, indent=1) + "\n")


def _other(path: Path) -> Convert:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.to_tex


def _sets(arguments: argparse.Namespace) -> Iterator[tuple[str, Sequence[Source], Sequence[str | None]]]:
    """Formulas with their MathML, by name."""
    data = Path(arguments.data)
    if arguments.pages:
        pairs = list(_page_formulas(data / "webmath-sample.warc.gz"))
        yield "pages", [source for source, _ in pairs], [markup for _, markup in pairs]
        return
    start = 0 if arguments.part == "development" else _PART_SIZE
    readable = _readable(formulas(data))[start : start + _PART_SIZE]
    for producer in arguments.producer or PRODUCERS:
        if not is_installed(producer):
            print(f"{producer:22} not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            yield producer, readable, mathml(producer, readable, Path(folder))


def _readable(sources: Sequence[Source]) -> list[Source]:
    """The formulas that KaTeX can read, since it is the judge."""
    forms = canonical([(source.tex, source.display) for source in sources])
    return [source for source, form in zip(sources, forms, strict=True) if form is not None]


def _page_formulas(warc: Path) -> Iterator[tuple[Source, str]]:
    with warc.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, auto_decode="transfer"):
            body = record.reader.read()
            if body.startswith(b"\x1f\x8b"):
                body = zlib.decompressobj(31).decompress(body)
            if b"alttext=" not in body or b"ltx_" not in body:
                continue
            for markup in _MATH.findall(body.decode("utf-8", "replace")):
                if alttext := _ALTTEXT.search(markup):
                    tex = tidy(html.unescape(alttext[1]).replace("%\n", ""))
                    yield Source(tex, 'display="block"' in markup[:300]), without_source(markup)


def _score(sources: Sequence[Source], markups: Sequence[str | None], convert: Convert, show: int) -> Score:
    pairs = [(source, read_markup(markup)) for source, markup in zip(sources, markups, strict=True) if markup]
    started = time.process_time()
    made = [_converted(convert, element) for _, element in pairs]
    seconds = time.process_time() - started
    wanted = canonical([(tidy(source.tex), source.display) for source, _ in pairs])
    shown = [r"\unconvertible" if tex is None else tex for tex in made]
    got = canonical([(tex, source.display) for (source, _), tex in zip(pairs, shown, strict=True)])
    judged = [
        (source.tex, tex, one, two)
        for (source, _), tex, one, two in zip(pairs, made, wanted, got, strict=True)
        if one is not None
    ]
    for source, tex, one, two in [case for case in judged if case[2] != case[3]][:show]:
        print(f"    {source!r}\n    {tex!r}\n        {one}\n        {two}")
    return Score(
        len(judged),
        sum(tex is not None and _squeezed(tidy(source)) == _squeezed(tex) for source, tex, _, _ in judged),
        sum(one == two for _, _, one, two in judged),
        sum(two is None for _, _, _, two in judged),
        seconds,
    )


def _converted(convert: Convert, element: etree._Element) -> str | None:
    try:
        return convert(element)
    except (Unconvertible, ValueError, IndexError, KeyError, AttributeError):
        return None


def _squeezed(tex: str) -> str:
    return _LOOKS.sub("", tex)


def _total(scores: Sequence[Score]) -> Score:
    return Score(*(sum(getattr(score, field) for score in scores) for field in Score.__slots__))


if __name__ == "__main__":
    main()
