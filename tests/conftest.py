"""What all tests share: the data too large or too foreign to ship, found through one environment variable."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = Path(__file__).parents[1]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests were skipped, also when none was."""
    skipped = len(terminalreporter.stats.get("skipped", []))
    terminalreporter.write_line(f"{skipped} tests skipped" + (" (reasons above)" if skipped else ""))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pages and benchmarks: OCTO_TEST_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get("OCTO_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set OCTO_TEST_DATA to a folder that holds it")
    return folder


@pytest.fixture
def recipes() -> Path:
    """The recipes that ship with OctoCorpus."""
    return ROOT / "manifests" / "recipes"


PROSE = """let $x^2 + y^2 = z^2$ hold for the integers; then every prime divisor p of z is odd. We prove that
\\frac{a}{b} is irrational by descent, as Fermat did — naïve, but true: 数学 is fun."""
WORDS = PROSE.split()


def _sentences(seed: int, count: int, longest: int = 60) -> list[str]:
    texts = []
    for number in range(count):
        state = hashlib.sha256(f"{seed}.{number}".encode()).digest() * 8
        length = 1 + int.from_bytes(state[:4], "little") % longest
        texts.append(f"{seed}.{number} " + " ".join(WORDS[byte % len(WORDS)] for byte in state[4 : 4 + length]))
    return texts


@pytest.fixture(scope="session")
def sentences() -> Callable[..., list[str]]:
    """`sentences(seed, count, longest)`: texts that differ, of 1 to `longest` words."""
    return _sentences


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level BPE of some 400 tokens with `<|endoftext|>` = 0 and `<|pad|>` = 1."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|pad|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sentences(0, 200), trainer)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path
