"""Pairs of answers compared in child processes that can be killed: `ask(truth, answer)` gives the reason.

A plain subprocess with a socket: it works in the main thread, in thread pools, in daemonic workers, after a fork and
where `__main__` cannot be imported, all of which rule multiprocessing out. A few children serve all threads of a
process, each one pair at a time.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

from .serve import receive, send

ALARM_S = 3.0
"""Processor time of a pair, after which it is given up; seconds."""
WALL_S = 20.0
"""Time of a pair by the clock, after which its child is killed; on a busy machine the alarm comes late."""
START_S = 180.0
"""Time by the clock in which a child must have loaded math-verify (0.7 s on an idle machine); seconds."""
MEMORY_BYTES = 2 << 30
"""Address space of a child."""
MOST_CHILDREN = 4
"""Children of a process, of some 70 MB each; further threads wait."""
MOST_PAIRS = 5_000
"""Pairs after which a child is replaced: its parser remembers what it has seen."""


class CheckerMissing(RuntimeError):
    """No child can be started: math-verify is not installed beside this interpreter, or there is no interpreter."""


class _Died(Exception):
    """A child ended by itself: killed by a kernel short of memory, its stack overflowed, or somebody killed it."""


class _Child:
    """One child process. Not for two threads at a time."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._stream = ours
        try:
            self._process = _start(theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pairs = 0
        self._stop = weakref.finalize(self, _stop, self._process, ours, os.getpid())

    def wait_until_ready(self) -> None:
        """Raises CheckerMissing where math-verify cannot be loaded."""
        self._stream.settimeout(START_S)
        try:
            first = receive(self._stream)
        except (EOFError, OSError, ValueError):
            raise CheckerMissing("the process that compares answers does not start") from None
        if "missing" in first:
            raise CheckerMissing(f"math-verify cannot be loaded by {sys.executable}: {first['missing']}")

    def ask(self, truth: str, answer: str) -> str:
        """The reason; `timeout` too where the clock ran out. Raises _Died where the child did."""
        self.pairs += 1
        stop_at = time.monotonic() + WALL_S
        try:
            self._stream.settimeout(WALL_S)
            send(self._stream, {"truth": truth, "answer": answer})
            self._stream.settimeout(max(stop_at - time.monotonic(), 0.001))
            return str(receive(self._stream)["reason"])
        except TimeoutError:
            return "timeout"
        except (EOFError, OSError, ValueError, KeyError):
            return self._why_it_ended()

    def _why_it_ended(self) -> str:
        """`timeout` if the kernel's limit of processor time did it. Raises _Died for everything else."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        if self._process.returncode != -signal.SIGXCPU:
            raise _Died
        return "timeout"

    def stop(self) -> None:
        """Kills the process and waits for it, so that no zombie stays."""
        self._stop()


def _start(standard_input: socket.socket) -> "subprocess.Popen[bytes]":
    if not sys.executable:
        raise CheckerMissing("sys.executable is empty, so no process can be started to compare answers in")
    path = [folder for folder in sys.path if Path(folder).is_absolute()]
    settings = {"path": path, "alarm_s": ALARM_S, "memory_bytes": MEMORY_BYTES}
    serve = Path(__file__).with_name("serve.py")
    try:
        return subprocess.Popen(
            [sys.executable, "-s", str(serve), json.dumps(settings)],
            stdin=standard_input.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": "0"},  # the order of sets must not decide a verdict
        )
    except OSError as error:
        raise CheckerMissing(f"{sys.executable} cannot be started: {error}") from error


def _stop(process: "subprocess.Popen[bytes]", stream: socket.socket, owner: int) -> None:
    stream.close()
    if os.getpid() != owner:
        return  # a fork holds a copy of what it does not own
    process.kill()
    process.wait()


class _Children:
    """The children of this process: as many as threads ask at once, at most MOST_CHILDREN."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(MOST_CHILDREN)
        self._idle: list[_Child] = []
        self._missing = ""

    def ask(self, truth: str, answer: str) -> str:
        """See the module. A child may have died of what came before: where one did, the pair gets a fresh one."""
        with contextlib.suppress(_Died):
            return self._ask(truth, answer)
        self.close()
        try:
            return self._ask(truth, answer)
        except _Died:
            return "memory"

    def _ask(self, truth: str, answer: str) -> str:
        """A child that failed, or has served long enough, is replaced."""
        with self._free:
            child = self._take()
            reason = "error"
            try:
                reason = child.ask(truth, answer)
            finally:  # also when the thread is interrupted and the child still computes
                if reason in ("right", "wrong") and child.pairs < MOST_PAIRS:
                    self._idle.append(child)
                else:
                    child.stop()
            return reason

    def start(self) -> None:
        """Makes sure that a child can be started, and tries even where it could not before. Raises CheckerMissing."""
        self._missing = ""
        with self._free:
            self._idle.append(self._take())

    def _take(self) -> _Child:
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        if self._missing:
            raise CheckerMissing(self._missing)
        return self._started()

    def _started(self) -> _Child:
        child = _Child()
        try:
            child.wait_until_ready()
        except BaseException as error:
            child.stop()
            if isinstance(error, CheckerMissing):
                self._missing = str(error)  # every response would ask again
            raise
        return child

    def close(self) -> None:
        """Stops the children that wait. The others stop with their threads."""
        while self._idle:
            self._idle.pop().stop()


_children = _Children()


def ask(truth: str, answer: str) -> str:
    """`right`, `wrong`, `timeout`, `memory` or `error`: what the comparison of two short answers came to.

    Raises CheckerMissing where no child can be started.
    """
    return _children.ask(truth, answer)


def start() -> None:
    """Starts a child ahead of the first pair. Raises CheckerMissing where that cannot be."""
    _children.start()


def close() -> None:
    """Stops the waiting children now; the next pair starts a new one."""
    _children.close()


def _forget(*_: Any) -> None:
    """In a forked process: the children are the parent's, and its locks may be held by threads that are not here."""
    global _children
    _children = _Children()


os.register_at_fork(after_in_child=_forget)
atexit.register(close)
