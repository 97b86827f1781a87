"""The package for verl: alone, elsewhere, in threads and in daemons it scores as OctoCorpus does."""

import ast
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, OctoError, TrainingError
from training.rl.rewards.compose import Length, Reward
from training.rl.rewards.package import package_digest, with_relative_imports, write_reward_package

PAPER = [{"name": "plus_minus_one", "weight": 1.0, "buffer_tokens": None}]
WITH_LENGTH = [{"name": "plus_minus_one"}, {"name": "overlong", "weight": 0.5, "buffer_tokens": 100}]
RIGHT = "Half of ten is five, and twice that is ten again. So \\boxed{\\frac{1}{2}}"
KEYS = {
    "score", "correct", "boxed", "early_box", "many_boxes", "repetition", "mixed_language", "truncated", "timeout",
    "error", "acc",
}  # fmt: skip

# -S leaves out the .pth file through which an editable install is found; the package has to do without OctoCorpus.
ALONE = """
import importlib.util, json, sys
sys.path[:0] = {paths!r}
import octo_reward
for name in ("classifiers", "training", "manifests"):
    assert importlib.util.find_spec(name) is None, name
def scores(calls):
    return [octo_reward.compute_score(**call) for call in calls]
if __name__ == "__main__":
    {body}
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def alone(tmp_path: Path) -> Run:
    """`alone(folder, body)`: runs code with octo_reward of FOLDER in an interpreter that cannot find OctoCorpus."""

    def run(
        folder: Path, body: str, libraries: str = sysconfig.get_path("purelib")
    ) -> subprocess.CompletedProcess[str]:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        script = elsewhere / "alone.py"
        script.write_text(ALONE.format(paths=[str(folder), libraries], body=body), "utf-8")
        command = [sys.executable, "-I", "-S", str(script)]
        return subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, timeout=120)

    return run


def _calls(*responses: str, **extra_info: Any) -> list[dict[str, Any]]:
    return [
        {"data_source": "math", "solution_str": text, "ground_truth": "0.5", "extra_info": {"index": 0, **extra_info}}
        for text in responses
    ]


def _scores(done: subprocess.CompletedProcess[str]) -> list[dict[str, float]]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_alone_it_scores_as_here(tmp_path: Path, alone: Run) -> None:
    write_reward_package(tmp_path, WITH_LENGTH)
    calls = _calls(RIGHT, RIGHT.replace("2}}", "3}}"), "", response_tokens=950, max_response_tokens=1_000)
    done = alone(tmp_path, f"print(json.dumps(scores({calls!r})))")
    here = [Reward(WITH_LENGTH).judge(call["solution_str"], "0.5", Length(950, 1_000, False)) for call in calls]
    assert _scores(done) == [{**each.metrics, "acc": float(each.verdict.correct)} for each in here]
    assert [each.score for each in here] == [0.75, -1.25, -1.25]
    assert done.stderr == ""


THREADS = """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(2) as pool:
        print(json.dumps([score for found in pool.map(scores, [{calls!r}] * 2) for score in found]))
"""
DAEMON = """
    import multiprocessing
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(scores({calls!r})), daemon=True)
    process.start()
    print(json.dumps(receiver.recv()))
    process.join()
"""


@pytest.mark.parametrize("body", [THREADS, DAEMON], ids=["threads", "daemon"])
def test_threads_and_daemons_may_call_it(tmp_path: Path, alone: Run, body: str) -> None:
    write_reward_package(tmp_path, PAPER)
    calls = _calls(RIGHT, RIGHT.replace("2}}", "3}}"), "so \\boxed{\\sqrt{0.25}}")
    found = _scores(alone(tmp_path, body.strip().format(calls=calls)))
    assert {score["error"] for score in found} == {0.0}
    assert [score["score"] for score in found] == [1.0, -1.0, 1.0] * (len(found) // 3)


def test_whatever_comes_the_keys_are_the_same(tmp_path: Path, alone: Run) -> None:
    write_reward_package(tmp_path, PAPER)
    calls: list[dict[str, Any]] = [
        {}, {"solution_str": None}, {"ground_truth": None}, {"ground_truth": 7, "extra_info": 3},
        {"extra_info": {"response_tokens": "many", "max_response_tokens": 9}}, {"solution_str": "{" * 1_000_000},
        *_calls(RIGHT, response_tokens=9, max_response_tokens=9), *_calls(RIGHT, response_tokens=None),
        *_calls(RIGHT, response_tokens=9, max_response_tokens=9, truncated=False),
    ]  # fmt: skip
    found = _scores(alone(tmp_path, f"print(json.dumps(scores({calls!r})))"))
    assert all(score.keys() == KEYS for score in found)
    assert all(isinstance(value, float) for score in found for value in score.values())
    assert [score["error"] for score in found] == [1, 1, 1, 0, 1, 1, 0, 0, 0]
    assert [score["truncated"] for score in found][-3:] == [1, 0, 0]


def test_an_unknown_length_is_told_once(tmp_path: Path, alone: Run) -> None:
    write_reward_package(tmp_path, WITH_LENGTH)
    done = alone(tmp_path, f"print(json.dumps(scores({_calls(RIGHT, RIGHT, RIGHT)!r})))")
    assert [(score["score"], score["error"]) for score in _scores(done)] == [(-1.5, 1.0)] * 3
    assert done.stderr.count("reward overlong: the length of the response is not known") == 1


def test_errors_that_hostile_rows_vary_do_not_fill_the_log(tmp_path: Path, alone: Run) -> None:
    write_reward_package(tmp_path, PAPER)
    done = alone(tmp_path, "print(json.dumps([octo_reward.compute_score(ground_truth={n: n}) for n in range(50)]))")
    assert all(score["error"] for score in _scores(done))
    assert len(done.stderr.splitlines()) == 20


def test_a_damaged_package_stops_at_its_import(tmp_path: Path, alone: Run) -> None:
    package = write_reward_package(tmp_path, PAPER)
    (package / "reward.json").write_text('{"terms": [{"name": "kindness"}]}')
    done = alone(tmp_path, "pass")
    assert done.returncode == 1
    assert "reward 'kindness': is not known" in done.stderr


def test_without_math_verify_it_stops_at_its_import(tmp_path: Path, alone: Run) -> None:
    write_reward_package(tmp_path, PAPER)
    done = alone(tmp_path, "pass", libraries=str(tmp_path))
    assert done.returncode == 1
    assert "math-verify cannot be loaded" in done.stderr


def _modules(package: Path) -> set[str]:
    """The top modules that a package imports and that are not inside of it."""
    nodes = [node for path in package.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names}


def test_it_needs_the_standard_library_and_math_verify_alone(tmp_path: Path) -> None:
    package = write_reward_package(tmp_path, PAPER)
    its_own = {"latex2sympy2_extended", "sympy"}  # what math-verify brings
    assert _modules(package) - sys.stdlib_module_names - its_own == {"math_verify"}
    assert "pickle" not in _modules(package)


def test_imports_become_relative_and_the_rest_stays() -> None:
    source = (
        '"""from classifiers.answers.check import x."""\n'
        "import math\n"
        "from training.rl.rewards.signals import (\n    Signals,\n)\n"
        "from classifiers.answers import rules  # a rule\n"
        "from classifiers.answersheet import other\n"
        "def late():\n    from classifiers.answers.check import Verdict\n"
    )
    expected = (
        source.replace("from training.rl.rewards.signals import (", "from ..rewards.signals import (")
        .replace("from classifiers.answers import rules", "from ..answers import rules")
        .replace("    from classifiers.answers.check", "    from ..answers.check")
    )
    assert with_relative_imports(source) == expected


def test_the_same_terms_give_the_same_bytes_and_others_do_not(tmp_path: Path) -> None:
    for name, terms in (("one", PAPER), ("two", [{"weight": 1.0, "name": "plus_minus_one"}]), ("three", WITH_LENGTH)):
        write_reward_package(tmp_path / name, terms)
    digests = [package_digest(tmp_path / name) for name in ("one", "two", "three")]
    assert digests[0] == digests[1] != digests[2]


def test_writing_again_leaves_an_equal_package_and_replaces_another(tmp_path: Path) -> None:
    package = write_reward_package(tmp_path, PAPER)
    before = package.stat().st_ino
    assert write_reward_package(tmp_path, PAPER).stat().st_ino == before
    write_reward_package(tmp_path, WITH_LENGTH)
    assert json.loads((package / "reward.json").read_text())["terms"] == WITH_LENGTH
    assert [path.name for path in tmp_path.iterdir()] == ["octo_reward"]


def test_using_it_does_not_change_its_digest(tmp_path: Path, alone: Run) -> None:
    write_reward_package(tmp_path, PAPER)
    before = package_digest(tmp_path)
    _scores(alone(tmp_path, "print(json.dumps(scores([{}])))"))
    assert list(tmp_path.rglob("*.pyc"))
    assert package_digest(tmp_path) == before


def _edit(package: Path) -> None:
    with (package / "rewards/functions.py").open("a") as file:
        file.write("\n")


def _add(package: Path) -> None:
    (package / "extra.py").write_text("")


def _remove(package: Path) -> None:
    (package / "reward.json").unlink()


@pytest.mark.parametrize(("change", "named"), [(_edit, "functions.py"), (_add, "extra.py"), (_remove, "reward.json")])
def test_a_package_that_changed_is_noticed(tmp_path: Path, change: Callable[[Path], None], named: str) -> None:
    change(write_reward_package(tmp_path, PAPER))
    with pytest.raises(TrainingError, match=f"{named} changed after octo wrote it; expected the reward of the run"):
        package_digest(tmp_path)
    write_reward_package(tmp_path, PAPER)
    assert package_digest(tmp_path)


def test_no_package_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such record"):
        package_digest(tmp_path)


def test_a_folder_that_octo_did_not_write_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "octo_reward" / "thesis.tex"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(TrainingError, match="is in the way and was not written by octo"):
        write_reward_package(tmp_path, PAPER)
    assert mine.read_text() == "mine"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = write_reward_package(tmp_path / "real", PAPER)
    (tmp_path / "octo_reward").symlink_to(target)
    with pytest.raises(TrainingError, match="is in the way"):
        write_reward_package(tmp_path, WITH_LENGTH)


def test_terms_that_no_manifest_holds_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not known"):
        write_reward_package(tmp_path, [{"name": "kindness"}])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OctoError, match="cannot be written"):
        write_reward_package(tmp_path / "file" / "below", PAPER)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


VERL = """
import json
from concurrent.futures import ThreadPoolExecutor
from omegaconf import OmegaConf
from verl.trainer.ppo.reward import get_custom_reward_fn
named = {"custom_reward_function": {"path": "pkg://octo_reward", "name": "compute_score"}}
score = get_custom_reward_fn(OmegaConf.create({"reward": named}))
calls = json.loads(input())
with ThreadPoolExecutor(2) as pool:
    print(json.dumps(list(pool.map(lambda call: score(**call), calls))))
"""


@pytest.mark.engine
def test_verl_loads_it_and_calls_it_in_threads(tmp_path: Path) -> None:
    python = os.environ.get("OCTO_VERL_PYTHON")
    if not python:
        pytest.skip("OCTO_VERL_PYTHON names no interpreter with verl")
    write_reward_package(tmp_path, WITH_LENGTH)
    calls = _calls(RIGHT, RIGHT.replace("2}}", "3}}"), response_tokens=1_000, max_response_tokens=1_000)
    done = subprocess.run(
        [python, "-c", VERL], input=json.dumps(calls), cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert [(score["score"], score["acc"], score["truncated"]) for score in found] == [(0.5, 1, 1), (-1.5, 0, 1)]
