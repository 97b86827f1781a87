"""The baseline of `curation_throughput.py`: the stages of a corpus build made of stock datatrove steps alone.

Run by the interpreter of the baseline's own environment, so nothing of this project is imported here. Four arguments
differ from datatrove's defaults, each in the baseline's favour or for a fair count: the extractor waits 2 minutes for
a page instead of 1 second of wall time (on a busy machine it would drop pages and look faster), the URL filter neither
loads its 4 million block-listed addresses nor fetches a suffix list, line ends become blanks before fastText, and its
scores are not stored (the Parquet writer would stop at the first batch whose first document has another best label).
"""

import argparse
import importlib.metadata
import json
import resource
import time
from pathlib import Path
from typing import Any

import trafilatura  # noqa: F401  here, so that an environment without all it needs fails at once and not page by page
from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    FastTextClassifierFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    URLFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.readers import ParquetReader, WarcReader
from datatrove.pipeline.writers import ParquetWriter

EXTRACT_TIMEOUT_S = 120.0
LOST = ("timeout", "broken_process", "clean_error")  # what the extractor counts where it drops a page by accident
LIBRARIES = ("datatrove", "trafilatura", "spacy", "lxml", "warcio", "fasttext-numpy2-wheel", "numpy", "pyarrow")


class JudgeOnly:
    """Put before a filter class: the filter does all its work and removes nothing."""

    def filter(self, doc: Document) -> bool:
        """True, after the filter has judged the document; its text is left as it was."""
        text = doc.text
        super().filter(doc)  # type: ignore[misc]
        doc.text = text  # fastText's filter empties what it would remove
        return True


def main() -> None:
    """Writes result.json into the folder OUT: documents after each step, CPU seconds, versions."""
    parser = argparse.ArgumentParser(description="stock datatrove on one WARC")
    parser.add_argument("warc", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, help="a fastText model with the label `math`")
    parser.add_argument("--threshold", type=float, default=0.5, help="least score of `math`")
    parser.add_argument("--keep-all", action="store_true", help="filters judge every document and remove none")
    options = parser.parse_args()
    out, config = options.out, MinhashConfig()
    places = {name: str(out / name) for name in ("filtered", "signatures", "buckets", "removals", "kept")}

    text = [
        WarcReader(str(options.warc.parent), glob_pattern=options.warc.name),
        _url_filter(options.keep_all),
        Trafilatura(timeout=EXTRACT_TIMEOUT_S),
        *_text_filters(options.keep_all, options.model, options.threshold),
        ParquetWriter(places["filtered"]),
    ]
    signatures = [ParquetReader(places["filtered"]), MinhashDedupSignature(places["signatures"], config=config)]
    buckets = [MinhashDedupBuckets(places["signatures"], places["buckets"], config=config)]
    clusters = [MinhashDedupCluster(places["buckets"], places["removals"], config=config)]
    removal = [
        ParquetReader(places["filtered"]),
        MinhashDedupFilter(places["removals"]),
        ParquetWriter(places["kept"]),
    ]
    stages = [
        _run("text", text, out),
        _run("minhash 1 signatures", signatures, out),
        _run("minhash 2 buckets", buckets, out, tasks=config.num_buckets),
        _run("minhash 3 clusters", clusters, out),
        _run("minhash 4 removal", removal, out),
    ]
    result = {
        "documents": stages[-1]["documents_after"]["Parquet"],
        "stages": stages,
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
    (out / "result.json").write_text(json.dumps(result, indent=1), "utf-8")


def _url_filter(keep_all: bool) -> BaseFilter:
    from tldextract import TLDExtract

    step = _kind(URLFilter, keep_all)(use_integrated_lists=False)
    step.tldextractor = TLDExtract(suffix_list_urls=())
    return step


def _text_filters(keep_all: bool, model: Path | None, threshold: float) -> list[BaseFilter]:
    filters = [_kind(GopherRepetitionFilter, keep_all)(), _kind(GopherQualityFilter, keep_all)()]
    if model:
        labels = [("math", threshold)]
        classifier = _kind(FastTextClassifierFilter, keep_all)
        filters.append(
            classifier(str(model), keep_labels=labels, newline_replacement=" ", save_labels_in_metadata=False)
        )
    return filters


def _kind(filter_class: type, keep_all: bool) -> Any:
    return type(filter_class.__name__, (JudgeOnly, filter_class), {}) if keep_all else filter_class


def _run(name: str, pipeline: list[PipelineStep], out: Path, tasks: int = 1) -> dict[str, Any]:
    """Runs one pipeline in this process; its CPU seconds here and in its child processes (the extractor's sandbox)."""
    logs = out / "logs" / name.replace(" ", "-")
    own, children = time.process_time(), _children_cpu_s()
    LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(logs)).run()
    steps = json.loads((logs / "stats.json").read_text("utf-8"))
    return {
        "stage": name,
        "cpu_s": time.process_time() - own,
        "children_cpu_s": _children_cpu_s() - children,
        "documents_after": _documents_after(steps),
        "lost": {name: step["stats"][name] for step in steps for name in LOST if name in step["stats"]},
    }


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _documents_after(steps: list[dict[str, Any]]) -> dict[str, int]:
    """How many documents left each step, by the step's name without datatrove's type and picture."""
    return {step["name"].split(": ", 1)[-1].split(" ", 1)[-1]: _left(step["stats"]) for step in steps}


def _left(stats: dict[str, Any]) -> int:
    """Filters count what they forward (nothing, if all was dropped), writers a total, readers documents."""
    judges = "forwarded" in stats or "dropped" in stats
    count = stats.get("forwarded", 0) if judges else stats.get("total", stats.get("documents", 0))
    return int(count["total"] if isinstance(count, dict) else count)


if __name__ == "__main__":
    main()
