"""The tables of the catalog, and how one record becomes rows of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manifests.errors import InputError
from manifests.records import read_record

# table -> (key column, its value, the rows that replace what the key had)
Rows = dict[str, tuple[str, str, list[dict[str, Any]]]]

TEXT, COUNT, NUMBER, TEXTS = "VARCHAR", "BIGINT", "DOUBLE", "VARCHAR[]"

TABLES: dict[str, dict[str, str]] = {
    "corpora": {
        "corpus": TEXT, "name": TEXT, "version": TEXT, "description": TEXT, "licence": TEXT, "digest": TEXT,
        "fingerprint": TEXT, "input_records": COUNT, "documents": COUNT, "removed": COUNT, "failed": COUNT,
        "tokens": COUNT, "token_counter": TEXT, "text_bytes": COUNT, "size_bytes": COUNT, "formulas": COUNT,
        "shards": COUNT, "cpu_s": NUMBER, "wall_s": NUMBER, "finished": TEXT,
    },
    "shards": {
        "corpus": TEXT, "shard": TEXT, "rows": COUNT, "size_bytes": COUNT, "tokens": COUNT, "chars": COUNT,
        "formulas": COUNT, "mean_chars": NUMBER, "max_chars": COUNT, "min_math_score": NUMBER,
        "mean_math_score": NUMBER, "max_math_score": NUMBER, "sha256": TEXT,
    },
    "stages": {
        "corpus": TEXT, "position": COUNT, "stage": TEXT, "input": COUNT, "kept": COUNT, "removed": COUNT,
        "failed": COUNT,
    },
    "reasons": {"corpus": TEXT, "stage": TEXT, "decision": TEXT, "reason": TEXT, "records": COUNT},
    "inputs": {"corpus": TEXT, "file": TEXT, "format": TEXT, "size_bytes": COUNT, "digest": TEXT, "records": COUNT},
    "scorecard": {
        "corpus": TEXT, "encoding": TEXT, "group": TEXT, "formulas": COUNT, "equal": COUNT, "exact": COUNT,
        "display": COUNT, "spurious": COUNT,
    },
    "mixtures": {
        "mixture": TEXT, "fingerprint": TEXT, "layout": TEXT, "tokenizer": TEXT, "sequence_length": COUNT,
        "batch_windows": COUNT, "steps": COUNT, "windows": COUNT, "trained_tokens": COUNT, "order_digest": TEXT,
        "packing": TEXT, "earlier": TEXT, "earlier_step": COUNT, "finished": TEXT,
    },
    "mixture_sources": {
        "mixture": TEXT, "position": COUNT, "corpus": TEXT, "condition": TEXT, "groups": TEXTS, "weight": NUMBER,
        "share": NUMBER, "windows": COUNT, "trained_tokens": COUNT, "available_tokens": COUNT, "documents": COUNT,
        "documents_seen": COUNT, "epochs": NUMBER, "readings": COUNT, "cut_readings": COUNT, "padding_tokens": COUNT,
        "shown_before": COUNT, "excluded_documents": COUNT, "corpus_digest": TEXT,
    },
    "token_files": {
        "token_file": TEXT, "corpus": TEXT, "condition": TEXT, "tokenizer": TEXT, "documents": COUNT, "tokens": COUNT,
        "token_size_bytes": COUNT, "route": TEXT, "sha256": TEXT, "finished": TEXT,
    },
    "runs": {
        "run": TEXT, "phase": TEXT, "mixture": TEXT, "state": TEXT, "steps": COUNT, "trained_tokens": COUNT,
        "final_loss": NUMBER, "order_digest": TEXT, "backend": TEXT, "device": TEXT, "started": TEXT,
        "finished": TEXT, "export": TEXT,
    },
    "rl_runs": {
        "run": TEXT, "checkpoint": TEXT, "checkpoint_run": TEXT, "checkpoint_phase": TEXT, "prompts": TEXT,
        "prompts_digest": TEXT, "template": TEXT, "rollout_steps": COUNT, "rollout_step": COUNT, "reward": NUMBER,
        "accuracy": NUMBER, "state": TEXT, "backend": TEXT, "device": TEXT, "started": TEXT, "finished": TEXT,
        "export": TEXT,
    },
    "checkpoints": {
        "run": TEXT, "phase": TEXT, "step": COUNT, "path": TEXT, "parent": TEXT, "exported": TEXT,
    },
    "evaluations": {
        "evaluation": TEXT, "checkpoint": TEXT, "run": TEXT, "phase": TEXT, "domain": TEXT, "loss": NUMBER,
        "perplexity": NUMBER, "bits_per_byte": NUMBER, "tokens": COUNT, "windows": COUNT, "finished": TEXT,
        "record": TEXT,
    },
}  # fmt: skip

_CHECKPOINT = re.compile(r"(?:step-)?([0-9]{1,18})\Z")  # ours, or nanotron's, which is the number alone

_SQL_TYPES = {
    "string": TEXT, "double": NUMBER, "int32": "INTEGER", "int64": COUNT,
    "map<string, int32>": "MAP(VARCHAR, INTEGER)", "list<element: string>": "VARCHAR[]",
    "list<item: string>": "VARCHAR[]",
}  # fmt: skip


def sql_columns(schema: str) -> dict[str, str]:
    """Column → SQL type of a Parquet schema of manifests.schemas, such as `DOCUMENT`. Loads pyarrow."""
    from manifests import schemas

    return {field.name: _SQL_TYPES[str(field.type)] for field in getattr(schemas, schema)}


def no_rows(columns: dict[str, str]) -> str:
    """A query with these columns and no rows, which gives a union its columns, whatever is there."""
    listed = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in columns.items())
    return f"SELECT {listed} WHERE false"


def rows_of(kind: str, path: Path) -> Rows:
    """The rows of one record; `path` is the version's folder, or the file of an evaluation. Raises InputError."""
    try:
        return _ROWS_OF[kind](path)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: its record lacks or misshapes {error}; expected one written by octo.") from error


def arrow_table(table: str, records: list[dict[str, Any]]) -> Any:
    """The rows of one table for a bulk insert. Raises InputError where a record lacks a column or misshapes it."""
    import pyarrow as pa

    kinds = {TEXT: pa.string(), COUNT: pa.int64(), NUMBER: pa.float64(), TEXTS: pa.list_(pa.string())}
    columns = {}
    for name, kind in TABLES[table].items():
        try:
            columns[name] = pa.array([record[name] for record in records], kinds[kind])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"catalog: a row of {table} lacks or misshapes {name!r} ({error}); expected a record written by octo."
            ) from error
    return pa.table(columns)


def _corpus_rows(folder: Path) -> Rows:
    """The rows of a finished corpus version."""
    build = read_record(folder / "build.json")
    corpus = build["identity"]
    row = {
        "corpus": corpus, "name": build["name"], "version": build["version"], "description": build["description"],
        "licence": build["licence"], "digest": build["digest"], "fingerprint": build["fingerprint"],
        "input_records": build["counts"]["input_records"], "documents": build["counts"]["documents"],
        "removed": build["counts"]["removed"], "failed": build["counts"]["failed"], "tokens": build["tokens"],
        "token_counter": build["token_counter"], "text_bytes": build["text_bytes"], "size_bytes": build["bytes"],
        "formulas": build["formulas"], "shards": len(build["shards"]), "cpu_s": build["cpu_s"],
        "wall_s": build["wall_s"], "finished": build["finished"],
    }  # fmt: skip
    lists = {name: build[name] for name in ("shards", "stages", "reasons", "inputs")}
    lists["scorecard"] = build.get("scorecard", [])  # versions built by 0.1.0 have none
    rows: Rows = {name: ("corpus", corpus, [{"corpus": corpus} | item for item in lists[name]]) for name in lists}
    return {"corpora": ("corpus", corpus, [row])} | rows


def _mixture_rows(folder: Path) -> Rows:
    """The rows of a finished mixture."""
    lock = read_record(folder / "lock.json")
    mixture, after = lock["identity"], lock.get("after") or {}
    row = {name: lock.get(name) for name in TABLES["mixtures"]}
    row |= {"mixture": mixture, "tokenizer": lock["tokenizer"]["digest"], "finished": lock["created"]}
    row |= {"earlier": after.get("mixture"), "earlier_step": after.get("step")}
    sources = [_source_row(mixture, position, source) for position, source in enumerate(lock["sources"])]
    return {"mixtures": ("mixture", mixture, [row]), "mixture_sources": ("mixture", mixture, sources)}


def _source_row(mixture: str, position: int, source: dict[str, Any]) -> dict[str, Any]:
    """One source of a lock; `position` is its source_index in the spans. What a lock does not have is null."""
    known = (source.get("reading") or {}) | source
    return {name: known.get(name) for name in TABLES["mixture_sources"]} | {
        "mixture": mixture,
        "position": position,
        "condition": source["where"],
        "shown_before": (source.get("shown_before") or {}).get("documents"),
    }


def _token_file_rows(folder: Path) -> Rows:
    """The row of a finished token file."""
    record = read_record(folder / "record.json")
    row = {name: record.get(name) for name in TABLES["token_files"]}
    row |= {"token_file": folder.name, "condition": record["recipe"]["where"], "finished": record["created"]}
    row |= {"tokenizer": record["recipe"]["tokenizer_digest"]}
    return {"token_files": ("token_file", folder.name, [row])}


def _run_rows(folder: Path) -> Rows:
    """The rows of a run, one a phase, and of the checkpoints that lie in its folder."""
    record = read_record(folder / "run.json")
    run = record["identity"]
    shared = {"run": run, "backend": record.get("backend"), "device": record.get("device")}
    rows = [
        {name: phase.get(name) for name in TABLES["runs"]} | shared | {"phase": name}
        for name, phase in record["phases"].items()
    ]
    checkpoints = [row for name, phase in record["phases"].items() for row in _checkpoint_rows(folder, name, phase)]
    return {
        "runs": ("run", run, rows),
        "checkpoints": ("run", run, [{"run": run, "parent": _parent(record, row)} | row for row in checkpoints]),
        "rl_runs": ("run", run, [_rl_row(record)] if record.get("kind") == "rl" else []),
    }


def _rl_row(record: dict[str, Any]) -> dict[str, Any]:
    """What the record of an RL run says beside its training, which is its one phase."""
    phase: dict[str, Any] = next(iter(record["phases"].values()), {})
    known = record | phase
    return {name: known.get(name) for name in TABLES["rl_runs"]} | {"run": record["identity"]}


def _checkpoint_rows(folder: Path, name: str, phase: dict[str, Any]) -> list[dict[str, Any]]:
    """Every whole checkpoint of a phase, oldest first, and its exported model, which may outlive them."""
    saved = _saved_steps(folder, name, phase)
    last = phase["steps"] if phase.get("export") else None
    return [
        {"phase": name, "step": step, "path": saved.get(step), "exported": phase["export"] if step == last else None}
        for step in sorted(saved.keys() | ({last} if last else set()))
    ]


def _saved_steps(folder: Path, name: str, phase: dict[str, Any]) -> dict[int, str]:
    """Step → its checkpoint, relative to the data folder where it lies in there.

    nanotron's may lie elsewhere, as the record says, and those after `saved_step` are not whole yet.
    """
    elsewhere, root = phase.get("checkpoints"), folder.parents[1].absolute()
    place = Path(elsewhere) if elsewhere else root / "runs" / folder.name / name / "checkpoints"
    steps = {
        int(match[1]): path
        for path in (place.iterdir() if place.is_dir() else ())
        if (match := _CHECKPOINT.match(path.name)) and path.is_dir()
    }
    most = max(steps, default=0) if not elsewhere else phase.get("saved_step") or 0
    return {
        step: (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
        for step, path in steps.items()
        if step <= most
    }


def _parent(record: dict[str, Any], row: dict[str, Any]) -> str | None:
    """What the phase started from; for a branch at work, which does not say it yet, the end of the stable phase."""
    stable, parent = record["phases"].get("stable"), record["phases"][row["phase"]].get("parent")
    if parent is None and stable is not None and row["phase"] != "stable":
        return f"{record['identity']}/stable step {stable['steps']}"
    return parent


def _evaluation_rows(path: Path) -> Rows:
    """The rows of one evaluation record, one a domain."""
    record = read_record(path)
    shared = {
        "evaluation": record["identity"], "checkpoint": record["checkpoint"], "run": record.get("run"),
        "phase": record.get("phase"), "finished": record["created"], "record": str(path),
    }  # fmt: skip
    rows = [
        {name: values.get(name) for name in TABLES["evaluations"]} | shared | {"domain": domain}
        for domain, values in record["domains"].items()
    ]
    return {"evaluations": ("record", str(path), rows)}


_ROWS_OF: dict[str, Callable[[Path], Rows]] = {
    "corpora": _corpus_rows,
    "mixtures": _mixture_rows,
    "token_files": _token_file_rows,
    "runs": _run_rows,
    "evaluations": _evaluation_rows,
}
