"""Whole builds of the demo pages: one digest whatever the machine did, and a fate for every record."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastwarc.warc import ArchiveIterator

from curation.build import build_corpus
from curation.executors import Machine
from curation.inspect import diff, explain, sample_kept, sample_removed
from curation.plan import plan_build
from curation.verify import verify_corpus
from manifests.catalog import reader, rebuild
from manifests.errors import AccountingError, IdentityError, NotFound, OctoError
from manifests.layout import DataFolder
from manifests.load import load_manifest
from manifests.records import read_record, write_record

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "manifests" / "recipes" / "demo"
WARC = DEMO / "data" / "pages.warc.gz"


def _build(manifest: Path | str, folder: Path, replace: bool = False, **machine: Any) -> dict[str, Any]:
    data = DataFolder(folder)
    return build_corpus(plan_build(load_manifest(manifest, "corpus"), data), data, Machine(**machine), replace)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("built")
    return DataFolder(folder), _build("demo-web", folder)


def _recipe(folder: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the demo recipe with some words changed, its data files found where they are."""
    text = (DEMO / "demo-web.yaml").read_text().replace("data/", f"{DEMO}/data/")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


def test_every_record_has_one_fate(built: tuple[DataFolder, dict[str, Any]]) -> None:
    data, record = built
    with WARC.open("rb") as stream:
        records = sum(1 for _ in ArchiveIterator(stream, parse_http=False))
    fates = pl.read_parquet(data.corpus("demo-web@1") / "fates" / "*.parquet")
    assert record["counts"]["input_records"] == records == fates.height
    assert fates.select("file", "offset").is_unique().all()
    counts = record["counts"]
    assert counts["documents"] + counts["removed"] + counts["failed"] == records
    assert fates.filter(pl.col("decision") == "kept").height == counts["documents"] > 100


def test_the_demo_pages_meet_the_fates_they_were_made_for(built: tuple[DataFolder, dict[str, Any]]) -> None:
    reasons = {(row["stage"], row["reason"]) for row in built[1]["reasons"]}
    assert {
        ("read", "record_type"), ("url_filter", "http_status"), ("url_filter", "content_type"), ("exact", "same_body"),
        ("language", "other_language"), ("dedup", "near_duplicate"), ("decontaminate", "benchmark_leak"),
    } <= reasons  # fmt: skip


@pytest.mark.parametrize(("tasks", "workers"), [(4, 2), (3, 1)])
def test_tasks_do_not_change_a_corpus(
    built: tuple[DataFolder, dict[str, Any]], tmp_path: Path, tasks: int, workers: int
) -> None:
    record = _build("demo-web", tmp_path, tasks=tasks, workers=workers)
    assert record["digest"] == built[1]["digest"]
    assert record["fingerprint"] == built[1]["fingerprint"]
    assert [shard["sha256"] for shard in record["shards"]] == [shard["sha256"] for shard in built[1]["shards"]]


def test_cutting_and_shuffling_the_input_does_not_change_a_corpus(
    built: tuple[DataFolder, dict[str, Any]], tmp_path: Path
) -> None:
    with WARC.open("rb") as stream:
        offsets = [record.stream_pos for record in ArchiveIterator(stream, parse_http=False)]
    raw = WARC.read_bytes()
    members = [raw[a:b] for a, b in zip(offsets, [*offsets[1:], len(raw)], strict=True)]
    for part in range(3):  # dealt out backwards, so that neighbours end up in different files in another order
        (tmp_path / f"{9 - part}.warc.gz").write_bytes(b"".join(members[::-1][part::3]))
    recipe = _recipe(tmp_path, (f"files: [{DEMO}/data/pages.warc.gz]", "files: ['*.warc.gz']"))
    record = _build(recipe, tmp_path / "data", tasks=2, workers=1)
    assert record["counts"]["input_records"] == built[1]["counts"]["input_records"]
    assert record["digest"] == built[1]["digest"]


@pytest.mark.parametrize("moment", ["stages/read/done.json", "stages/extract/tasks.json", "stages/shard/log", "shards"])
def test_a_killed_build_looks_unfinished_and_goes_on_to_the_same_digest(
    built: tuple[DataFolder, dict[str, Any]], tmp_path: Path, moment: str
) -> None:
    command = [sys.executable, str(ROOT / "octo.py"), "corpus", "build", "demo-web", "--data", str(tmp_path)]
    command += ["--tasks", "3", "--workers", "2"]
    folder = DataFolder(tmp_path).corpus("demo-web@1")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True) as one:
        while not (folder / moment).exists() and one.poll() is None:
            time.sleep(0.005)
        os.killpg(one.pid, signal.SIGKILL)
    assert not (folder / "build.json").exists()
    assert not (tmp_path / "catalog.duckdb").exists()
    record = _build("demo-web", tmp_path, tasks=3)
    assert record["digest"] == built[1]["digest"]
    assert verify_corpus(folder) == (record["counts"]["documents"], record["counts"]["input_records"])
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("polite_end", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_termination_are_explained_and_leave_no_process(
    tmp_path: Path, polite_end: signal.Signals, workers: str
) -> None:
    command = [sys.executable, str(ROOT / "octo.py"), "corpus", "build", "demo-web", "--data", str(tmp_path)]
    command += ["--tasks", "3", "--workers", workers]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as one:
        while not (tmp_path / "corpora" / "demo-web@1" / "stages" / "extract").exists() and one.poll() is None:
            time.sleep(0.005)
        os.killpg(one.pid, polite_end) if polite_end == signal.SIGINT else one.send_signal(polite_end)
        _, said = one.communicate(timeout=60)
    assert one.returncode == 1
    assert "interrupted: nothing unfinished was registered" in said
    assert "Traceback" not in said
    deadline = time.monotonic() + 30
    while _group_lives(one.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _group_lives(one.pid)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_disk_that_fills_up_is_explained_and_the_build_can_go_on(
    built: tuple[DataFolder, dict[str, Any]], tmp_path: Path
) -> None:
    command = f"ulimit -f 100; exec {sys.executable} {ROOT / 'octo.py'} corpus build demo-web --data {tmp_path}"
    failed = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "catalog.duckdb").exists()
    assert _build("demo-web", tmp_path)["digest"] == built[1]["digest"]


def test_a_changed_recipe_needs_a_new_version_and_the_key_is_named(
    built: tuple[DataFolder, dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(built[0].root, tmp_path, dirs_exist_ok=True)
    rebuild(DataFolder(tmp_path))
    recipe = _recipe(tmp_path, ("bands: 14", "bands: 11"))
    with pytest.raises(IdentityError, match=r"dedup\.minhash\.bands: 14 → 11"):
        _build(recipe, tmp_path)
    assert _build(recipe, tmp_path, replace=True)["recipe"]["dedup"]["minhash"]["bands"] == 11


def test_words_for_the_reader_do_not_change_a_version(built: tuple[DataFolder, dict[str, Any]], tmp_path: Path) -> None:
    shutil.copytree(built[0].root, tmp_path, dirs_exist_ok=True)
    recipe = _recipe(tmp_path, ("description: Mathematics", "description: A great deal of mathematics"))
    assert _build(recipe, tmp_path)["finished"] == built[1]["finished"]


def test_looking_into_a_corpus(built: tuple[DataFolder, dict[str, Any]]) -> None:
    data, record = built
    kept = sample_kept(data, "demo-web@1", 20)
    assert len(kept) == 20
    assert all(row["text"].count("$") >= 2 for row in kept if row["num_formulas"])
    removed = sample_removed(data, "demo-web@1", "dedup", 2)
    assert all(len(row["text"]) > 200 and row["kept_id"] for row in removed)
    story = explain(data, "demo-web@1", removed[0]["url"])[0]
    assert (story["stage"], story["decision"]) == ("dedup", "removed")
    assert story["kept_url"]
    with pytest.raises(NotFound, match="It was not in the inputs"):
        explain(data, "demo-web@1", "https://nowhere.example/")
    assert diff(data, "demo-web@1", "demo-web@1") == [("unchanged", record["counts"]["documents"], record["tokens"])]


def test_the_catalog_knows_what_the_files_hold(built: tuple[DataFolder, dict[str, Any]]) -> None:
    data, record = built
    with reader(data) as connection:
        rows = connection.execute(
            "SELECT (SELECT sum(rows) FROM shards), (SELECT count(*) FROM documents), (SELECT documents FROM corpora), "
            "(SELECT count(*) FROM fates WHERE decision = 'kept'), (SELECT sum(num_tokens) FROM documents)"
        ).fetchone()
    assert rows == (*[record["counts"]["documents"]] * 4, record["tokens"])


def test_changed_files_are_noticed(built: tuple[DataFolder, dict[str, Any]], tmp_path: Path) -> None:
    folder = DataFolder(tmp_path).corpus("demo-web@1")
    shutil.copytree(built[0].corpus("demo-web@1"), folder)
    shard = folder / "shards" / "part-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(AccountingError, match="its bytes are not those of the build"):
        verify_corpus(folder)


def test_a_task_that_lost_records_stops_the_build(built: tuple[DataFolder, dict[str, Any]], tmp_path: Path) -> None:
    shutil.copytree(built[0].root, tmp_path, dirs_exist_ok=True)
    folder = DataFolder(tmp_path).corpus("demo-web@1")
    (folder / "build.json").unlink()
    counts = folder / "stages" / "extract" / "counts-00000.json"
    record = read_record(counts)
    record["stages"]["extract"]["input"] += 1
    write_record(counts, record)
    with pytest.raises(OctoError, match="stage extract got"):
        _build("demo-web", tmp_path)
    assert not (folder / "build.json").exists()


def test_two_builds_of_one_version_do_not_disturb_each_other(
    built: tuple[DataFolder, dict[str, Any]], tmp_path: Path
) -> None:
    command = [sys.executable, str(ROOT / "octo.py"), "corpus", "build", "demo-web", "--data", str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=120)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert any("another octo is writing it" in text for text in said) or any("already built" in text for text in said)
    assert read_record(DataFolder(tmp_path).corpus("demo-web@1") / "build.json")["digest"] == built[1]["digest"]
