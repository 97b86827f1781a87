"""Single stages on small documents: which rule removes what, and that every decision is counted."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datatrove.data import Document

from curation.fates import FateSink, Tally, check_tallies, read_counts
from curation.steps.decontamination import IndexBenchmarks, KeepUncontaminated
from curation.steps.quality import KeepQuality
from curation.steps.urls import FilterUrls, host_of
from curation.words import comparable_words, count_formulas, mask_formulas
from manifests.errors import AccountingError, InputError
from manifests.kinds.corpus import Decontaminate, Quality, UrlFilter

ORIGIN: dict[str, Any] = {"kind": "row", "file": "f", "offset": 0, "length_bytes": 0}
PROSE = (
    "We want to understand how the derivative of a product behaves, so we write the difference quotient and add a "
    "term that we also take away. Each half then holds one factor that stays and one that moves, and in the limit "
    "we find the rule that Leibniz wrote down. It is worth doing this once by hand, slowly, with a picture beside it."
)


def _document(text: str, **metadata: Any) -> Document:
    return Document(text=text, id="id", metadata=ORIGIN | metadata)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (PROSE, None),
        (PROSE + r" $$\int_0^1 x^2\,dx = \frac{1}{3}$$ and $\alpha_{ij}^{2}$ " * 6, None),
        ("Too short a page.", "min_words"),
        ("1234 5678 " * 40, "min_letter_words"),
        ("Donaudampfschifffahrtsgesellschaft " * 40, "max_mean_word_chars"),
        ("\n".join(f"- item {number} of the menu" for number in range(40)), "max_bullet_lines"),
        ("\n".join(f"Story number {number} begins like this …" for number in range(40)), "max_ellipsis_lines"),
        ("\n".join(["Sign up for our newsletter today and save."] * 40), "max_duplicate_lines"),
        ("buy it now " * 60, "max_top_ngram"),
    ],
)
def test_quality_names_the_rule_a_page_breaks(text: str, rule: str | None) -> None:
    verdict = KeepQuality(FateSink(Path()), Quality()).judge(_document(text))
    assert (verdict.reason if verdict else None) == rule


def test_a_page_that_repeats_its_paragraphs_in_other_lines_is_found() -> None:
    words = PROSE.split()
    text = "\n".join(" ".join((words * 6)[start : start + 11 + start % 3]) for start in range(0, 300, 11))
    verdict = KeepQuality(FateSink(Path()), Quality()).judge(_document(text))
    assert verdict is not None
    assert verdict.reason == "max_duplicate_ngrams"
    assert verdict.score is not None and verdict.score > 0.6


class _Record:
    """The part of an input record that the URL filter looks at."""

    def __init__(self, url: str | None, status: int | None = 200, content_type: str | None = "text/html") -> None:
        self.url, self.http_status, self.content_type, self.is_text = url, status, content_type, False


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_Record("https://a.org/x"), None),
        (_Record(None, None, None), None),
        (_Record("https://a.org/x", 404), "http_status"),
        (_Record("https://a.org/x.pdf", 200, "application/pdf"), "content_type"),
        (_Record("https://www.Spam.example/x"), "blocked_domain"),
        (_Record("https://notspam.example/x"), None),
        (_Record("https://good.spam.example/x"), None),
        (_Record("https://a.org/casino-night"), "blocked_word"),
        (_Record("https://a.org/occasinoal"), None),
        (_Record("http://[broken/"), None),
    ],
)
def test_url_filter(record: _Record, reason: str | None) -> None:
    options = UrlFilter(block_domains=["spam.example"], allow_domains=["good.spam.example"], block_words=["casino"])
    verdict = FilterUrls(FateSink(Path()), options).judge(_document("", record=record))
    assert (verdict.reason if verdict else None) == reason


def test_hosts_of_strange_addresses() -> None:
    assert host_of("https://EXAMPLE.org:8080/a") == "example.org"
    assert host_of("urn:x") is None
    assert host_of("http://[::1") is None


LEAK = "A train leaves the station at 60 miles per hour and needs $4$ hours; how many miles does it travel in total?"


def _benchmark(folder: Path) -> Path:
    path = folder / "bench.jsonl"
    counting = "Compute 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13 + 14"
    problems = [LEAK, "What is seven times six plus one hundred?", "Compute 2+2.", counting, "= ?"]
    path.write_text("".join(json.dumps({"problem": problem}) + "\n" for problem in problems))
    return path


@pytest.mark.parametrize(
    ("text", "leaks"),
    [
        (f"{PROSE} {LEAK} {PROSE}", "bench.jsonl:1"),
        (LEAK.replace("60", "$60$").replace("$4$", "4").upper().replace(" ", "\n"), "bench.jsonl:1"),
        ("He asked: what is seven times six plus one hundred? Nobody knew.", "bench.jsonl:2"),
        (PROSE, None),
        ("**compute** $2 + 2$", "bench.jsonl:3"),
        ("Compute $22$.", "bench.jsonl:3"),
        ("Please compute 2+2.", None),
        ("Compute 2+2. It is 4.", None),
        ("Compute 1+2+3+4+5+6+7+8+9+10+11+12+13+14", "bench.jsonl:4"),
        ("? + ?", None),
        ("", None),
        ("So we count 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14.", None),
        ("A train leaves the station at 60 miles per hour. It needs four hours.", None),
    ],
)
def test_leaks_are_found_in_every_wrapping_and_named(tmp_path: Path, text: str, leaks: str | None) -> None:
    options = Decontaminate(benchmarks=["bench.jsonl"])
    list(IndexBenchmarks([_benchmark(tmp_path)], options, tmp_path / "index").run())
    stage = KeepUncontaminated(FateSink(tmp_path), tmp_path / "index")
    stage.prepare()
    verdict = stage.judge(_document(text))
    assert (verdict.detail.split(": ")[0] if verdict and verdict.detail else None) == leaks
    coverage = json.loads((tmp_path / "index" / "coverage.json").read_text())
    assert coverage == {"bench.jsonl": {"problems": 5, "covered": 2, "too_short": 2, "too_plain": 1}}


def test_a_document_that_is_a_whole_problem_is_named_and_counted_in_words(tmp_path: Path) -> None:
    list(IndexBenchmarks([_benchmark(tmp_path)], Decontaminate(benchmarks=["x"]), tmp_path / "index").run())
    stage = KeepUncontaminated(FateSink(tmp_path), tmp_path / "index")
    stage.prepare()
    verdict = stage.judge(_document("COMPUTE 2 + 2"))
    assert verdict is not None
    assert (verdict.reason, verdict.detail, verdict.score) == ("benchmark_leak", "bench.jsonl:3: the whole text", 3.0)
    long = stage.judge(_document(LEAK))
    assert long is not None and long.detail == "bench.jsonl:1: the whole text"


def test_a_benchmark_row_without_a_problem_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bench.jsonl"
    path.write_text('{"problem": "fine"}\n{"answer": 1}\n')
    with pytest.raises(InputError, match=r"bench\.jsonl:2: has answer; expected one of the columns problem"):
        list(IndexBenchmarks([path], Decontaminate(benchmarks=["x"]), tmp_path / "index").run())


def test_spelling_does_not_change_what_is_compared() -> None:
    assert comparable_words(r"$\dfrac{1,000}{2}\,\left(x\right)$") == comparable_words(r"\frac{1000}{2} (x)")
    assert mask_formulas("a $x$ b $$y\nz$$ c").split() == ["a", "FORMULA", "b", "FORMULA", "c"]
    assert count_formulas("a $x$ b $$y\nz$$ c $5 d") == 2


def test_sums_that_do_not_close_stop_a_build() -> None:
    good = {"a": Tally(3, 2, 1, 0).as_dict(), "b": Tally(2, 1, 0, 1).as_dict()}
    check_tallies(good, "here")
    with pytest.raises(AccountingError, match="stage a got 3 records and accounts for 2"):
        check_tallies({"a": Tally(3, 2, 0, 0).as_dict()}, "here")
    with pytest.raises(AccountingError, match="stage b got 1 records; 2 were handed to it"):
        check_tallies(good | {"b": Tally(1, 1, 0, 0).as_dict()}, "here")


def test_stages_write_one_fate_for_what_they_end_and_count_the_rest(tmp_path: Path) -> None:
    sink = FateSink(tmp_path)
    texts = [PROSE, "short", PROSE, ""]
    documents = (Document(text=text, id=str(number), metadata=dict(ORIGIN)) for number, text in enumerate(texts))
    kept = list(KeepQuality(sink, Quality()).run(documents, rank=0, world_size=1))
    sink.close()
    fates = pq.read_table(tmp_path / "fates-00000.parquet").to_pylist()
    tallies, _ = read_counts(tmp_path, 1)
    assert [document.id for document in kept] == ["0", "2"]
    assert [(fate["id"], fate["reason"]) for fate in fates] == [("1", "min_words"), ("3", "min_words")]
    assert (tallies["quality"].input, tallies["quality"].kept, tallies["quality"].removed) == (4, 2, 2)
    with pytest.raises(AccountingError, match="task 1 of 2 left no counts"):
        read_counts(tmp_path, 2)
