"""A page that costs too much ends its child and nothing else."""

import os
import signal
import time
from pathlib import Path

import pytest

from curation.sandbox import Sandbox


def double(number: int) -> int:
    return 2 * number


def spin_on_odd(number: int) -> int:
    while number % 2:
        pass
    return number


def allocate(size: int) -> int:
    try:
        return len(bytearray(size))
    except MemoryError:
        return -1


def die_once(path: str) -> str:
    """Kills its own process the first time it is asked for this path."""
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> object:
    made = Sandbox(request.param, cpu_limit_s=1)
    yield made
    made.close()


@pytest.mark.parametrize("sandbox", [double], indirect=True)
def test_results_come_back_with_their_cpu_time(sandbox: Sandbox) -> None:
    answers = [sandbox.call(number) for number in range(5)]
    assert [result for result, _ in answers] == [0, 2, 4, 6, 8]
    assert all(0 <= cpu_s < 1 for _, cpu_s in answers)


@pytest.mark.parametrize("sandbox", [spin_on_odd], indirect=True)
def test_a_page_without_end_is_given_up_and_the_next_one_answered(sandbox: Sandbox) -> None:
    started = time.process_time()
    assert sandbox.call(1)[0] is None
    assert sandbox.call(2)[0] == 2
    assert time.process_time() - started < 1, "the waiting side does no work"


@pytest.mark.parametrize("sandbox", [allocate], indirect=True)
def test_memory_beyond_the_limit_is_refused_by_the_kernel(sandbox: Sandbox) -> None:
    assert sandbox.call(100_000_000_000)[0] == -1
    assert sandbox.call(1_000)[0] == 1_000


@pytest.mark.parametrize("sandbox", [die_once], indirect=True)
def test_a_child_that_dies_once_costs_no_page(sandbox: Sandbox, tmp_path: object) -> None:
    assert sandbox.call(f"{tmp_path}/mark")[0] == "alive"
