"""The child process: compares the pairs that come in on standard input, which is a socket, until that closes.

    python serve.py JSON      {"path": the parent's sys.path, "alarm_s": …, "memory_bytes": …}

Messages in both directions are a length of four bytes and JSON, never pickle. The first one says whether math-verify
could be loaded. A pair gets its processor time and no more: at the alarm an exception ends it, two seconds later the
kernel ends the process. Both count processor time, so that no verdict depends on how busy the machine is.
"""

import contextlib
import importlib
import importlib.util
import json
import logging
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = "octo_answers"  # whatever the folder is called here: its own name may be another module's
KILL_AFTER_ALARM_S = 2
LOOK_FOR_PARENT_S = 5.0
HEAD = struct.Struct(">I")
LARGEST_MESSAGE = 1 << 20


class _OutOfTime(BaseException):
    """The alarm. No Exception, so that libraries do not swallow it."""


def send(stream: socket.socket, message: dict[str, Any]) -> None:
    """Writes one message. Raises OSError, also past the timeout of the socket."""
    body = json.dumps(message).encode("ascii")
    stream.sendall(HEAD.pack(len(body)) + body)


def read_exactly(stream: socket.socket, count: int) -> bytes:
    """`count` bytes; EOFError where the stream ends before."""
    chunks = b""
    while len(chunks) < count:
        chunk = stream.recv(count - len(chunks))
        if not chunk:
            raise EOFError
        chunks += chunk
    return chunks


def receive(stream: socket.socket) -> dict[str, Any]:
    """The next message. EOFError at the end of the stream, OSError past the timeout, ValueError for what is none."""
    (length,) = HEAD.unpack(read_exactly(stream, HEAD.size))
    if length > LARGEST_MESSAGE:
        raise ValueError(f"a message of {length} bytes; expected at most {LARGEST_MESSAGE}")
    message = json.loads(read_exactly(stream, length))
    if not isinstance(message, dict):
        raise ValueError("a message that is no object")
    return message


def main(settings: dict[str, Any]) -> None:
    """Serves until the parent closes its end, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the parent, which decides
    stream = _own_stream()
    sys.path[:] = settings["path"]
    logging.disable(logging.CRITICAL)
    try:
        compare = _load()
    except (ImportError, TypeError) as error:  # not installed, or a version with other settings
        send(stream, {"missing": str(error)})
        return
    _limit(resource.RLIMIT_AS, settings["memory_bytes"])
    _limit(resource.RLIMIT_FSIZE, 0)
    signal.signal(signal.SIGPROF, _alarm)
    send(stream, {"ready": os.getpid()})
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            pair = _next(stream)
            send(stream, {"reason": _compared(compare, pair, settings["alarm_s"])})


def _own_stream() -> socket.socket:
    """The socket that came as standard input; what libraries print goes nowhere."""
    stream = socket.socket(fileno=os.dup(0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return stream


def _load() -> Callable[[str, str], bool]:
    """The comparison, from the folder of this file under a name of its own. Raises ImportError without math-verify."""
    folder = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None  # the file lies beside this one
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    importlib.import_module("math_verify")  # first, so that the error names it rather than what it needs
    algebra = importlib.import_module(f"{PACKAGE}.algebra")
    equivalence = importlib.import_module(f"{PACKAGE}.equivalence")
    return lambda truth, answer: equivalence.same_answer(truth, answer, algebra.same_formula)


def _next(stream: socket.socket) -> dict[str, Any]:
    """The next pair. Looks now and then whether the parent still lives: a process it forked may keep the socket open.

    Raises EOFError once it does not.
    """
    parent = os.getppid()
    stream.settimeout(LOOK_FOR_PARENT_S)
    while True:
        try:
            waiting = stream.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            if os.getppid() != parent:
                raise EOFError from None
            continue
        if not waiting:
            raise EOFError
        return receive(stream)


def _compared(compare: Callable[[str, str], bool], pair: dict[str, Any], alarm_s: float) -> str:
    """`right`, `wrong`, `timeout`, `memory` or `error`."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + alarm_s + KILL_AFTER_ALARM_S) + 1)
    try:
        # Repeated, should a library swallow the first one after all.
        signal.setitimer(signal.ITIMER_PROF, alarm_s, 0.2)
        try:
            return "right" if compare(pair["truth"], pair["answer"]) else "wrong"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except _OutOfTime:
        return "timeout"
    except MemoryError:
        return "memory"
    except RecursionError:
        return "wrong"  # nested deeper than any answer
    except Exception:  # of libraries, on hostile input
        return "error"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _alarm(number: int, frame: Any) -> None:
    raise _OutOfTime


def _limit(what: int, value: int) -> None:
    """Lowers the soft limit; where the system has none (memory on macOS) the parent's clock alone bounds the child."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (value, resource.getrlimit(what)[1]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
