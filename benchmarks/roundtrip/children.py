"""Extractors in processes of their own, killed when a page takes too long: only that stops C code."""

import base64
import json
import select
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of a page, or None and why there is none."""

    text: str | None
    cpu_s: float
    error: str = ""


@dataclass(slots=True)
class Child:
    """One extractor; starts its process with the first page, and again after a page that killed it."""

    command: list[str]
    limit_s: float
    _running: subprocess.Popen | None = field(default=None, repr=False)

    def extract(self, body: bytes) -> Answer:
        """What the extractor says about one page."""
        running = self._running = self._running or self._start()
        assert running.stdin and running.stdout
        try:
            running.stdin.write(json.dumps({"body": base64.b64encode(body).decode()}).encode() + b"\n")
            running.stdin.flush()
        except BrokenPipeError:
            return self._stopped("the process ended")
        if not select.select([running.stdout], [], [], self.limit_s)[0]:
            return self._stopped(f"no answer within {self.limit_s:g} s")
        line = running.stdout.readline()
        return Answer(**{"error": "", **json.loads(line)}) if line else self._stopped("the process ended")

    def close(self) -> None:
        """Ends the process."""
        if self._running:
            self._running.kill()
            self._running.wait()
            self._running = None

    def _start(self) -> subprocess.Popen:
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _stopped(self, why: str) -> Answer:
        self.close()
        return Answer(None, self.limit_s, why)


def own_child(name: str, limit_s: float) -> Child:
    """One of the project's extractors."""
    return Child([sys.executable, str(FOLDER / "extractors.py"), name], limit_s)


def peer_child(name: str, python: str, checkout: str, limit_s: float) -> Child:
    """Another project's extractor, from its checkout and run by its own Python."""
    return Child([python, str(FOLDER / "peers.py"), name, checkout], limit_s)
