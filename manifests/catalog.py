"""catalog.duckdb: an index over the records. Delete it, `rebuild`, and nothing is lost.

A commit opens the database for writing, briefly, and registers one record in one transaction; everybody else reads.
The large tables (documents, fates, spans, metrics) are views over the Parquet and JSONL files themselves.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.catalog_tables import TABLES, VIEWS, Rows, rows_of
from manifests.errors import CatalogError, NotFound
from manifests.layout import DataFolder
from manifests.sql import first_line, identifier, locked_connection

if TYPE_CHECKING:
    import duckdb

LOCK_WAIT_S = 20.0


def register_corpus(data: DataFolder, reference: str) -> None:
    """Makes the finished corpus version visible in the catalog."""
    _register(data, rows_of("corpora", data.corpus(reference)))


def register_mixture(data: DataFolder, reference: str) -> None:
    """Makes the finished mixture visible in the catalog."""
    _register(data, rows_of("mixtures", data.mixture(reference)))


def register_run(data: DataFolder, reference: str) -> None:
    """Makes the run, finished or not, visible in the catalog."""
    _register(data, rows_of("runs", data.run(reference)))


def register_evaluation(data: DataFolder, path: Path) -> None:
    """Makes one evaluation record visible in the catalog."""
    _register(data, rows_of("evaluations", path))


def unregister(data: DataFolder, kind: str, reference: str) -> None:
    """Makes a discarded version invisible before its files go; `kind` is `corpora`, `mixtures` or `runs`."""
    key = {"corpora": "corpus", "mixtures": "mixture", "runs": "run"}[kind]
    tables = [name for name, columns in TABLES.items() if next(iter(columns)) == key]
    _register(data, {table: (key, reference, []) for table in tables})


def rebuild(data: DataFolder) -> dict[str, int]:
    """Writes the catalog anew from the records on disk; returns how many of each kind were found."""
    fresh = data.catalog.with_name(".catalog.rebuild.duckdb")
    fresh.unlink(missing_ok=True)
    counts: dict[str, int] = {}
    with contextlib.closing(_connect_writer(fresh)) as connection, _transaction(connection):
        _create_tables(connection, data)
        for kind, records in _all_records(data).items():
            counts[kind] = len(records)
            for record in records:
                _replace_rows(connection, rows_of(kind, record))
        _create_views(connection, data)
    fresh.replace(data.catalog)
    return counts


@contextlib.contextmanager
def reader(data: DataFolder) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A locked read-only connection. Raises NotFound without a catalog, CatalogError if it is held or was moved."""
    if not data.catalog.exists():
        raise NotFound(
            f"{data.catalog}: there is no catalog yet. Build a corpus (`octo corpus build`), "
            "or run `octo catalog rebuild` if the data folder holds records."
        )
    connection = _retry_while_locked(data.catalog, lambda: locked_connection([data.root], data.catalog))
    with contextlib.closing(connection):
        _refuse_moved(connection, data)
        yield connection


def _all_records(data: DataFolder) -> dict[str, list[Path]]:
    """Every finished version's folder and every evaluation's file, by kind."""
    kinds = {"corpora": "build.json", "mixtures": "lock.json", "runs": "run.json"}
    found = {
        kind: [folder for name in data.versions(kind) if ((folder := data.root / kind / name) / record).exists()]
        for kind, record in kinds.items()
    }
    return found | {"evaluations": sorted((data.root / "evals").glob("*/*.json"))}


def _register(data: DataFolder, rows: Rows) -> None:
    if not data.catalog.exists():
        data.root.mkdir(parents=True, exist_ok=True)
        rebuild(data)
        return
    with contextlib.closing(_connect_writer(data.catalog)) as connection, _transaction(connection):
        _create_tables(connection, data)
        _replace_rows(connection, rows)
        _create_views(connection, data)


def _connect_writer(path: Path) -> "duckdb.DuckDBPyConnection":
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    return _retry_while_locked(path, lambda: duckdb.connect(str(path)))


def _retry_while_locked(path: Path, connect: Callable[[], Any]) -> Any:
    """DuckDB allows one writer or many readers; writers are brief, so waiting is right, for a while."""
    import duckdb

    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return connect()
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise CatalogError(f"{path}: {first_line(error)}. Run `octo catalog rebuild`.") from error
            if time.monotonic() > deadline:
                raise CatalogError(
                    f"{path}: is held by another process for {LOCK_WAIT_S:g} s ({first_line(error)}). End that process "
                    "(an open DuckDB shell?) and run the command again; the records are safe, nothing is lost."
                ) from error
            time.sleep(0.1)
        except duckdb.Error as error:
            raise CatalogError(f"{path}: {first_line(error)}. Delete it and run `octo catalog rebuild`.") from error


@contextlib.contextmanager
def _transaction(connection: "duckdb.DuckDBPyConnection") -> Iterator[None]:
    import duckdb

    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except duckdb.Error as error:
        raise CatalogError(
            f"catalog: {first_line(error)}. The records are safe; run `octo catalog rebuild`."
        ) from error


def _create_tables(connection: "duckdb.DuckDBPyConnection", data: DataFolder) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS catalog_home (root VARCHAR)")
    connection.execute("DELETE FROM catalog_home")
    connection.execute("INSERT INTO catalog_home VALUES (?)", [str(data.root)])
    for name, columns in TABLES.items():
        listed = ", ".join(f"{identifier(column)} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({listed})")


def _replace_rows(connection: "duckdb.DuckDBPyConnection", rows: Rows) -> None:
    for table, (key, value, records) in rows.items():
        connection.execute(f"DELETE FROM {table} WHERE {identifier(key)} = ?", [value])
        if records:
            marks = ", ".join("?" for _ in TABLES[table])
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})",
                [[record[column] for column in TABLES[table]] for record in records],
            )


def _create_views(connection: "duckdb.DuckDBPyConnection", data: DataFolder) -> None:
    if any(mark in str(data.root) for mark in "*?["):
        raise CatalogError(f"{data.root}: has one of *, ? or [ in its path, which DuckDB reads as patterns. Rename it.")
    for view in VIEWS:
        owners = connection.execute(f"SELECT DISTINCT {view.owner} FROM {view.table} ORDER BY 1").fetchall()
        parts = [part for (owner,) in owners if (part := view.select(data, owner))]
        body = "\nUNION ALL BY NAME\n".join(parts) if parts else view.empty()
        connection.execute(f"CREATE OR REPLACE VIEW {view.name} AS {body}")


def _refuse_moved(connection: "duckdb.DuckDBPyConnection", data: DataFolder) -> None:
    row = connection.execute("SELECT root FROM catalog_home").fetchone()
    if row is None or row[0] != str(data.root):
        raise CatalogError(
            f"{data.catalog}: was made for {row[0] if row else 'nothing'}, but the data folder is now {data.root}. "
            "Run `octo catalog rebuild`."
        )
