"""Trains one fastText model in a process of its own: `python fasttext_worker.py JOB.json`.

A process of its own, because fastText starts from uninitialised memory when it runs on fewer than 11 threads: the
parent sets the C library to hand out zeroed memory, which must be done before the process starts. It imports nothing
of ours, so that no other allocation comes before the training.
"""

import json
import sys
from pathlib import Path

EXIT_NOT_FINITE = 3
"""The exit status that says: the loss became NaN."""


def train(job: dict) -> None:
    """Trains, quantises if asked, and saves the model of `job`. Raises RuntimeError where the loss becomes NaN."""
    from fasttext.FastText import train_supervised

    model = train_supervised(input=job["lines"], loss="softmax", thread=1, verbose=job["verbose"], **job["model"])
    if job["quantise"]:
        model.quantize(input=job["lines"], thread=1, verbose=job["verbose"], **job["quantise"])
    model.save_model(job["output"])


def main(job_path: str) -> int:
    """The exit status of one training."""
    try:
        train(json.loads(Path(job_path).read_text("utf-8")))
    except RuntimeError as error:
        if "NaN" not in str(error):
            raise
        return EXIT_NOT_FINITE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
