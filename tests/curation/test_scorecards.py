"""Every version says how well its extractor reads each markup, and when it reads one worse than the version before."""

from pathlib import Path

import pytest

from curation.build import build_corpus
from curation.executors import Machine
from curation.plan import plan_build
from curation.scorecards import lowered
from curation.show import score_changes, warnings
from manifests.catalog import reader
from manifests.layout import DataFolder
from manifests.load import load_manifest

RECIPE = """
kind: corpus
name: scored
version: {version}
inputs: {{files: [pages]}}
extract: {{engine: {engine}}}
"""
PAGE = "<html><body><article><p>A page about {}, with words enough to be main content.</p></article></body></html>"


def build(folder: Path, version: int, engine: str) -> dict:
    pages = folder / "pages"
    pages.mkdir(exist_ok=True)
    for name in ("circles", "squares"):
        (pages / f"{name}.html").write_text(PAGE.format(name))
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(version=version, engine=engine))
    data = DataFolder(folder / "data")
    return build_corpus(plan_build(load_manifest(recipe, "corpus"), data), data, Machine())


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, dict, dict]:
    folder = tmp_path_factory.mktemp("scored")
    return DataFolder(folder / "data"), build(folder, 1, "careful"), build(folder, 2, "fast")


def test_a_version_carries_the_scores_of_its_extractor(versions: tuple[DataFolder, dict, dict]) -> None:
    data, careful, fast = versions
    shares = {row["encoding"]: row["equal"] / row["formulas"] for row in careful["scorecard"]}
    assert len(shares) >= 80
    assert min(shares.values()) >= 0.9
    with reader(data) as connection:
        rows = connection.execute("SELECT corpus, count(*), sum(equal) FROM scorecard GROUP BY 1 ORDER BY 1").fetchall()
    expected = [
        (r["identity"], len(r["scorecard"]), sum(row["equal"] for row in r["scorecard"])) for r in (careful, fast)
    ]
    assert rows == expected


def test_the_first_version_of_a_name_has_nothing_to_be_worse_than(versions: tuple[DataFolder, dict, dict]) -> None:
    assert versions[1]["scores_lowered"] == []
    assert list(warnings(versions[1])) == []


def test_a_version_that_reads_an_encoding_worse_says_so(versions: tuple[DataFolder, dict, dict]) -> None:
    _, careful, fast = versions
    fallen = {row["encoding"]: row for row in fast["scores_lowered"]}
    assert fast["scores_against"] == "scored@1"
    assert "mathjax3-svg-bare" in fallen
    assert all(row["equal"] < row["equal_before"] for row in fallen.values())
    lines = list(warnings(fast))
    assert len(lines) == len(fallen)
    assert "mathjax3-svg-bare" in " ".join(lines)
    assert "scored@1" in lines[0]
    changed = list(score_changes(careful["scorecard"], fast["scorecard"]))
    assert len(changed) >= len(fallen)


def test_only_what_fell_is_lowered() -> None:
    before = [{"encoding": "a", "formulas": 9, "equal": 9}, {"encoding": "b", "formulas": 9, "equal": 5}]
    after = [
        {"encoding": "a", "formulas": 9, "equal": 8}, {"encoding": "b", "formulas": 9, "equal": 6},
        {"encoding": "new", "formulas": 9, "equal": 0},
    ]  # fmt: skip
    assert lowered(after, before) == [{"encoding": "a", "formulas": 9, "equal": 8, "equal_before": 9}]


def test_rows_of_text_need_no_scores(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "Let $x$ be one."}\n')
    recipe = tmp_path / "rows.yaml"
    recipe.write_text("kind: corpus\nname: rows\nversion: 1\ninputs: {files: [rows.jsonl]}\n")
    data = DataFolder(tmp_path / "data")
    record = build_corpus(plan_build(load_manifest(recipe, "corpus"), data), data, Machine())
    assert record["scorecard"] == []
    with reader(data) as connection:
        row = connection.execute(
            "SELECT num_formulas, formulas_found, extractor, undefined_macros FROM documents"
        ).fetchone()
    assert row == (1, 1, None, [])
