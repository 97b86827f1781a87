"""A mixture from its manifest to its lock. The flow of `octo mixture tokenize`, top to bottom."""

import shutil
from pathlib import Path
from typing import Any

from manifests.errors import MixtureError
from manifests.fingerprint import file_digest, fingerprint, refuse_changed
from manifests.folders import atomic_folder, only_writer, require_space
from manifests.layout import DataFolder
from manifests.libraries import library_versions
from manifests.load import Loaded
from manifests.records import now, write_record
from manifests.terminal import Progress
from manifests.windows import Windows
from mixtures.feasible import require_feasible, require_possible
from mixtures.materialise import SourceReader, WindowWriter
from mixtures.plan import Plan, SourcePlan, plan_mixture
from mixtures.tokenfile import TokenFile
from mixtures.tokenize import LIBRARIES, tokenize_corpus

LAYOUT = "sequential"


def tokenize_mixture(loaded: Loaded, data: DataFolder, workers: int, *, replace: bool = False) -> Path:
    """The folder of the finished mixture; token files and a finished mixture of the same recipe are used again.

    Raises IdentityError if the version was made from another recipe (unless `replace`), MixtureError if the exact
    counts show that the plan cannot be kept, before any window is written.
    """
    plan = plan_mixture(loaded, data)
    folder = data.mixture(plan.identity)
    if not replace:
        refuse_changed(plan.identity, folder / "lock.json", plan.recipe)
    with only_writer(folder):
        if not _is_finished(folder, plan):
            require_possible(plan)
            require_space(data.root, plan.disk_bytes + 2 * plan.token_file_bytes)  # a token file is laid down twice
            files = _tokenize_sources(plan, data, workers)
            plan = plan_mixture(loaded, data)  # now with the exact counts
            require_feasible(plan)
            with atomic_folder(folder) as unfinished:
                _write(plan, files, unfinished)
    return folder


def _is_finished(folder: Path, plan: Plan) -> bool:
    if not (folder / "lock.json").exists():
        return False
    return bool(Windows(folder).lock.get("fingerprint") == fingerprint(plan.recipe))


def _tokenize_sources(plan: Plan, data: DataFolder, workers: int) -> list[TokenFile]:
    files = []
    for source, corpus in zip(plan.sources, plan.corpora, strict=True):
        progress = Progress(f"tokenize {corpus.reference}", source.documents, "documents")
        files.append(tokenize_corpus(corpus, source.where, plan.tokenizer, data, workers, progress.show))
        progress.finish(files[-1].documents)
    return files


def _write(plan: Plan, files: list[TokenFile], folder: Path) -> None:
    readers = [
        SourceReader(source.corpus, source.where, file, plan.manifest.seed, source.windows, plan.window_tokens)
        for source, file in zip(plan.sources, files, strict=True)
    ]
    writer = WindowWriter(folder, plan.tokenizer, plan.window_tokens, plan.manifest.batch_windows)
    progress = Progress(f"windows {plan.identity}", plan.windows, "windows")
    written = writer.write(readers, progress.show)
    progress.finish(plan.windows)
    _copy_tokenizer(plan, folder)
    write_record(folder / "plan.json", plan.record())
    write_record(folder / "lock.json", _lock(plan, readers, written, folder))


def _copy_tokenizer(plan: Plan, folder: Path) -> None:
    copy = folder / "tokenizer.json"
    shutil.copyfile(plan.tokenizer.path, copy)
    if file_digest(copy) != plan.tokenizer.digest:
        raise MixtureError(f"{plan.tokenizer.path}: changed while the mixture was written. Run the command again.")


def _lock(plan: Plan, readers: list[SourceReader], files: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    tokenizer = plan.tokenizer
    return {
        "identity": plan.identity,
        "fingerprint": fingerprint(plan.recipe),
        "recipe": plan.recipe,
        "layout": LAYOUT,
        "token_size_bytes": tokenizer.token_size_bytes,
        "vocab_size": tokenizer.vocab_size,
        "end_of_text": {"token": tokenizer.end_of_text, "id": tokenizer.end_of_text_id},
        "tokenizer": {"file": "tokenizer.json", "digest": tokenizer.digest},
        "sequence_length": plan.manifest.sequence_length,
        "batch_windows": plan.manifest.batch_windows,
        "steps": plan.steps,
        "windows": plan.windows,
        "trained_tokens": plan.trained_tokens,
        "disk_tokens": plan.windows * plan.window_tokens,
        "order_digest": file_digest(folder / "batches.bin"),
        "sources": [
            _source(plan, source, corpus.digest, reader)
            for source, corpus, reader in zip(plan.sources, plan.corpora, readers, strict=True)
        ],
        "files": files,
        "created": now(),
        "libraries": library_versions(LIBRARIES),
    }


def _source(plan: Plan, source: SourcePlan, digest: str, reader: SourceReader) -> dict[str, Any]:
    return {
        "corpus": source.corpus,
        "corpus_digest": digest,
        "where": source.where,
        "weight": source.weight,
        "windows": source.windows,
        "trained_tokens": source.trained_tokens,
        "share": source.windows / plan.windows,
        "available_tokens": source.available_tokens,
        "documents": source.documents,
        "documents_seen": int(reader.seen.sum()),
        "epochs": source.epochs,
    }
