"""Corpus → token file: shards are encoded in parallel, then the documents are laid down in the order of their ids."""

import hashlib
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from manifests.errors import InputError, MixtureError
from manifests.fingerprint import fingerprint
from manifests.folders import atomic_folder, only_writer
from manifests.layout import DataFolder
from manifests.libraries import library_versions
from manifests.records import now, write_record
from manifests.tokenizer import Encoder, TokenizerFacts
from mixtures.corpora import Corpus, count_rows, read_documents
from mixtures.tokenfile import TokenFile, find_token_file, map_tokens, token_folder, token_recipe, write_sidecars

if TYPE_CHECKING:
    import pyarrow as pa

# What token files and windows may depend on.
LIBRARIES = ("duckdb", "numpy", "octocorpus", "pyarrow", "tokenizers")
MAX_BATCH_CHARS = 1_000_000  # encoding takes some 100 bytes of memory a character; a longer document goes alone
BLOCK_BYTES = 1 << 25
WORTH_WORKERS_TOKENS = 2_000_000  # below, starting processes takes longer than encoding (about 1 s; 1 µs a token)

Report = Callable[[int], None]  # called with the number of documents encoded so far


@dataclass(frozen=True)
class ShardJob:
    """One shard to encode into `part.ds`, `part.parquet` (id, num_tokens)."""

    corpus: Corpus
    shard: Path
    where: str | None
    tokenizer: TokenizerFacts
    part: Path


def tokenize_corpus(
    corpus: Corpus, where: str | None, tokenizer: TokenizerFacts, data: DataFolder, workers: int, report: Report
) -> TokenFile:
    """The token file of a corpus' selected documents, reused where it is there already."""
    recipe = token_recipe(corpus.digest, where, tokenizer)
    folder = token_folder(data, corpus.reference, recipe)
    with only_writer(folder):
        found = find_token_file(folder, recipe)
        if found is None:
            with atomic_folder(folder) as unfinished:
                _write(corpus, where, tokenizer, unfinished, workers, report)
            found = find_token_file(folder, recipe)
    assert found is not None  # just written
    return found


def _write(
    corpus: Corpus, where: str | None, tokenizer: TokenizerFacts, folder: Path, workers: int, report: Report
) -> None:
    rows = count_rows(corpus.shards)
    if rows != corpus.documents:
        raise InputError(
            f"{corpus.folder / 'shards'}: holds {rows:,} documents; expected the {corpus.documents:,} of build.json. "
            "A shard was lost or changed: build the corpus again."
        )
    parts = folder / "parts"
    parts.mkdir()
    numbered = enumerate(corpus.shards)
    jobs = [ShardJob(corpus, shard, where, tokenizer, parts / f"{number:06d}") for number, shard in numbered]
    enough = corpus.tokens >= WORTH_WORKERS_TOKENS
    documents = _gather(_encoded(jobs, workers if enough else 1), folder / "parts.ds", report)
    ordered = documents.take(_id_order(corpus, documents["id"]))
    digest = _lay_down(ordered, folder, tokenizer)
    shutil.rmtree(parts)
    (folder / "parts.ds").unlink()
    _write_record(folder, corpus, where, tokenizer, ordered, digest)


def _encoded(jobs: list[ShardJob], workers: int) -> Iterator[Path]:
    """The parts of the jobs, in the order in which they get ready."""
    if workers == 1 or len(jobs) == 1:
        yield from map(encode_shard, jobs)
        return
    context = multiprocessing.get_context("spawn")  # the encoder's threads do not survive a fork
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _start_worker) as pool:
        futures = [pool.submit(encode_shard, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise MixtureError(
                "tokenize: a worker process was ended from outside, most likely for want of memory; nothing "
                "unfinished was kept. Run it again with fewer --workers."
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker() -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the shards are the parallelism
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker quietly; the parent explains
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed must not go on writing into a folder that the next run uses."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # only worker processes come here
    parent.join()
    os._exit(1)


def encode_shard(job: ShardJob) -> Path:
    """Writes the ids of one shard's selected documents, each with its end of text, in the order of the shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids: list[str] = []
    lengths: list[int] = []
    encoder = Encoder(job.tokenizer)
    kind = f"<u{job.tokenizer.token_size_bytes}"
    with job.part.with_suffix(".ds").open("wb") as file:
        for batch in _batches(job):
            encoded = encoder.encode([text for _, text in batch])
            for (document, _), tokens in zip(batch, encoded, strict=True):
                whole = np.append(tokens, np.uint32(job.tokenizer.end_of_text_id))
                _refuse_inner_end(job, document, tokens)
                file.write(whole.astype(kind).tobytes())
                lengths.append(len(whole))
                ids.append(document)
    columns = {"id": pa.array(ids, pa.large_string()), "num_tokens": pa.array(lengths, pa.int64())}
    pq.write_table(pa.table(columns), job.part.with_suffix(".parquet"))
    return job.part


def _batches(job: ShardJob) -> Iterator[list[tuple[str, str]]]:
    """(id, text) of the selected documents, bounded in documents and in characters."""
    for record_batch in read_documents(job.corpus, job.shard, job.where):
        batch: list[tuple[str, str]] = []
        chars = 0
        for document, text in zip(record_batch["id"], record_batch["text"], strict=True):
            content = text.as_py()
            if batch and chars + len(content) > MAX_BATCH_CHARS:
                yield batch
                batch, chars = [], 0
            batch.append((document.as_py(), content))
            chars += len(content)
        if batch:
            yield batch


def _refuse_inner_end(job: ShardJob, document: str, tokens: np.ndarray) -> None:
    if (tokens == job.tokenizer.end_of_text_id).any():
        raise MixtureError(
            f"corpus {job.corpus.reference}: document {document} gives the end-of-text token inside its text; "
            "expected it only after a document. Set `end_of_text` in the manifest to a token that no text gives."
        )


def _gather(parts: Iterator[Path], target: Path, report: Report) -> "pa.Table":
    """Appends every part to one file; returns id, num_tokens, start of its documents, as they arrived."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.large_string()), ("num_tokens", pa.int64())])  # large: over 2 GB of ids
    tables = [schema.empty_table()]
    done = 0
    with target.open("wb") as whole:
        for part in parts:
            with part.with_suffix(".ds").open("rb") as file:
                shutil.copyfileobj(file, whole, BLOCK_BYTES)
            part.with_suffix(".ds").unlink()
            tables.append(pq.read_table(part.with_suffix(".parquet"), schema=schema))
            done += len(tables[-1])
            report(done)
    table = pa.concat_tables(tables)
    lengths = table["num_tokens"].to_numpy()
    return table.append_column("start", pa.array(np.cumsum(lengths) - lengths))


def _id_order(corpus: Corpus, ids: "pa.ChunkedArray") -> "pa.Array":
    """The positions of the documents sorted by id. Raises InputError for an id that stands twice: it has no order."""
    import pyarrow.compute as pc

    order = pc.sort_indices(ids)
    ordered = ids.take(order)
    twice = pc.equal(ordered.slice(1), ordered.slice(0, max(len(ordered) - 1, 0)))
    if pc.any(twice).as_py():
        example = ordered.slice(1).filter(twice)[0].as_py()
        raise InputError(
            f"corpus {corpus.reference}: the id {example} stands twice; expected one document an id. "
            "Build the corpus again."
        )
    return order


def _lay_down(documents: "pa.Table", folder: Path, tokenizer: TokenizerFacts) -> str:
    """Copies the documents' ids in their order from parts.ds to tokens.ds; returns the digest of the bytes."""
    source = map_tokens(folder / "parts.ds", tokenizer.token_size_bytes)
    lengths = documents["num_tokens"].to_numpy()
    starts = documents["start"].to_numpy()
    ends = np.cumsum(lengths)
    digest = hashlib.sha256()
    block_of = ends * tokenizer.token_size_bytes // BLOCK_BYTES
    with (folder / "tokens.ds").open("wb") as file:
        for block in np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(block_of)) + 1):
            pieces = [source[starts[i] : starts[i] + lengths[i]] for i in block]
            content = np.concatenate(pieces).tobytes() if pieces else b""
            digest.update(content)
            file.write(content)
    write_sidecars(folder / "tokens.ds", ends, tokenizer)
    return "sha256:" + digest.hexdigest()


def _write_record(
    folder: Path,
    corpus: Corpus,
    where: str | None,
    tokenizer: TokenizerFacts,
    documents: "pa.Table",
    digest: str,
) -> None:
    import pyarrow.parquet as pq

    pq.write_table(documents.select(["id", "num_tokens"]), folder / "documents.parquet", use_dictionary=False)
    recipe = token_recipe(corpus.digest, where, tokenizer)
    record = {
        "corpus": corpus.reference,
        "fingerprint": fingerprint(recipe),
        "recipe": recipe,
        "token_size_bytes": tokenizer.token_size_bytes,
        "vocab_size": tokenizer.vocab_size,
        "end_of_text": {"token": tokenizer.end_of_text, "id": tokenizer.end_of_text_id},
        "documents": len(documents),
        "tokens": int(documents["num_tokens"].to_numpy().sum()),
        "sha256": digest,
        "created": now(),
        "libraries": library_versions(LIBRARIES),
    }
    write_record(folder / "record.json", record)
