"""The reader that training uses: the declared windows, or a clear refusal."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import InputError, NotFound
from manifests.layout import DataFolder
from manifests.load import Loaded
from manifests.windows import Windows
from mixtures.compile import tokenize_mixture


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the finished mixture of this module lies, once one was made."""
    return {"at": tmp_path_factory.mktemp("finished") / "mix@1"}


@pytest.fixture
def folder(
    finished: dict[str, Path],
    data: DataFolder,
    write_corpus: Callable[..., Any],
    write_mixture: Callable[..., Loaded],
    sentences: Callable[..., list[str]],
    tmp_path: Path,
) -> Path:
    """A finished mixture of 5 steps × 4 windows × 16 tokens that the test may damage."""
    if not finished["at"].exists():
        write_corpus("web@1", sentences(1, 60))
        write_corpus("qa@1", sentences(2, 30))
        sources = [{"corpus": "web@1", "weight": 0.75}, {"corpus": "qa@1", "weight": 0.25}]
        tokenize_mixture(write_mixture(sources, budget={"steps": 5}), data, 1).rename(finished["at"])
    return Path(shutil.copytree(finished["at"], tmp_path / "mix@1"))


def _change(folder: Path, **changes: Any) -> None:
    lock = json.loads((folder / "lock.json").read_text("utf-8")) | changes
    (folder / "lock.json").write_text(json.dumps(lock), "utf-8")


def test_windows_and_batches_are_the_same_ids(folder: Path) -> None:
    windows = Windows(folder)
    assert (len(windows), windows.steps, windows.batch_windows, windows.sequence_length) == (20, 5, 4, 16)
    raw = np.fromfile(folder / "windows" / "00000.ds", dtype="<u2").reshape(20, 17)
    for step in range(5):
        batch = windows.batch(step)
        assert (batch.dtype, batch.shape) == (np.int64, (4, 17))
        assert np.array_equal(batch, raw[step * 4 : step * 4 + 4])
        assert all(np.array_equal(windows.window(step * 4 + row), batch[row]) for row in range(4))
        assert sorted(set(windows.sources(step))) == ["qa@1", "web@1"]


def test_what_is_outside_is_not_read(folder: Path) -> None:
    windows = Windows(folder)
    for read in (windows.batch, windows.sources, windows.declared_digest):
        for step in (-1, 5):
            with pytest.raises(IndexError):
                read(step)
    with pytest.raises(IndexError):
        windows.window(20)


def test_a_batch_proves_itself_in_any_order_of_its_windows(folder: Path) -> None:
    windows = Windows(folder)
    for step in range(5):
        batch = windows.batch(step)
        assert windows.batch_digest(batch) == windows.batch_digest(batch[[2, 0, 3, 1]]) == windows.declared_digest(step)
        batch[1, 3] += 1
        assert windows.batch_digest(batch) != windows.declared_digest(step)
    assert len({windows.declared_digest(step) for step in range(5)}) == 5


def test_changed_bytes_are_found(folder: Path) -> None:
    Windows(folder).verify_files()
    for name in ("windows/00000.ds", "batches.bin"):
        content = bytearray((folder / name).read_bytes())
        content[7] ^= 1
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=r"windows/00000\.ds, batches\.bin differ from lock\.json"):
        Windows(folder).verify_files()


@pytest.mark.parametrize("name", ["windows/00000.ds", "batches.bin"])
def test_a_file_of_another_size_is_refused(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-2])
    with pytest.raises(InputError, match=f"has {len(content) - 2} bytes; expected {len(content)} bytes"):
        Windows(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match="is missing; expected"):
        Windows(folder)


def test_ids_beyond_the_vocabulary_are_refused(folder: Path) -> None:
    path = folder / "windows" / "00000.ds"
    ids = np.fromfile(path, dtype="<u2")
    ids[20] = 60_000
    ids.tofile(path)
    windows = Windows(folder)
    windows.window(0)
    with pytest.raises(InputError, match="holds the token 60000; expected ids below"):
        windows.batch(0)


def test_an_unfinished_mixture_is_not_read(folder: Path) -> None:
    (folder / "lock.json").unlink()
    with pytest.raises(NotFound, match="holds no finished mixture. Run `octo mixture tokenize`"):
        Windows(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"layout": "nanoset"},
        {"token_size_bytes": 4},
        {"token_size_bytes": "2"},
        {"vocab_size": 70_000},
        {"steps": 6},
        {"windows": 0},
        {"sequence_length": "16"},
        {"sequence_length": True},
        {"files": 3},
        {"files": []},
        {"files": [{"file": "../../windows/00000.ds", "windows": 20, "sha256": ""}]},
        {"files": [{"file": "/etc/passwd", "windows": 20, "sha256": ""}]},
        {"files": [{"windows": 20}]},
    ],
)
def test_a_lock_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    _change(folder, **changes)
    with pytest.raises(InputError, match=r"lock\.json: is not a lock of windows"):
        Windows(folder)


def test_a_lock_that_lacks_a_key_is_refused(folder: Path) -> None:
    lock = json.loads((folder / "lock.json").read_text("utf-8"))
    del lock["sequence_length"]
    (folder / "lock.json").write_text(json.dumps(lock), "utf-8")
    with pytest.raises(InputError, match="'sequence_length'"):
        Windows(folder)
