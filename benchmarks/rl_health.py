"""What the health rules say of RL curves, how early, and how often they err when the curves are noisier or sparser.

    python benchmarks/rl_health.py CURVES [--length-schedule WORD=0:2048,100:4096] [--resamplings N] [--json FILE]

CURVES is a CSV as `octo rl health` reads it, such as the 15 runs of the OctoThinker authors (GAIR-NLP/OctoThinker on
GitHub, plot/data). Every run is judged as it is, and at every second and every fifth evaluation. Each of these is then
resampled: every accuracy is drawn again from a binomial with the set's number of problems, which doubles its variance.
Columns: the rollout steps of the first warning and the first stop, and, over the resamplings, the shares with a stop
and with a warning and no stop, and the earliest, median and latest stop.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from manifests.kinds.rl import LengthStage
from manifests.terminal import print_rows
from training.rl.health.alarm import STOP, WARN, Alarm
from training.rl.health.curves import read_curves
from training.rl.health.jsonl import Notes
from training.rl.health.scores import problems_of
from training.rl.health.stages import parse_schedules
from training.rl.health.watch import HealthWatch

COLUMNS = (
    "run", "every", "warned_at", "stop_at", "rules", "stopped", "only_warned", "earliest_stop", "median_stop",
    "latest_stop",
)  # fmt: skip
EVERY = (1, 2, 5)  # evaluations
Lines = list[dict[str, Any]]


def alarms_of(lines: Lines, stages: Sequence[LengthStage] | None) -> list[Alarm]:
    """All alarms of one curve."""
    watch = HealthWatch(stages)
    return [alarm for line in lines for alarm in watch.observe(line)] + watch.finish()


def thinned(lines: Lines, every: int) -> Lines:
    """The lines of every so-manieth evaluation."""
    steps = sorted({line["rollout_step"] for line in lines})[::every]
    return [line for line in lines if line["rollout_step"] in steps]


def resampled(lines: Lines, random: np.random.Generator) -> Lines:
    """The lines with every accuracy drawn again."""
    problems = [line.get("problems") or problems_of(line["set"]) for line in lines]
    drawn = [random.binomial(n, min(line["accuracy"], 1.0)) / n for n, line in zip(problems, lines, strict=True)]
    return [{**line, "accuracy": float(accuracy)} for line, accuracy in zip(lines, drawn, strict=True)]


def measure(run: str, lines: Lines, stages: Sequence[LengthStage] | None, every: int, resamplings: int) -> list[Any]:
    """One row of COLUMNS."""
    random, kept = np.random.default_rng(0), thinned(lines, every)
    alarms = alarms_of(kept, stages)
    drawn = [alarms_of(resampled(kept, random), stages) for _ in range(resamplings)]
    stops = [stop for found in drawn if (stop := first(found, STOP)) is not None]
    warned = sum(bool(found) and first(found, STOP) is None for found in drawn)
    rules = ", ".join(dict.fromkeys(alarm.rule for alarm in alarms)) or None
    spread = [min(stops), statistics.median(stops), max(stops)] if stops else [None, None, None]
    shares = [len(stops) / resamplings, warned / resamplings]
    return [run, every, first(alarms, WARN), first(alarms, STOP), rules, *shares, *spread]


def first(alarms: list[Alarm], level: str) -> int | None:
    """The rollout step of the first alarm of a level."""
    return min((alarm.rollout_step for alarm in alarms if alarm.level == level), default=None)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curves", type=Path)
    parser.add_argument("--length-schedule", action="append", default=[])
    parser.add_argument("--resamplings", type=int, default=200)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    schedules = parse_schedules(arguments.length_schedule)
    rows = [
        measure(run, lines, schedules.of(run), every, arguments.resamplings)
        for run, lines in read_curves(arguments.curves, Notes()).items()
        for every in EVERY
    ]
    print_rows(COLUMNS, rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
