"""Near-duplicates: bands → pairs → clusters → one survivor a cluster, the same for every order and cut of the input."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from curation.fates import FateSink, Verdict
from curation.stage import Stage
from manifests.kinds.corpus import Dedup, Survivor
from manifests.records import atomic_path

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PairUp(PipelineStep):
    """Writes pairs of rows that agree on a band or on the whole text. Each task works on its own bands."""

    type, name = "octo", "pairs"

    def __init__(self, documents: Path, folder: Path, options: Dedup) -> None:
        super().__init__()
        self.documents, self.folder, self.options = documents, folder, options

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields nothing: the file of pairs is the result."""
        columns = self._columns()[rank::world_size]
        pairs = [_neighbours(read_bands(self.documents, [column])[column]) for column in columns]
        with atomic_path(self.folder / f"pairs-{rank:05d}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.concatenate([np.empty((0, 2), np.int64), *pairs]), allow_pickle=False)
        yield from ()

    def _columns(self) -> list[str]:
        bands = self.options.minhash.bands if self.options.minhash else 0
        return ["text_digest"] * self.options.exact + [f"band_{index:03d}" for index in range(bands)]


class ChooseSurvivors(PipelineStep):
    """Joins pairs to clusters and writes, for each document in one, the cluster and who stays."""

    type, name = "octo", "clusters"

    def __init__(self, documents: Path, pairs: Path, folder: Path, survivor: Survivor) -> None:
        super().__init__()
        self.documents, self.pairs, self.folder, self.survivor = documents, pairs, folder, survivor

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        """Yields nothing: the file of clusters is the result."""
        rows = read_bands(self.documents, ["id", "text_digest", "num_chars", "math_score", "crawl_date"])
        pairs = np.concatenate([np.load(path, allow_pickle=False) for path in sorted(self.pairs.glob("pairs-*.npy"))])
        roots = connected_components(rows.height, pairs)
        clusters = _with_survivors(rows.with_columns(pl.Series("root", roots)), self.survivor)
        with atomic_path(self.folder / "clusters.parquet") as temporary:
            clusters.write_parquet(temporary)
        yield from ()


class KeepSurvivors(Stage):
    """Records every document's cluster and removes those another one stays for."""

    name = "dedup"

    def __init__(self, sink: FateSink, clusters: Path) -> None:
        super().__init__(sink)
        self.clusters = clusters
        self._known: dict[tuple[str, str], dict[str, object]] = {}

    def prepare(self) -> None:
        """Loads the clusters of more than one document."""
        rows = pl.read_parquet(self.clusters / "clusters.parquet").iter_rows(named=True)
        self._known = {(str(row["id"]), str(row["text_digest"])): row for row in rows}

    def judge(self, document: Document) -> Verdict | None:
        """None for a document without duplicates, and for the one that stays."""
        cluster = self._known.get((document.id, document.metadata["text_digest"]))
        if cluster is None:
            document.metadata |= {"cluster_id": document.id, "cluster_size": 1}
            return None
        document.metadata |= {name: cluster[name] for name in ("cluster_id", "cluster_size")}
        if cluster["kept_id"] == document.id:
            return None
        reason = "same_text" if cluster["kept_text"] == document.metadata["text_digest"] else "near_duplicate"
        detail = f"one of {cluster['cluster_size']} in its cluster"
        return Verdict(reason, detail, kept_id=str(cluster["kept_id"]))


def read_bands(documents: Path, columns: list[str]) -> pl.DataFrame:
    """The columns of all band files; a row's position in it names the document within a build."""
    return pl.read_parquet(sorted(documents.glob("bands-*.parquet")), columns=columns)


def _neighbours(values: pl.Series) -> "NDArray[np.int64]":
    """Pairs of positions with equal values: each with the next one of its group, which is enough to join the group."""
    order = values.arg_sort().to_numpy().astype(np.int64)
    ordered = values.gather(order)
    equal = (ordered.slice(1) == ordered.head(len(ordered) - 1)).to_numpy() if len(ordered) > 1 else np.empty(0, bool)
    return np.stack([order[:-1][equal], order[1:][equal]], axis=1) if len(order) > 1 else np.empty((0, 2), np.int64)


def connected_components(count: int, pairs: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """The smallest position reachable from each position, shape [count]: repeated hooking and pointer jumping."""
    root = np.arange(count, dtype=np.int64)
    while len(pairs):
        low = np.minimum(root[pairs[:, 0]], root[pairs[:, 1]])
        high = np.maximum(root[pairs[:, 0]], root[pairs[:, 1]])
        open_pairs = low != high
        if not open_pairs.any():
            break
        pairs, low, high = pairs[open_pairs], low[open_pairs], high[open_pairs]
        np.minimum.at(root, high, low)
        while (jumped := root[root]).tobytes() != root.tobytes():
            root = jumped
    return root


def _with_survivors(rows: pl.DataFrame, survivor: Survivor) -> pl.DataFrame:
    """The documents that share a cluster, with its smallest id, its size, and the one that stays."""
    shared = rows.filter(pl.len().over("root") > 1).sort(_preference(survivor))
    return shared.select(
        "id",
        "text_digest",
        pl.col("id").min().over("root").alias("cluster_id"),
        pl.len().over("root").cast(pl.Int32).alias("cluster_size"),
        pl.col("id").first().over("root").alias("kept_id"),
        pl.col("text_digest").first().over("root").alias("kept_text"),
    ).sort("id", "text_digest")


def _preference(survivor: Survivor) -> list[pl.Expr]:
    """Sort keys, best document first. The id decides last, so that there is always exactly one."""
    score = -pl.col("math_score").fill_null(0.0).round(3)  # closer scores are noise: let the longer text win
    longest = -pl.col("num_chars")
    first = {"highest_math_score": [score], "longest": [], "earliest": [pl.col("crawl_date").fill_null("9999")]}
    return [*first[survivor], longest, pl.col("id"), pl.col("text_digest")]
