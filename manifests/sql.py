"""SQL from people is hostile input: one read-only statement, no files but the data folder's, bounded time and memory.

`read_only=True` is not enough: `COPY … TO` and `EXPLAIN ANALYZE COPY … TO` inside an allowed folder still write files
(measured with DuckDB 2.0), so DuckDB's own parser decides what a statement is before anything runs.
"""

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import CatalogError, QueryError

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "4GB"
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)


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


def require_condition(connection: "duckdb.DuckDBPyConnection", condition: str, columns: Mapping[str, str]) -> None:
    """Raises QueryError unless `condition` is one boolean expression over `columns` (name → SQL type).

    It must mean the same at any time: no subqueries, aggregates, or functions such as random() and now().
    """
    import duckdb

    row = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in columns.items())
    try:
        duckdb.SQLExpression(condition)
        tree = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT 1 WHERE ({condition}\n)"]).fetchall()
        _refuse_parts(connection, condition, json.loads(tree[0][0]))
        kinds = connection.execute(f"SELECT typeof(({condition}\n)) FROM (SELECT {row})").fetchall()
    except duckdb.Error as error:
        known = ", ".join(columns)
        raise QueryError(f"where {condition!r}: {first_line(error)}; expected a condition over {known}.") from error
    if kinds != [("BOOLEAN",)]:
        raise QueryError(f"where {condition!r}: is {kinds[0][0]}; expected a comparison.")


def _refuse_parts(connection: "duckdb.DuckDBPyConnection", condition: str, tree: dict[str, Any]) -> None:
    """Looks for what a condition must not hold, in the tree DuckDB's parser made of it."""
    parts = list(_nodes(tree))
    functions = {str(part["function_name"]).lower() for part in parts if "function_name" in part}
    unstable = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE list_contains(?, lower(function_name)) AND (stability <> 'CONSISTENT' OR function_type = 'aggregate')",
        [sorted(functions)],
    ).fetchall()
    found = [f"{name}()" for (name,) in unstable]
    found += [name for name in ("SUBQUERY", "WINDOW") if any(part.get("class") == name for part in parts)]
    if found or len(tree.get("statements", [])) != 1:
        listed = ", ".join(found) or "more than one statement"
        raise QueryError(f"where {condition!r}: holds {listed}; expected a comparison that is always the same.")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON tree."""
    if isinstance(tree, dict):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(child)


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
