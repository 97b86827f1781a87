"""The views of the catalog: the Parquet and JSONL files of every version, as if they were tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests import catalog_rl
from manifests.catalog_tables import COUNT, NUMBER, TEXT, no_rows, sql_columns
from manifests.layout import DataFolder
from manifests.sql import literal

# Raise it when a view changes, so that catalogs with the old one are rebuilt.
VIEWS_REVISION = 3

# One line of a run's metrics.jsonl, as far as the view shows it.
_METRIC_COLUMNS = {
    "step": COUNT, "loss": NUMBER, "learning_rate": NUMBER, "grad_norm": NUMBER,
    "tokens": COUNT, "tokens_per_s": NUMBER,
}  # fmt: skip
_SPAN_COLUMNS = {
    "mixture": TEXT, "window": COUNT, "source": TEXT, "source_index": "INTEGER", "document": COUNT,
    "document_id": TEXT, "epoch": "INTEGER", "document_start": COUNT, "num_tokens": "INTEGER",
}  # fmt: skip
_EXPOSURE_COLUMNS = {
    "run": TEXT, "phase": TEXT, "mixture": TEXT, "corpus": TEXT, "document_id": TEXT, "step": COUNT,
    "epoch": "INTEGER", "num_tokens": "INTEGER", "document_start": COUNT,
}  # fmt: skip
_LINEAGE_COLUMNS = {
    "run": TEXT, "phase": TEXT, "trained_in": TEXT, "mixture": TEXT, "corpus": TEXT, "corpus_digest": TEXT,
    "file": TEXT, "file_digest": TEXT, "records": COUNT,
}  # fmt: skip


@dataclass(frozen=True)
class View:
    """A view that joins one query for each row of `parts`, a query over the tables named in `tables`."""

    name: str
    tables: frozenset[str]
    parts: str
    columns: Callable[[], dict[str, str]]
    select: Callable[..., str | None]

    def query(self, data: DataFolder, parts: list[tuple[Any, ...]]) -> str:
        """The view's SQL over the rows its `parts` gave; without any, it answers with no rows."""
        queries = [query for part in parts if (query := self.select(data, *part))]
        return "\nUNION ALL BY NAME\n".join([no_rows(self.columns()), *queries])


def _has_parquet(folder: Path) -> bool:
    return next(folder.glob("*.parquet"), None) is not None


def _shards(data: DataFolder, corpus: str) -> str | None:
    return _corpus_files(corpus, data.corpus(corpus) / "shards")


def _fates(data: DataFolder, corpus: str) -> str | None:
    return _corpus_files(corpus, data.corpus(corpus) / "fates")


def _corpus_files(corpus: str, folder: Path) -> str | None:
    """A pattern, not a list: a view that names 100,000 shards one by one is read anew with every connection."""
    if not _has_parquet(folder):
        return None
    return f"SELECT {literal(corpus)} AS corpus, * FROM read_parquet({literal(folder / '*.parquet')})"


def _metrics(data: DataFolder, run: str, phase: str) -> str:
    """A phase's log; it may come later than the phase, and the view then shows it."""
    struct = ", ".join(f"'{name}': '{kind}'" for name, kind in _METRIC_COLUMNS.items())
    path = literal(data.run(run) / phase / "metrics.jsonl")
    lines = f"read_json({path}, format = 'newline_delimited', allow_empty = true, columns = {{{struct}}})"
    return (
        f"SELECT {literal(run)} AS run, {literal(phase)} AS phase, * "
        f"FROM ({no_rows(_METRIC_COLUMNS)} UNION ALL BY NAME SELECT * FROM {lines})"
    )


def _spans(data: DataFolder, mixture: str, corpora: list[str]) -> str | None:
    """The spans with the names of their corpora and the ids of their documents. `corpora` in the order of the lock.

    A left join, so that no span is lost; filters on the mixture, the window and the document's id are pushed below it.
    """
    folder = data.mixture(mixture)
    files = literal(folder / "spans" / "*.parquet")
    if not _has_parquet(folder / "spans"):
        return None
    documents = _numbered_documents(folder, len(corpora))
    if not documents:  # mixtures of 0.1.0: ids and names stand in the spans, documents have no numbers
        return (
            f'SELECT {literal(mixture)} AS mixture, "window", source, source_index, NULL::BIGINT AS document, '
            f"document_id, epoch, document_start, num_tokens FROM read_parquet({files})"
        )
    names = ", ".join(map(literal, corpora))
    return (
        f'SELECT {literal(mixture)} AS mixture, s."window", ([{names}])[s.source_index + 1] AS source, s.source_index, '
        "s.document, d.id AS document_id, s.epoch, s.document_start, s.num_tokens "
        f"FROM read_parquet({files}) s LEFT JOIN ({documents}) d "
        "ON d.source_index = s.source_index AND d.document = s.document"
    )


def _numbered_documents(folder: Path, sources: int) -> str:
    paths = [folder / "documents" / f"{index:03d}.parquet" for index in range(sources)]
    return " UNION ALL ".join(
        f"SELECT {index}::INTEGER AS source_index, file_row_number AS document, id "
        f"FROM read_parquet({literal(path)}, file_row_number = true)"
        for index, path in enumerate(paths)
        if path.is_file()
    )


def _exposures(
    data: DataFolder, run: str, phase: str, steps: int | None, mixture: str, batch_windows: int, corpora: list[str]
) -> str | None:
    """The spans of the steps that a phase has trained: all of a finished one, else as far as its log says now."""
    spans = _spans(data, mixture, corpora)
    if spans is None:
        return None
    log = f"(SELECT coalesce(max(step), 0) FROM ({_metrics(data, run, phase)}))"
    done = log if steps is None else steps
    return (
        f"SELECT {literal(run)} AS run, {literal(phase)} AS phase, mixture, source AS corpus, document_id, "
        f'"window" // {batch_windows} + 1 AS step, epoch, num_tokens, document_start '
        f'FROM ({spans}) WHERE "window" < {batch_windows} * {done}'
    )


def _lineage(data: DataFolder) -> str:
    """All that the last checkpoint of a phase was made of: a branch holds what the stable phase before it was shown.

    An RL run holds its prompts and all that its checkpoint was made of. Corpora and files that are not known here any
    more stay as rows without them; files count where the corpus is still the one that was trained on.
    """
    return f"""SELECT * FROM (
        WITH trained AS (
            SELECT run, phase, phase AS trained_in, mixture, order_digest FROM runs WHERE mixture IS NOT NULL
            UNION ALL
            SELECT branch.run, branch.phase, stable.phase, stable.mixture, stable.order_digest
            FROM runs branch JOIN runs stable USING (run) WHERE stable.phase = 'stable' AND branch.phase <> 'stable'
        ), all_trained AS (
            SELECT *, NULL AS prompts, NULL AS prompts_digest FROM trained UNION ALL {catalog_rl.LINEAGE}
        ), sources AS (
            SELECT DISTINCT mixture, order_digest, corpus, corpus_digest
            FROM mixtures JOIN mixture_sources USING (mixture)
        ), shown AS (
            SELECT run, phase, trained_in, all_trained.mixture, coalesce(sources.corpus, prompts) AS corpus,
                coalesce(corpus_digest, prompts_digest) AS shown_digest
            FROM all_trained LEFT JOIN sources ON sources.mixture = all_trained.mixture
                AND sources.order_digest IS NOT DISTINCT FROM all_trained.order_digest
        )
        SELECT run, phase, trained_in, mixture, shown.corpus, coalesce(shown_digest, corpora.digest) AS corpus_digest,
            file, inputs.digest AS file_digest, records
        FROM shown
        LEFT JOIN corpora ON corpora.corpus = shown.corpus AND coalesce(corpora.digest = shown_digest, true)
        LEFT JOIN inputs ON inputs.corpus = corpora.corpus
    )"""


_CORPORA = "SELECT corpus FROM corpora ORDER BY 1"
_RL_RUNS = "SELECT run FROM rl_runs ORDER BY 1"
_SOURCES = "SELECT mixture, list(corpus ORDER BY position) AS corpora FROM mixture_sources GROUP BY mixture"
# A run counts where its mixture is still the one it was trained on.
_TRAINED = f"""
    SELECT run, phase, CASE WHEN state = 'done' THEN runs.steps END, mixture, batch_windows, corpora
    FROM runs JOIN mixtures USING (mixture, order_digest) JOIN ({_SOURCES}) USING (mixture) ORDER BY run, phase
"""


def _rl_view(name: str, columns: dict[str, str], select: Callable[..., str]) -> View:
    return View(name, frozenset({"rl_runs"}), _RL_RUNS, lambda: {"run": TEXT} | columns, select)


VIEWS = [
    View("documents", frozenset({"corpora"}), _CORPORA, lambda: {"corpus": TEXT} | sql_columns("DOCUMENT"), _shards),
    View("fates", frozenset({"corpora"}), _CORPORA, lambda: {"corpus": TEXT} | sql_columns("FATE"), _fates),
    View("spans", frozenset({"mixtures"}), f"{_SOURCES} ORDER BY mixture", lambda: _SPAN_COLUMNS, _spans),
    View("metrics", frozenset({"runs"}), "SELECT DISTINCT run, phase FROM runs ORDER BY ALL",
         lambda: {"run": TEXT, "phase": TEXT} | _METRIC_COLUMNS, _metrics),
    View("lineage", frozenset({"runs", "rl_runs", "mixtures", "corpora"}), "SELECT 1", lambda: _LINEAGE_COLUMNS,
         lambda data, _: _lineage(data)),
    View("exposures", frozenset({"runs", "mixtures"}), _TRAINED, lambda: _EXPOSURE_COLUMNS, _exposures),
    _rl_view("rollouts", catalog_rl.ROLLOUT_COLUMNS, catalog_rl.rollouts),
    _rl_view("validations", catalog_rl.VALIDATION_COLUMNS, catalog_rl.validations),
    _rl_view("alarms", catalog_rl.ALARM_COLUMNS, catalog_rl.alarms),
    _rl_view("responses", catalog_rl.RESPONSE_COLUMNS, catalog_rl.responses),
]  # fmt: skip
