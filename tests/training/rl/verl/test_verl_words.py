"""Override words: what Hydra reads back is what was meant, also for paths that people choose."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import InputError
from training.rl.verl.words import hydra_text, override_words, quoted

HOSTILE = [
    "/data/my runs/a@1", "it's", "a\\", "a\\'b", "\\\\'", "''", "{a,b}", "[1]", "a=b", "$HOME", "$(touch x)", "`x`",
    "a,b", "key: value", "#", "~", "null", "true", "1e-6", "", " ", "naïve 数", "??", "*", "'", "\\",
]  # fmt: skip
_READ = """
import json, sys
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
parser, texts = OverridesParser.create(), []
for word in json.load(sys.stdin):
    value = parser.parse_override(word).value()
    texts.append(OmegaConf.to_container(OmegaConf.create({"k": getattr(value, "text", value)}), resolve=True)["k"])
print(json.dumps(texts))
"""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"), (True, "true"), (False, "false"), (3, "3"), (1e-6, "1e-06"), ("a b", "'a b'"),
        ("it's", "'it\\'s'"), ("end\\", "'end\\\\'"), ("\\d", "'\\d'"), (["a", "b,c"], "['a','b,c']"),
    ],
)  # fmt: skip
def test_values_are_written_for_hydra(value: object, text: str) -> None:
    assert hydra_text("key", value) == text  # type: ignore[arg-type]


def test_words_keep_their_order_and_their_plus() -> None:
    assert override_words({"b": 1, "+a.c": "x"}) == ["b=1", "+a.c='x'"]


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=12))
def test_a_quoted_text_never_ends_early(text: str) -> None:
    """Between the quotes, no quote stands without an odd number of backslashes before it."""
    if "${" in text or not all(char.isprintable() for char in text):
        return
    inside = quoted("key", text)[1:-1]
    for place, char in enumerate(inside):
        before = len(inside[:place]) - len(inside[:place].rstrip("\\"))
        assert char != "'" or before % 2 == 1
    assert (len(inside) - len(inside.rstrip("\\"))) % 2 == 0


@pytest.mark.parametrize(
    ("value", "problem"), [("a\nb", "control characters"), ("${x}", "reference"), ("\0", "control")]
)
def test_what_a_word_cannot_hold_is_refused(value: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        hydra_text("key", value)


def test_numbers_must_be_finite() -> None:
    with pytest.raises(InputError, match=r"key: is nan; expected a finite number"):
        hydra_text("key", float("nan"))


@pytest.mark.engine
def test_hydras_own_parser_reads_them_back(verl_python: str) -> None:
    words = [f"k={quoted('k', text)}" for text in HOSTILE]
    done = subprocess.run(
        [verl_python, "-c", _READ], input=json.dumps(words), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == HOSTILE


def test_the_stand_in_reads_them_back_too() -> None:
    """The other tests rest on it."""
    code = (
        "import json, sys; from stand_in import read_value; print(json.dumps([*map(read_value, json.load(sys.stdin))]))"
    )
    texts = [text for text in HOSTILE if "\\" not in text]
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps([quoted("k", text) for text in texts]),
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
    )  # fmt: skip
    assert json.loads(done.stdout) == texts
