"""A child process that extracts page after page: JSON lines in, JSON lines out. Needs only the standard library."""

import base64
import json
import os
import sys
import time
import traceback
from collections.abc import Callable


def serve(extract: Callable[[bytes], str]) -> None:
    """Answers every page on standard input with its text and the CPU seconds it took; prints of others go elsewhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        body = base64.b64decode(json.loads(line)["body"])
        started = time.process_time()
        answer: dict[str, str | None]
        try:
            answer = {"text": extract(body)}
        except Exception:
            answer = {"text": None, "error": traceback.format_exc()[-500:]}
        answers.write(json.dumps({**answer, "cpu_s": time.process_time() - started}) + "\n")
        answers.flush()
