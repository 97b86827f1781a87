"""The catalog: read-only in the strong sense, rebuilt from records, and patient with other processes."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from manifests import catalog
from manifests.catalog import reader, rebuild, register_evaluation
from manifests.errors import CatalogError, NotFound, QueryError
from manifests.layout import DataFolder
from manifests.records import write_record
from manifests.sql import explained, locked_connection, require_condition, require_select


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    rebuild(folder)
    return folder


def _run(data: DataFolder, sql: str, timeout_s: float = 60) -> list[tuple[object, ...]]:
    with reader(data) as connection:
        require_select(connection, sql)
        with explained(connection, timeout_s):
            return connection.execute(sql).fetchall()


def test_an_empty_catalog_answers_every_table(data: DataFolder) -> None:
    names = [
        name
        for (name,) in _run(
            data, "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() WHERE NOT internal"
        )
    ]
    assert {"corpora", "shards", "documents", "fates", "mixtures", "runs", "evaluations", "metrics", "spans"} <= set(
        names
    )
    assert all(_run(data, f"SELECT count(*) FROM {name}") == [(0,)] for name in names if name != "catalog_home")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY corpora TO '{root}/x.parquet'",
        "EXPLAIN ANALYZE COPY corpora TO '{root}/x.parquet'",
        "EXPLAIN /* */ ANALYZE COPY corpora TO '{root}/x.parquet'",
        "explain analyze\ncopy corpora to '{root}/x.parquet'",
        "DROP TABLE corpora",
        "SELECT 1; DROP TABLE corpora",
        "INSERT INTO corpora SELECT * FROM corpora",
        "WITH x AS (SELECT 1) DELETE FROM corpora",
        "ATTACH '{root}/other.duckdb'",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE VIEW v AS SELECT 1",
        "EXPORT DATABASE '{root}/x'",
        "CALL pragma_version()",
        "",
        "-- nothing",
    ],
)
def test_only_one_select_is_allowed(data: DataFolder, sql: str) -> None:
    before = sorted(data.root.rglob("*"))
    with pytest.raises(QueryError, match="expected exactly one SELECT|syntax error"):
        _run(data, sql.format(root=data.root))
    assert sorted(data.root.rglob("*")) == before


@pytest.mark.parametrize(
    "source",
    [
        "read_text('/etc/passwd')",
        "read_csv('{root}/../secret.csv')",
        "'/etc/passwd'",
        "glob('/*')",
        "read_blob('{root}x/a')",
    ],
)
def test_no_file_outside_the_data_folder_can_be_read(data: DataFolder, source: str) -> None:
    (data.root.parent / "secret.csv").write_text("a\n1\n")
    Path(str(data.root) + "x").mkdir()
    (Path(str(data.root) + "x") / "a").write_text("secret")
    with pytest.raises(QueryError):
        _run(data, f"SELECT * FROM {source.format(root=data.root)}")


def test_a_query_that_does_not_end_is_ended(data: DataFolder) -> None:
    with pytest.raises(QueryError, match="did not end within 0.3 s"):
        _run(data, "SELECT count(*) FROM range(10000000000) a, range(10000000000) b", timeout_s=0.3)


def test_mistakes_in_sql_are_shown_as_duckdb_says_them(data: DataFolder) -> None:
    with pytest.raises(QueryError, match="corpra"):
        _run(data, "SELECT * FROM corpra")


@pytest.mark.parametrize(
    "condition",
    [
        "1=1) OR (SELECT 1",
        "true; DROP TABLE x",
        "count(*) > 1",
        "mathscore > 1",
        "id IN (SELECT 'a')",
        "random() < 0.5",
        "now() > '2026-01-01'::TIMESTAMP",
        "math_score",
        "math_score + 1",
        "id",
        "(",
    ],
)
def test_conditions_are_one_expression_over_the_columns(condition: str) -> None:
    with pytest.raises(QueryError, match="where"):
        require_condition(locked_connection([]), condition, {"id": "VARCHAR", "math_score": "DOUBLE"})


def test_good_conditions_pass() -> None:
    for condition in (
        "math_score >= 0.6 AND id LIKE 'select from%'",
        "id IN ('a', 'b')",
        "math_score IS NULL",
        "lower(id) <> 'x' -- y",
    ):
        require_condition(locked_connection([]), condition, {"id": "VARCHAR", "math_score": "DOUBLE"})


def _evaluation(data: DataFolder) -> Path:
    path = data.evaluation("heldout@1") / "demo@1-stable.json"
    values = {"loss": 2.5, "perplexity": 12.2, "bits_per_byte": 1.1, "tokens": 100, "windows": 4, "skipped_windows": 0}
    write_record(
        path, {"identity": "heldout@1", "checkpoint": "demo@1/stable", "created": "2026", "domains": {"web": values}}
    )
    return path


def test_a_deleted_catalog_comes_back_from_the_records(data: DataFolder) -> None:
    register_evaluation(data, _evaluation(data))
    register_evaluation(data, _evaluation(data))  # registering again replaces
    before = _run(data, "FROM evaluations")
    data.catalog.unlink()
    with pytest.raises(NotFound, match="octo catalog rebuild"):
        _run(data, "FROM evaluations")
    assert rebuild(data)["evaluations"] == 1
    assert _run(data, "FROM evaluations") == before
    assert len(before) == 1


def test_a_catalog_held_by_another_process_is_explained_and_nothing_is_lost(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"import duckdb, sys; c = duckdb.connect({str(data.catalog)!r}); print('held', flush=True); sys.stdin.read()"
    monkeypatch.setattr(catalog, "LOCK_WAIT_S", 0.3)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(CatalogError, match="is held by another process"):
            register_evaluation(data, _evaluation(data))
        holder.communicate()
    assert rebuild(data)["evaluations"] == 1


def test_a_moved_data_folder_asks_for_a_rebuild(data: DataFolder) -> None:
    moved = DataFolder(data.root.with_name("moved"))
    data.root.rename(moved.root)
    with pytest.raises(CatalogError, match="but the data folder is now"):
        _run(moved, "FROM corpora")
    rebuild(moved)
    assert _run(moved, "FROM corpora") == []


def test_a_broken_catalog_file_is_explained(data: DataFolder) -> None:
    data.catalog.write_bytes(b"this is no database" * 1000)
    with pytest.raises(CatalogError, match="rebuild"):
        _run(data, "FROM corpora")
    rebuild(data)
    assert duckdb.connect(str(data.catalog), read_only=True).execute("SELECT count(*) FROM corpora").fetchone() == (0,)
