"""Pages per CPU second of a whole corpus build, beside stock datatrove on the same WARC in the same run.

    python benchmarks/curation_throughput.py WARC [--pages N] [--repeat N] [--json OUT]

Each side is one child process with one task and one worker, measured from start to end with everything it starts, in
CPU seconds, which a busy machine changes little. Both run the stages that both can run offline: WARC, URL filter,
extraction, quality rules, fastText, MinHash, Parquet; language identification is left out, since the stock one needs a
download. Two comparisons, because rules that remove more pages make the stages behind them look cheaper:

    filtering   each side removes what its own rules, thresholds and duplicates say
    keep-all    the same filters judge every page and remove none, so that all pages reach MinHash
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BASELINE = Path(__file__).with_name("stock_datatrove.py")
# What datatrove does not say: English needs spaCy, trafilatura below 1.12 needs lxml_html_clean with lxml 6.
BASELINE_PACKAGES = ("datatrove[io,processing]==0.10.1", "spacy==3.8.18", "lxml_html_clean==0.4.6")
SHIPPED_MODEL = ROOT / "classifiers" / "models" / "math-web.ftz"
DEFAULT_CACHE = Path.home() / ".cache" / "octocorpus-bench"
COMPARISONS = ("filtering", "keep-all")
SIDES = ("stock", "octo")
THRESHOLD = 0.5

# Quality limits that no page breaks, so that every rule is worked out.
NO_LIMITS: dict[str, float] = {
    "min_words": 0, "max_words": 10**9, "max_mean_word_chars": 1e9, "min_letter_words": 0.0,
    "max_duplicate_lines": 1.0, "max_duplicate_ngrams": 1.0, "max_top_ngram": 1.0,
    "max_bullet_lines": 1.0, "max_ellipsis_lines": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What both sides are given."""

    comparison: str
    warc: Path
    pages: int
    model: Path | None
    baseline_python: Path
    engine: str


@dataclass(frozen=True)
class Run:
    """One side of one comparison, measured once. `cpu_by_stage` are the parts the side knows of itself, in seconds."""

    side: str
    comparison: str
    pages: int
    documents: int
    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    cpu_by_stage: dict[str, float]
    documents_after: dict[str, int]
    libraries: dict[str, str]

    @property
    def pages_per_cpu_s(self) -> float:
        """Response records of the WARC per CPU second."""
        return self.pages / self.cpu_s


def main() -> None:
    """Prints a table after each comparison, and writes all runs as JSON if asked."""
    options = _arguments()
    python = options.baseline_python or baseline_python(options.cache)
    model = options.model.resolve() if options.model.exists() else None
    if model is None:
        print(f"{options.model}: there is no fastText model; that stage is left out on both sides.")
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="curation-throughput-") as folder:
        warc, pages = _first_pages(options.warc, options.pages, Path(folder) / "pages.warc.gz")
        for comparison in options.comparison or COMPARISONS:
            case = Case(comparison, warc, pages, model, python, options.engine)
            runs += (mine := _measure(case, options.repeat, Path(folder)))
            print_table(comparison, *(_least(mine, side) for side in SIDES))
            if options.json:
                options.json.parent.mkdir(parents=True, exist_ok=True)
                options.json.write_text(json.dumps(_record(options.warc, case, runs), indent=1) + "\n", "utf-8")


def _measure(case: Case, repeat: int, folder: Path) -> list[Run]:
    """Each side `repeat` times, in alternating order."""
    runs = []
    for turn in range(repeat):
        for side in SIDES if turn % 2 == 0 else SIDES[::-1]:
            work = folder / f"{case.comparison}-{side}-{turn}"
            work.mkdir()
            runs.append(measure_stock(case, work) if side == "stock" else measure_octo(case, work))
            print(f"{case.comparison} {side}: {runs[-1].cpu_s:.1f} CPU-s", file=sys.stderr)
            shutil.rmtree(work)
    return runs


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="whole-chain throughput beside stock datatrove")
    parser.add_argument("warc", type=Path)
    parser.add_argument("--pages", type=int, help="only the first N response records [default: all]")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each side, in alternating order")
    parser.add_argument("--comparison", action="append", choices=COMPARISONS, help="[default: both]")
    parser.add_argument("--engine", choices=("fast", "careful"), default="fast", help="our extractor")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="fastText model with the label `math`")
    parser.add_argument(
        "--baseline-python", type=_absolute, help="interpreter of an environment with the stock packages"
    )
    parser.add_argument("--cache", type=_absolute, default=DEFAULT_CACHE, help="where that environment is made once")
    parser.add_argument("--json", type=Path, help="write every run there")
    options = parser.parse_args()
    if not options.warc.is_file():
        parser.error(f"{options.warc}: no such file; expected a WARC.")
    if min(options.repeat, options.pages or 1) < 1 or options.pages == 0:
        parser.error(f"--pages {options.pages} --repeat {options.repeat}: expected at least 1 of each.")
    return options


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()  # not resolved: the python of an environment is a link


def baseline_python(cache: Path) -> Path:
    """The interpreter of the baseline's environment, made at the first use and named by its packages."""
    name = hashlib.sha256(repr((BASELINE_PACKAGES, sys.version_info[:2])).encode()).hexdigest()[:12]
    folder = cache / f"stock-{name}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        print(f"making the baseline's environment in {folder} (about a minute, 900 MB)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *BASELINE_PACKAGES], check=True)
        ready.write_text("\n".join(BASELINE_PACKAGES), "utf-8")
    return python


def _first_pages(source: Path, limit: int | None, target: Path) -> tuple[Path, int]:
    """A WARC of the first `limit` response records and how many there are; the source itself without a limit."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.warcwriter import WARCWriter

    pages = 0
    with source.open("rb") as warc, target.open("wb") as copy:
        writer = WARCWriter(copy, gzip=True)
        for record in ArchiveIterator(warc):
            if record.rec_type == "response" and (limit is None or pages < limit):
                pages += 1
                if limit:
                    writer.write_record(record)
    return (target if limit else source.resolve()), pages


def measure_stock(case: Case, work: Path) -> Run:
    """Runs `stock_datatrove.py` with the baseline's interpreter."""
    command = [str(case.baseline_python), str(BASELINE), str(case.warc), str(work), "--threshold", str(THRESHOLD)]
    command += ["--model", str(case.model)] if case.model else []
    command += ["--keep-all"] if case.comparison == "keep-all" else []
    # datatrove copies a model into a cache under its path and never looks again, so each run gets its own cache
    usage = _run(command, work, {"HF_HOME": str(work / "hf"), "HF_HUB_OFFLINE": "1"})
    result = json.loads((work / "result.json").read_text("utf-8"))
    return Run(
        "stock", case.comparison, case.pages, result["documents"], *usage, *_stock_stages(result), result["libraries"]
    )


def _stock_stages(result: dict[str, Any]) -> tuple[dict[str, float], dict[str, int]]:
    cpu, after = {}, {}
    for stage in result["stages"]:
        is_text = stage["stage"] == "text"
        cpu["read, rules, fastText, write" if is_text else stage["stage"]] = stage["cpu_s"]
        if is_text:
            cpu["extract (sandbox process)"] = stage["children_cpu_s"]
            after = stage["documents_after"]
            if stage["lost"]:
                sys.exit(f"stock: the extractor lost pages by accident ({stage['lost']}), so the run says nothing.")
    return cpu, after


def measure_octo(case: Case, work: Path) -> Run:
    """Runs `octo corpus build` with the interpreter of this benchmark."""
    manifest, data = work / "throughput.yaml", work / "data"
    manifest.write_text(json.dumps(_recipe(case)), "utf-8")  # JSON is YAML
    command = [sys.executable, "-m", "octo", "corpus", "build", str(manifest), "--data", str(data)]
    usage = _run([*command, "--tasks", "1", "--workers", "1"], work, {"PYTHONPATH": str(ROOT)})
    record = json.loads((data / "corpora" / "throughput@1" / "build.json").read_text("utf-8"))
    cpu = {stage["stage"]: stage["cpu_s"] for stage in record["stages"]}
    after = {stage["stage"]: stage["kept"] for stage in record["stages"]}
    return Run(
        "octo", case.comparison, case.pages, record["counts"]["documents"], *usage, cpu, after, record["libraries"]
    )


def _recipe(case: Case) -> dict[str, Any]:
    """The corpus manifest with the stages of the baseline."""
    keep_all = case.comparison == "keep-all"
    recipe: dict[str, Any] = {
        "kind": "corpus",
        "name": "throughput",
        "version": 1,
        "inputs": {"files": [str(case.warc)]},
        "extract": {"engine": case.engine},
        "quality": NO_LIMITS if keep_all else {},
        "dedup": {"exact": not keep_all, "minhash": {"bands": 14, "rows": 8, "ngram_words": 5}},
        "shards": {"partitions": 1},
    }
    if case.model:
        recipe["classify"] = {"model": str(case.model), "threshold": 0.0 if keep_all else THRESHOLD}
    return recipe


def _run(command: list[str], work: Path, environment: dict[str, str]) -> tuple[float, float, int]:
    """CPU seconds of a child and all it waited for, its wall seconds, and the peak memory of its largest process."""
    log = work / "log.txt"
    started = time.monotonic()
    with log.open("wb") as output:
        child = subprocess.Popen(command, cwd=work, env=os.environ | environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command)}\nended with {child.returncode}:\n{log.read_text('utf-8', 'replace')[-3000:]}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss * 1024


def print_table(comparison: str, stock: Run, octo: Run) -> None:
    """Both sides of a comparison, their ratio, and where CPU seconds and documents went."""
    ratio = octo.pages_per_cpu_s / stock.pages_per_cpu_s
    titles = ("pages", "kept", "CPU-s", "pages/CPU-s", "ratio", "wall s", "RSS MB")
    print(f"\n{comparison:10}" + "".join(f"{title:>12}" for title in titles))
    for run, factor in ((stock, 1.0), (octo, ratio)):
        cells = [f"{run.pages}", f"{run.documents}", f"{run.cpu_s:.1f}", f"{run.pages_per_cpu_s:.1f}"]
        cells += [f"{factor:.2f}", f"{run.wall_s:.1f}", f"{run.peak_rss_bytes / 1e6:.0f}"]
        print(f"{run.side:10}" + "".join(f"{cell:>12}" for cell in cells))
    for run in (stock, octo):
        rest = run.cpu_s - sum(run.cpu_by_stage.values())
        parts = [f"{name} {cpu_s:.2f}" for name, cpu_s in run.cpu_by_stage.items()]
        print(f"{run.side} CPU-s: {', '.join(parts)}, all else {rest:.2f}")
        print(
            f"{run.side} documents after: {', '.join(f'{name} {n}' for name, n in run.documents_after.items())}",
            flush=True,
        )


def _least(runs: list[Run], side: str) -> Run:
    """The run of least CPU: what other programs on the machine cost only ever adds."""
    return min((run for run in runs if run.side == side), key=lambda run: run.cpu_s)


def _record(warc: Path, case: Case, runs: list[Run]) -> dict[str, Any]:
    return {
        "measures": "whole curation chain, CPU seconds of one task",
        "input": {"file": warc.name, "size_bytes": warc.stat().st_size, "pages": case.pages},
        "model": case.model.name if case.model else None,
        "python": sys.version.split()[0],
        "runs": [asdict(run) | {"pages_per_cpu_s": run.pages_per_cpu_s} for run in runs],
    }


if __name__ == "__main__":
    main()
