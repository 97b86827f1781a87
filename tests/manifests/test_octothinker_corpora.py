"""The paper's corpora as manifests: each says whose they are, how large, and what to get before they can be built."""

from pathlib import Path
from typing import Any

import pytest

from curation.plan import plan_build
from manifests.errors import InputError
from manifests.layout import DataFolder
from manifests.load import RECIPES, load_manifest

FILES = sorted((RECIPES / "octothinker" / "corpora").glob("*.yaml"))
BUILT = "web-pro-max-build"
TOKENS = {
    "megamath-web-pro-max": 73_800_000_000,
    "megamath-web-pro": 15_100_000_000,
    "megamath-code": 28_100_000_000,
    "megamath-qa": 7_000_000_000,
    "megamath-translated-code": 7_200_000_000,
    "megamath-text-code-block": 50_300_000_000,
    "dclm-baseline": 40_000_000_000,
    "openr1-math-220k": 900_000_000,
    "am-deepseek-distilled-40m": 8_000_000_000,
    "openmathinstruct-2": 4_300_000_000,
    "numinamath-1.5": 310_000_000,
    "tulu3-personas-if": 15_000_000,
    "wildchat-gpt4": 400_000_000,
    "ultrachat-200k": 330_000_000,
    "finemath-4plus": 9_600_000_000,
    "math-8k": 302_000,
    "math-train": 371_000,
}
PROMPTS = ("math-8k", "math-train")  # problems for reinforcement learning, so without those of the benchmarks


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_corpus_says_what_it_is_and_what_it_needs(path: Path, tmp_path: Path) -> None:
    manifest: Any = load_manifest(path.stem, "corpus").manifest
    assert manifest.identity == f"{path.stem}@1"
    assert manifest.description and manifest.licence and manifest.origin
    if path.stem != BUILT:
        assert manifest.expected.tokens == TOKENS[path.stem]
        assert manifest.dedup.exact and manifest.dedup.minhash is None
        assert (manifest.decontaminate is not None) == (path.stem in PROMPTS)
        if "stimated" not in manifest.expected.basis:
            assert manifest.expected.documents
    with pytest.raises(InputError) as caught:
        plan_build(load_manifest(path), DataFolder(tmp_path))
    message = str(caught.value)
    assert f"The files come from {manifest.origin.dataset} (" in message and manifest.origin.url in message
    assert all(f"{pattern}: matches nothing in {tmp_path}" in message for pattern in manifest.inputs.files)


def test_every_corpus_of_the_paper_is_there() -> None:
    assert {path.stem for path in FILES} == {*TOKENS, BUILT}


def test_the_instruction_data_is_what_the_paper_says_it_is() -> None:
    instruction = ("tulu3-personas-if", "wildchat-gpt4", "ultrachat-200k")
    assert 700_000_000 <= sum(TOKENS[name] for name in instruction) <= 800_000_000  # about 0.8B
    assert all(load_manifest(name).manifest.rows.formatter == "chat" for name in instruction)
    assert load_manifest("wildchat-gpt4").manifest.rows.starts_with == {"model": ["gpt-4"]}


def test_the_build_has_the_numbers_of_the_paper() -> None:
    manifest: Any = load_manifest(BUILT).manifest
    assert (manifest.language.keep, manifest.language.min_score) == (["en"], 0.65)
    assert manifest.recall.threshold == 0.4
    minhash = manifest.dedup.minhash
    assert (minhash.bands, minhash.rows) == (11, 10)
    assert 1 - (1 - 0.75**minhash.rows) ** minhash.bands == pytest.approx(0.47, abs=0.005)
    assert manifest.decontaminate.ngram_words == 13 and len(manifest.decontaminate.benchmarks) == 12


def test_the_build_reads_the_problems_of_every_benchmark(shared_data: Path, tmp_path: Path) -> None:
    from curation.steps.decontamination import read_problems

    manifest: Any = load_manifest(BUILT).manifest
    for name in manifest.decontaminate.benchmarks:
        file = shared_data / Path(name).relative_to("downloads")
        assert sum(1 for _ in read_problems(file, manifest.decontaminate.columns)) >= 30
