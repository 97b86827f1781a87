"""SQL from people is hostile input: one read-only statement, no files but the data folder's, bounded time and memory.

`read_only=True` is not enough: `COPY … TO` and `EXPLAIN ANALYZE COPY … TO` inside an allowed folder still write files
(measured with DuckDB 2.0), so DuckDB's own parser decides what a statement is before anything runs.
"""

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import CatalogError, QueryError

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "4GB"
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)
_STRING = re.compile(r"'(?:[^']|'')*'")


def literal(value: str | Path) -> str:
    """`value` as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def locked_connection(allowed: Sequence[Path], database: Path | None = None) -> "duckdb.DuckDBPyConnection":
    """A connection that reads only `database` and files below `allowed`, and cannot be talked out of it."""
    import duckdb

    connection = duckdb.connect(str(database), read_only=True) if database else duckdb.connect()
    connection.execute(f"SET allowed_directories = [{', '.join(literal(folder) for folder in allowed)}]")
    for setting in (
        "enable_external_access = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        f"memory_limit = '{MEMORY_LIMIT}'",
        "preserve_insertion_order = true",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def require_select(connection: "duckdb.DuckDBPyConnection", sql: str) -> None:
    """Raises QueryError unless DuckDB's parser sees exactly one SELECT, or EXPLAIN of one."""
    kinds = _statement_kinds(connection, sql)
    if kinds == ["EXPLAIN"]:
        match = _EXPLAIN.match(sql)
        kinds = _statement_kinds(connection, match["rest"]) if match else kinds
    if kinds != ["SELECT"]:
        found = ", ".join(kinds) or "nothing"
        raise QueryError(
            f"query: holds {found}; expected exactly one SELECT (or EXPLAIN of one). The catalog is read-only."
        )


def require_condition(connection: "duckdb.DuckDBPyConnection", condition: str, columns: Sequence[str]) -> None:
    """Raises QueryError unless `condition` is one expression over `columns`, without subqueries or aggregates."""
    import duckdb

    try:
        duckdb.SQLExpression(condition)
    except duckdb.Error as error:
        raise QueryError(f"where {condition!r}: is not an SQL condition ({first_line(error)}).") from error
    if re.search(r"\b(select|from|over)\b|--|/\*", _STRING.sub("", condition), re.IGNORECASE):
        raise QueryError(f"where {condition!r}: holds more than a condition; expected a comparison of columns.")
    row = ", ".join(f"NULL AS {identifier(name)}" for name in columns)
    try:
        connection.execute(f"SELECT * FROM (SELECT {row}) WHERE ({condition})")
    except duckdb.Error as error:
        known = ", ".join(columns)
        raise QueryError(f"where {condition!r}: {first_line(error)}; expected a condition over {known}.") from error


@contextlib.contextmanager
def explained(connection: "duckdb.DuckDBPyConnection", timeout_s: float) -> Iterator[None]:
    """Runs SQL with a time limit and turns DuckDB's errors into QueryErrors."""
    import duckdb

    timer = threading.Timer(timeout_s, connection.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryError(f"query: did not end within {timeout_s:g} s. Narrow it or raise --timeout.") from error
    except duckdb.PermissionException as error:
        raise QueryError(f"query: {first_line(error)}. Only the catalog and the data folder can be read.") from error
    except duckdb.IOException as error:
        raise CatalogError(
            f"query: {first_line(error)}. If a version was moved or deleted by hand, run `octo catalog rebuild`."
        ) from error
    except duckdb.Error as error:
        raise QueryError(f"query: {str(error).strip()}") from error
    finally:
        timer.cancel()


def first_line(error: Exception) -> str:
    """The first line of an error, which says what is wrong; DuckDB's other lines show the place."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _statement_kinds(connection: "duckdb.DuckDBPyConnection", sql: str) -> list[str]:
    import duckdb

    try:
        statements: list[Any] = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(f"query: {str(error).strip()}") from error
    return [statement.type.name for statement in statements]
