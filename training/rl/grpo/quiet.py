"""What surrounds a training: libraries that neither chat nor speak to the network, arithmetic that repeats itself."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

CHATTY = ("accelerate", "datasets", "huggingface_hub", "transformers", "trl")


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Errors alone are told, nothing is fetched or reported; afterwards everything is as it was."""
    import datasets
    from huggingface_hub import constants

    loggers = [logging.getLogger(name) for name in CHATTY]
    levels, offline = [logger.level for logger in loggers], constants.HF_HUB_OFFLINE
    bars = datasets.are_progress_bars_disabled()
    try:
        datasets.disable_progress_bars()
        constants.HF_HUB_OFFLINE = True  # as the environment variable of that name, which is read too early for us
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), _own_precision():
            warnings.simplefilter("ignore")
            yield
    finally:
        constants.HF_HUB_OFFLINE = offline
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if not bars:
            datasets.enable_progress_bars()


@contextlib.contextmanager
def _own_precision() -> Iterator[None]:
    """Without accelerate's variable for mixed precision: the manifest says it."""
    name = "ACCELERATE_MIXED_PRECISION"
    before = os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


@contextlib.contextmanager
def fixed_arithmetic(device: "torch.device", threads: int) -> Iterator[None]:
    """On the CPU, deterministic algorithms and the run's own number of threads; put back afterwards."""
    import torch

    if device.type != "cpu":  # on CUDA attention's backward pass has no deterministic form worth its price
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    try:
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(threads)
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.set_num_threads(before[1])
