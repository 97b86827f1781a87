"""The processes that compare formulas: hostile input, threads, forks, kills, leftovers, copies under another name."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from classifiers import answer_extra
from classifiers.answers import check, child
from classifiers.answers.check import Verdict, check_answer, check_extracted
from manifests.errors import MissingExtra

PACKAGE = Path(check.__file__).parent
RIGHT = (r"\sqrt{8}", r"2\sqrt{2}")
HOSTILE = [
    r"2^{2^{2^{2^{2^{2}}}}}", "100000000!", r"\frac{1}{3^{100000000}}", "(x+1)^{5000}", "7^{-10000000}",
    r"10^{10^{10}} \mod 11", "(" * 450 + ")" * 450, r"\frac{1}{" * 90 + "1" + "}" * 90, "1," * 490, "9" * 999,
    r"\sum_{k=1}^{10^{9}} \frac{1}{k}", r"\begin{pmatrix}" + "1&" * 400 + r"\end{pmatrix}", "x^" * 400 + "x",
    "(1," * 300, "-" * 800 + "1", r"\int_0^{\infty} e^{-x^2} \sin(x^3) dx", "\x00" * 9, "\ud800", "1e999",
    r"\sqrt{" * 100 + "2" + "}" * 100,
]  # fmt: skip


def children() -> list[int]:
    """The process ids of children of this process that serve comparisons."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"serve.py" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, IndexError):
            continue  # it ended meanwhile
    return found


def gone(pid: int, within_s: float = 30) -> bool:
    for _ in range(int(within_s * 10)):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # dead, and for its new parent to bury
        except OSError:
            return True
        time.sleep(0.1)
    return False


def run(code: str, **options: Any) -> str:
    """What Python prints that runs `code` from standard input, so that its __main__ cannot be imported."""
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=True, **options)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("response", "truth", "verdict"),
    [
        (r"so \boxed{7}", "7", Verdict(True, "right", "7")),
        (r"so \boxed{8}", "7", Verdict(False, "wrong", "8")),
        (r"so \boxed{2\sqrt2}", r"\sqrt{8}", Verdict(True, "right", r"2\sqrt2")),
        ("so 7", "7", Verdict(False, "no_box", None)),
        (r"so \boxed{7", "7", Verdict(False, "no_box", None)),
        (r"so \boxed{ }", "7", Verdict(False, "empty", "")),
        (r"so \boxed{7}", " ", Verdict(False, "no_truth", "7")),
        (r"so \boxed{7}", "7" * 1001, Verdict(False, "no_truth", "7")),
        (r"so \boxed{" + "7" * 1001 + "}", "7", Verdict(False, "too_long", "7" * 1000)),
    ],
)
def test_every_reason_of_a_response(response: str, truth: str, verdict: Verdict) -> None:
    assert check_answer(response, truth) == verdict


def test_what_is_no_text_is_an_error_and_raises_nothing() -> None:
    broken: Any = None
    assert check_answer(broken, "7") == Verdict(False, "error", None)
    assert check_answer(r"\boxed{7}", broken) == Verdict(False, "error", "7")
    assert check_answer("7", "7", rule="unknown") == Verdict(False, "error", None)
    assert check_extracted(None, "7") == Verdict(False, "no_box", None)
    assert check_extracted(broken or 7, "7") == Verdict(False, "error", None)


def test_a_megabyte_in_a_box_is_too_long_and_never_parsed() -> None:
    assert check_answer("\\boxed{" + "{" * 10**6 + "}" * 10**6 + "}", "7").reason == "too_long"


def test_an_endless_formula_is_given_up_and_the_next_one_compared() -> None:
    verdict = check_extracted(r"9^{9^{9^{9}}}", r"\sqrt{3}+x")
    assert (verdict.correct, verdict.reason in ("timeout", "memory")) == (False, True)
    assert check_extracted(*RIGHT).correct


@pytest.mark.slow
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_answers_and_truths_get_a_verdict(hostile: str) -> None:
    for truth, answer in ((r"\sqrt{3}+x", hostile), (hostile, r"\sqrt{3}+x")):
        verdict = check_extracted(answer, truth)
        assert (verdict.correct, verdict.reason in ("wrong", "timeout", "memory")) == (False, True)
    assert check_extracted(*RIGHT).correct


def test_threads_share_a_few_processes() -> None:
    answers = [f"\\sqrt{{{number * number}}}" for number in range(2, 42)]
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda pair: check_extracted(pair[1], str(pair[0])), enumerate(answers, 2)))
    assert [verdict.reason for verdict in verdicts] == ["right"] * 40
    assert 1 <= len(children()) <= child.MOST_CHILDREN


def test_a_killed_process_is_replaced() -> None:
    child.start()
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    assert check_extracted(r"x(x+3)", "x^2+3x").reason == "right"


def test_stopped_processes_leave_nothing_behind() -> None:
    child.start()
    assert children()
    child.close()
    assert not children()  # not even a zombie, which would still be listed


def _answer_in_a_fork(sender: Any) -> None:
    sender.send((multiprocessing.current_process().daemon, check_extracted(r"x(x+5)", "x^2+5x").reason))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_daemonic_process_has_its_own() -> None:
    child.start()  # the fork finds one that is not its own
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer_in_a_fork, args=(sender,), daemon=True)
    process.start()
    assert receiver.poll(120)
    assert receiver.recv() == (True, "right")
    process.join(30)
    assert check_extracted(r"x(x+6)", "x^2+6x").reason == "right"


USE = "from octo_reward.answers.check import check_answer, check_extracted\nfrom octo_reward.answers import child\n"
PIDS = (
    "import os, glob\n"
    "def served():\n"
    "    stats = [(path, open(path).read().rpartition(')')[2].split()) for path in glob.glob('/proc/[0-9]*/stat')]\n"
    "    return [int(path.split('/')[2]) for path, stat in stats if int(stat[1]) == os.getpid()]\n"
)


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, Any]:
    """Options of a process in a folder where the package lies under another name, and nothing else of ours."""
    shutil.copytree(PACKAGE, tmp_path / "octo_reward" / "answers", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "octo_reward" / "__init__.py").write_text("")
    return {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(tmp_path)}}


def test_a_copy_under_another_name_works_alone(elsewhere: dict[str, Any]) -> None:
    code = "print(check_answer(r'so \\boxed{2\\sqrt2}', r'\\sqrt8').reason)\nimport sys\n"
    ours = "print(sorted({'classifiers', 'manifests', 'math_verify', 'sympy'} & set(sys.modules)))"
    assert run(USE + code + ours, **elsewhere).split("\n") == ["right", "[]"]


def test_nothing_is_left_when_the_process_ends(elsewhere: dict[str, Any]) -> None:
    pids = run(USE + PIDS + "child.start(); print(*served())", **elsewhere)
    assert pids and all(gone(int(pid)) for pid in pids.split())


def test_nothing_is_left_when_the_process_is_killed(elsewhere: dict[str, Any]) -> None:
    code = USE + PIDS + "import time\nchild.start(); print(*served(), flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **elsewhere) as process:
        assert process.stdout is not None
        pids = process.stdout.readline().split()
        process.kill()
    assert pids and all(gone(int(pid)) for pid in pids)


WITHOUT_LIBRARIES = "import sys\nsys.path[:] = [path for path in sys.path if 'site-packages' not in path]\n"


def test_without_math_verify_formulas_are_errors_not_wrong(elsewhere: dict[str, Any]) -> None:
    code = (
        "for pair in (('x', 'x'), ('x+1', '1+x'), ('y', 'x')):\n    print(check_extracted(*pair).reason)\n"
        "try:\n    child.start()\nexcept child.CheckerMissing as error:\n    print(error)\n"
    )
    *reasons, message = run(WITHOUT_LIBRARIES + USE + code, **elsewhere).split("\n")
    assert reasons == ["right", "error", "error"]
    assert message == f"math-verify cannot be loaded by {sys.executable}: No module named 'math_verify'"


def test_our_callers_get_an_explained_error(monkeypatch: pytest.MonkeyPatch) -> None:
    child.close()
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    with pytest.raises(MissingExtra) as error:
        answer_extra.require_checker()
    assert str(error.value) == (
        f"answers: math-verify cannot be loaded by {sys.executable}: No module named 'math_verify'; "
        "formulas are compared by math-verify. Run: pip install 'octocorpus[rl]'."
    )
    monkeypatch.undo()
    answer_extra.require_checker()
    assert check_extracted(*RIGHT).correct


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_without_an_interpreter_there_is_no_checker(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    child.close()
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(child.CheckerMissing, match="sys.executable is empty|/nowhere/python cannot be started"):
        child.start()
    monkeypatch.undo()
    child.start()
