"""An engine as a group of processes on this machine."""

import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from manifests.errors import TrainingError
from manifests.records import explain_os_error
from training.jobs.job import Patience


class ProcessGroup:
    """`engine` as a process group of its own, whose output goes to a file.

    It holds `lock` to its end, also when we are gone. Raises TrainingError where an earlier one still holds it, or
    where it cannot be started.
    """

    def __init__(
        self,
        engine: str,
        command: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        log: Path,
        lock: Path,
        patience: Patience,
    ) -> None:
        self._engine, self._grace_s = engine, patience.grace_s
        held = _hold(engine, lock)
        try:
            with log.open("ab") as output:
                self._started = subprocess.Popen(
                    list(command), env={**os.environ, **env}, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=subprocess.STDOUT, start_new_session=True, pass_fds=(held,),
                )  # fmt: skip
        except OSError as error:
            raise TrainingError(
                f"{command[0]}: cannot be started in {folder} ({error.strerror}). Check the interpreter and the "
                "launcher of the plan: `octo engines` says which are here."
            ) from error
        finally:
            os.close(held)  # the group keeps its own copy: the lock ends with its last process

    def is_running(self) -> bool:
        """Whether the first process of the group lives."""
        return self._started.poll() is None

    def stop(self, number: signal.Signals) -> str:
        """Hands the signal on to the group and waits for it to end; then kills what is left."""
        self._signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._started.wait(self._grace_s)
            self.kill()  # workers that outlive their launcher
            return f"{self._engine} ended on the signal"
        self.kill()
        return f"{self._engine} did not end within {self._grace_s:g} s and was killed"

    def kill(self) -> None:
        """Kills the whole group."""
        self._signal(signal.SIGKILL)
        self._started.wait()

    def abandon(self) -> None:
        """Nobody is left to look after it."""
        self.kill()

    def ending(self) -> str | None:
        """The exit code or the signal, None for exit 0."""
        code = self._started.wait()
        self._signal(signal.SIGKILL)
        if code < 0:
            return f"was killed by {_signal_name(-code)}" + (", most likely for want of memory" if code == -9 else "")
        return f"ended with exit code {code}" if code else None

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._started.pid, number)


def refuse_running(engine: str, lock: Path) -> None:
    """Raises TrainingError if the engine of an earlier launch still runs."""
    os.close(_hold(engine, lock))


def _hold(engine: str, lock: Path) -> int:
    """A descriptor that holds `lock`; processes that inherit it hold it too, also when we are gone."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise explain_os_error(lock, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise TrainingError(
            f"{lock.parent}: {engine} of an earlier launch still runs here, though nobody follows it. Wait for it, or "
            f"end it (`fuser -v {lock}` shows its processes), and launch again."
        ) from error
    return descriptor


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
