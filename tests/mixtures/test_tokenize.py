"""Corpora become token files: datatrove's bytes, whatever the shards and workers, all or nothing."""

import hashlib
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import InputError, MixtureError, NotFound
from manifests.layout import DataFolder
from manifests.tokenizer import Encoder, read_tokenizer
from mixtures.corpora import read_corpus
from mixtures.tokenfile import TokenFile, find_token_file, token_folder, token_recipe
from mixtures.tokenize import WORTH_WORKERS_TOKENS, tokenize_corpus

Write = Callable[..., list[tuple[str, str]]]
Texts = Callable[..., list[str]]


def _tokenize(data: DataFolder, tokenizer: Path, where: str | None = None, workers: int = 1) -> TokenFile:
    facts = read_tokenizer(tokenizer, None)
    return tokenize_corpus(read_corpus(data, "web@1"), where, facts, data, workers, lambda done: None)


def _documents(file: TokenFile) -> list[list[int]]:
    return [part.tolist() for part in np.split(file.tokens, file.ends)[:-1]]


def test_a_token_file_holds_each_document_and_its_end_in_the_order_of_ids(
    data: DataFolder, write_corpus: Write, sentences: Texts, tokenizer_file: Path
) -> None:
    rows = write_corpus("web@1", [*sentences(1, 40), "", "\0 nul", "數學 🎲"], shards=3)
    file = _tokenize(data, tokenizer_file)
    encoder = Encoder(read_tokenizer(tokenizer_file, None))
    assert file.ids.to_pylist() == [identifier for identifier, _ in rows]
    assert _documents(file) == [[*encoder.encode([text])[0].tolist(), 0] for _, text in rows]
    assert file.num_tokens == len(file.tokens) == file.ends[-1]
    lengths = pq.read_table(file.folder / "documents.parquet")["num_tokens"].to_numpy()
    assert np.array_equal(np.cumsum(lengths), file.ends)


def test_the_files_are_those_of_datatrove(
    data: DataFolder, write_corpus: Write, sentences: Texts, tokenizer_file: Path, tmp_path: Path
) -> None:
    from datatrove.data import Document
    from datatrove.pipeline.tokens import DocumentTokenizer

    rows = write_corpus("web@1", sentences(2, 60), shards=4)
    file = _tokenize(data, tokenizer_file)
    step = DocumentTokenizer(
        str(tmp_path / "stock"), str(tokenizer_file), eos_token="<|endoftext|>", shuffle_documents=False, seed=1
    )
    list(step.run([Document(text=text, id=identifier) for identifier, text in rows]) or [])
    stock = tmp_path / "stock" / "00000_unshuffled.ds"
    for ending in ("", ".index"):
        assert (file.folder / f"tokens.ds{ending}").read_bytes() == stock.with_name(stock.name + ending).read_bytes()
    theirs = stock.with_name(stock.name + ".metadata").read_text().splitlines()
    ours = (file.folder / "tokens.ds.metadata").read_text().splitlines()
    assert [line.rsplit("|")[-1] for line in ours[:2]] == [line.rsplit("|")[-1] for line in theirs[:2]]
    assert len(ours) == len(theirs)


@pytest.mark.parametrize(("workers", "shards"), [(1, 1), (1, 7), (3, 5)])
def test_workers_and_shards_change_nothing(
    data: DataFolder, write_corpus: Write, sentences: Texts, tokenizer_file: Path, workers: int, shards: int
) -> None:
    write_corpus("web@1", sentences(3, 50), shards=shards, tokens=WORTH_WORKERS_TOKENS)
    file = _tokenize(data, tokenizer_file, workers=workers)
    digest = hashlib.sha256((file.folder / "tokens.ds").read_bytes() + (file.folder / "tokens.ds.index").read_bytes())
    write_corpus("web@2", sentences(3, 50), shards=2)
    corpus = read_corpus(data, "web@2")
    other = tokenize_corpus(corpus, None, read_tokenizer(tokenizer_file, None), data, 1, lambda done: None)
    expected = (other.folder / "tokens.ds").read_bytes() + (other.folder / "tokens.ds.index").read_bytes()
    assert digest.hexdigest() == hashlib.sha256(expected).hexdigest()
    assert file.ids.equals(other.ids)


def test_a_large_vocabulary_is_written_in_four_bytes(
    data: DataFolder, write_corpus: Write, tokenizer_file: Path, tmp_path: Path
) -> None:
    content = json.loads(tokenizer_file.read_text("utf-8"))
    content["model"]["vocab"]["never seen"] = 65_536
    wide = tmp_path / "wide.json"
    wide.write_text(json.dumps(content), "utf-8")
    write_corpus("web@1", ["prime"])
    narrow, large = _tokenize(data, tokenizer_file), _tokenize(data, wide)
    assert (narrow.token_size_bytes, large.token_size_bytes) == (2, 4)
    assert narrow.tokens.tolist() == large.tokens.tolist()
    assert narrow.folder != large.folder


def test_a_condition_selects_documents(
    data: DataFolder, write_corpus: Write, sentences: Texts, tokenizer_file: Path
) -> None:
    rows = write_corpus("web@1", sentences(4, 60), shards=3)
    file = _tokenize(data, tokenizer_file, where="math_score >= 0.5 and num_chars > 20")
    expected = [identifier for identifier, text in rows if len(text) % 10 >= 5 and len(text) > 20]
    assert 0 < len(expected) < len(rows)
    assert file.ids.to_pylist() == expected
    nothing = _tokenize(data, tokenizer_file, where="math_score > 2")
    assert (nothing.documents, nothing.num_tokens, len(nothing.tokens)) == (0, 0, 0)


@pytest.mark.parametrize(
    "where", ["nope > 1", "true) or (true", "id in (select id from read_parquet('x'))", "1; drop table x", "text"]
)
def test_a_wrong_or_hostile_condition_is_explained(
    data: DataFolder, write_corpus: Write, tokenizer_file: Path, where: str
) -> None:
    write_corpus("web@1", ["one", "two"])
    with pytest.raises(MixtureError, match="^source web@1: "):
        _tokenize(data, tokenizer_file, where=where)
    assert not [path for path in data.tokens.iterdir() if not path.name.startswith(".")]


def test_a_token_file_is_used_again(data: DataFolder, write_corpus: Write, tokenizer_file: Path) -> None:
    write_corpus("web@1", ["one", "two"])
    first = _tokenize(data, tokenizer_file)
    written = (first.folder / "record.json").stat().st_mtime_ns
    assert (_tokenize(data, tokenizer_file).folder / "record.json").stat().st_mtime_ns == written
    write_corpus("web@1", ["one", "three"])  # the corpus was replaced: its digest is another
    assert _tokenize(data, tokenizer_file).folder != first.folder


def test_a_damaged_token_file_is_not_used(data: DataFolder, write_corpus: Write, tokenizer_file: Path) -> None:
    write_corpus("web@1", ["one", "two"])
    folder = _tokenize(data, tokenizer_file).folder
    content = (folder / "tokens.ds").read_bytes()
    (folder / "tokens.ds").write_bytes(content[:-2])
    with pytest.raises(InputError, match=f"has {len(content) - 2} bytes; expected {len(content)}. Delete"):
        _tokenize(data, tokenizer_file)
    (folder / "tokens.ds").unlink()
    with pytest.raises(InputError, match="has 0 bytes"):
        _tokenize(data, tokenizer_file)


def test_an_id_that_stands_twice_has_no_order(data: DataFolder, write_corpus: Write, tokenizer_file: Path) -> None:
    write_corpus("web@1", ["same", "other", "same"], shards=3)
    with pytest.raises(InputError, match=r"corpus web@1: the id [0-9a-f]{64} stands twice"):
        _tokenize(data, tokenizer_file)


def test_a_lost_shard_is_noticed(data: DataFolder, write_corpus: Write, tokenizer_file: Path) -> None:
    write_corpus("web@1", ["one", "two", "three"], shards=3)
    (data.corpus("web@1") / "shards" / "00001.parquet").unlink()
    with pytest.raises(InputError, match="holds 2 documents; expected the 3 of build.json"):
        _tokenize(data, tokenizer_file)


@pytest.mark.parametrize("table", [None, {"url": ["x"]}, {"id": ["a"], "text": [None]}])
def test_a_file_that_is_no_shard_is_explained(
    data: DataFolder, write_corpus: Write, tokenizer_file: Path, table: dict[str, Any] | None
) -> None:
    write_corpus("web@1", ["one"], shards=1)
    shard = data.corpus("web@1") / "shards" / "00000.parquet"
    if table is None:
        shard.write_bytes(b"not Parquet")
    else:
        pq.write_table(pa.table(table), shard)
    with pytest.raises(InputError, match=r"00000\.parquet: .*; expected|00000\.parquet: holds a document without"):
        _tokenize(data, tokenizer_file)


def test_a_corpus_that_is_not_there_is_named_with_the_closest(data: DataFolder, write_corpus: Write) -> None:
    write_corpus("web-pro@1", ["one"])
    with pytest.raises(NotFound, match=r"web-pro@2: is not in .*did you mean web-pro@1.*octo corpus build"):
        read_corpus(data, "web-pro@2")
    (data.corpus("web-pro@1") / "build.json").unlink()
    with pytest.raises(NotFound, match="is not finished"):
        read_corpus(data, "web-pro@1")


def test_a_killed_run_leaves_nothing_and_the_next_one_ends_the_same(
    data: DataFolder, write_corpus: Write, sentences: Texts, tokenizer_file: Path
) -> None:
    rows = write_corpus("web@1", sentences(5, 40), shards=4)
    script = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from manifests.layout import DataFolder
        from mixtures.corpora import read_corpus
        from mixtures.tokenize import tokenize_corpus
        from manifests.tokenizer import read_tokenizer
        data = DataFolder(Path(sys.argv[1]))
        end = lambda done: os.kill(os.getpid(), signal.SIGKILL)
        tokenize_corpus(read_corpus(data, "web@1"), None, read_tokenizer(Path(sys.argv[2]), None), data, 1, end)
    """)
    ended = subprocess.run([sys.executable, "-c", script, str(data.root), str(tokenizer_file)], check=False)
    assert ended.returncode == -9
    recipe = token_recipe(read_corpus(data, "web@1").digest, None, read_tokenizer(tokenizer_file, None))
    folder = token_folder(data, "web@1", recipe)
    assert find_token_file(folder, recipe) is None
    assert any(path.name.endswith(".building") for path in data.tokens.iterdir())  # it was in the middle
    rest = _tokenize(data, tokenizer_file)
    assert rest.folder == folder
    assert [len(document) for document in _documents(rest)] == np.diff(rest.ends, prepend=0).tolist()
    assert rest.ids.to_pylist() == [identifier for identifier, _ in rows]
    assert [path.name for path in data.tokens.iterdir()] == [folder.name]
