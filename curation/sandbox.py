"""One function run on page after page in a child process that the kernel ends when a page costs too much.

The limits are a backstop: what may run is decided by the extractor's own caps, from the page alone. A page that reaches
them is tried once more in a fresh child, so that it takes more than a bad moment of the machine to lose one.
"""

import contextlib
import multiprocessing
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

CPU_LIMIT_S = 120  # chosen here: ten times what the caps allow a page on a slow machine
MEMORY_LIMIT_BYTES = 4_000_000_000  # chosen here; address space, imports and all
WALL_LIMIT_S = 3_600  # for a child that neither works nor ends
_TRIES = 2


class Sandbox:
    """Calls `work` in a child process. `work` is a module's function whose arguments and result can be pickled."""

    def __init__(self, work: Callable[..., Any], cpu_limit_s: int = CPU_LIMIT_S) -> None:
        self._work, self._cpu_limit_s = work, cpu_limit_s
        self._child: ForkServerProcess | None = None
        self._connection: Connection | None = None

    @property
    def limits(self) -> str:
        """The limits in words."""
        return f"{self._cpu_limit_s} CPU seconds and {MEMORY_LIMIT_BYTES:,} bytes"

    def call(self, *arguments: Any) -> tuple[Any, float]:
        """The result and the CPU seconds it took; None for a result that no child lived to give."""
        for _ in range(_TRIES):
            try:
                return self._ask(arguments)
            except (EOFError, ConnectionError, TimeoutError):
                self.close()
        return None, _TRIES * float(self._cpu_limit_s)

    def close(self) -> None:
        """Ends the child, whatever it does."""
        if self._child is not None and self._connection is not None:
            self._connection.close()
            self._child.kill()
            self._child.join()
        self._child = self._connection = None

    def _ask(self, arguments: tuple[Any, ...]) -> tuple[Any, float]:
        connection = self._connection or self._start()
        connection.send(arguments)
        if not connection.poll(WALL_LIMIT_S):
            raise TimeoutError
        result: tuple[Any, float] = connection.recv()
        return result

    def _start(self) -> Connection:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([self._work.__module__])  # so that a new child need not import it all
        self._connection, theirs = context.Pipe()
        self._child = context.Process(target=_serve, args=(self._work, theirs, self._cpu_limit_s), daemon=True)
        self._child.start()
        theirs.close()
        return self._connection


def _serve(work: Callable[..., Any], connection: Connection, cpu_limit_s: int) -> None:
    """Answers until the other side is gone. The kernel's signal for used-up CPU time ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair; it then hangs up
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            arguments = connection.recv()
            started = _cpu_s()
            resource.setrlimit(resource.RLIMIT_CPU, (int(started) + cpu_limit_s + 1, resource.RLIM_INFINITY))
            result = work(*arguments)
            connection.send((result, _cpu_s() - started))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _limit_memory() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most > MEMORY_LIMIT_BYTES:
        with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and does not take it
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, most))
