"""A launch plan over a stand-in for nanotron: 12 stable steps, then a branch of 6 with a linear decay."""

import json
import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from manifests.kinds.train import Schedule
from manifests.layout import DataFolder
from training.jobs.job import Patience
from training.nanotron.launch_plan import Launch, LaunchPlan, read_launch_plan, write_launch_plan
from training.nanotron.rates import scheduler_section
from training.nanotron.yaml_text import yaml_text
from training.planning.schedule import learning_rates, table_digest

FAKE = Path(__file__).parent / "fake_nanotron.py"
PEAK, SEQUENCE_LENGTH, BATCH_WINDOWS = 2e-5, 16, 8
IMPATIENT = Patience(poll_s=0.02, grace_s=0.5, slurm_poll_s=0.05)


@dataclass(frozen=True)
class Planned:
    """A folder with a launch plan, and the data folder of its run."""

    folder: Path
    data: DataFolder
    monkeypatch: pytest.MonkeyPatch

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.data.run("tiny@1")

    def checkpoints(self, phase: str) -> Path:
        """Where the stand-in saves."""
        return self.run / phase / "nanotron"

    def misbehave(self, **phases: dict[str, Any]) -> None:
        """What will go wrong in which phase."""
        self.monkeypatch.setenv("FAKE", json.dumps(phases))

    def launch(self, *wanted: str, **options: Any) -> str:
        """Launches the plan."""
        from training.nanotron.launch import launch_with_nanotron

        return launch_with_nanotron(self.folder, self.data, wanted, patience=IMPATIENT, **options)

    def phases(self) -> dict[str, Any]:
        """What run.json says of the phases."""
        record: dict[str, Any] = json.loads((self.run / "run.json").read_text())["phases"]
        return record

    def steps(self, phase: str) -> list[int]:
        """The steps in metrics.jsonl."""
        lines = (self.run / phase / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["step"] for line in lines]

    def change(self, **changes: Any) -> None:
        """Rewrites launch_plan.json with other facts of the plan."""
        write_launch_plan(replace(read_launch_plan(self.folder), **changes), self.folder)


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """A plan whose launches start the stand-in."""
    monkeypatch.delenv("FAKE", raising=False)
    return make_planned(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plan that was launched to its end; to be copied, not changed."""
    where = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv("FAKE", raising=False)
        make_planned(where, monkeypatch).launch()
    return where


@pytest.fixture
def finished(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """A finished run of one's own: a copy, in which every file names its own place."""
    for name in ("plan", "data"):
        shutil.copytree(trained / name, tmp_path / name)
    for path in tmp_path.rglob("*"):
        if path.suffix in (".json", ".yaml"):
            path.write_text(path.read_text().replace(str(trained), str(tmp_path)))
    return Planned(tmp_path / "plan", DataFolder(tmp_path / "data"), monkeypatch)


def make_planned(where: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """A plan in `where`."""
    made = Planned(where / "plan", DataFolder(where / "data"), monkeypatch)
    made.folder.mkdir()
    launches = [
        _launch(made, "stable", 12, Schedule(style="constant")),
        _launch(made, "short", 6, Schedule(style="linear", final_ratio=0.1)),
    ]
    write_launch_plan(LaunchPlan("tiny@1", "nanoset", {"nodes": 1, "gpus_per_node": 1}, [], launches), made.folder)
    (made.folder / "run.sbatch").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" --config-file "{made.folder}/$1.yaml"\n'
    )
    return made


def _launch(made: Planned, phase: str, steps: int, schedule: Schedule) -> Launch:
    parent = str(made.checkpoints("stable") / "12") if phase != "stable" else None
    config = _config(phase, steps, str(made.checkpoints(phase)), parent, scheduler_section(PEAK, schedule, steps))
    path = made.folder / f"{phase}.yaml"
    path.write_text(yaml_text(config))
    return Launch(
        phase=phase,
        config=path.name,
        mixture=f"{phase}@1",
        order_digest="sha256:" + "0" * 64,
        lr_table_digest=table_digest(learning_rates(steps, PEAK, schedule)),
        steps=steps,
        batch_windows=BATCH_WINDOWS,
        batch_tokens=BATCH_WINDOWS * SEQUENCE_LENGTH,
        trained_tokens=steps * BATCH_WINDOWS * SEQUENCE_LENGTH,
        checkpoints_path=str(made.checkpoints(phase)),
        checkpoint_interval=5,
        expected_last_step=steps,
        resume_checkpoint_path=parent,
        depends_on="stable" if parent else None,
        command=[sys.executable, str(FAKE), "--config-file", str(path)],
        env={"CUDA_DEVICE_MAX_CONNECTIONS": "1"},
    )


def _config(phase: str, steps: int, saved: str, parent: str | None, scheduler: dict[str, Any]) -> dict[str, Any]:
    return {
        "general": {"project": "tiny", "run": f"tiny@1-{phase}", "seed": 42},
        "parallelism": {"dp": 2, "pp": 1, "tp": 1},
        "model": {"model_config": {"is_llama_config": True, "hidden_size": 32, "vocab_size": 300}},
        "checkpoints": {
            "checkpoints_path": saved,
            "checkpoint_interval": 5,
            "resume_checkpoint_path": parent,
            "load_optimizer": True,
            "load_lr_scheduler": False,
            "save_final_state": True,
        },
        "logging": {"iteration_step_info_interval": 1},
        "tokens": {
            "sequence_length": SEQUENCE_LENGTH,
            "train_steps": steps,
            "micro_batch_size": 2,
            "batch_accumulation_per_replica": 2,
        },
        "optimizer": {"clip_grad": 1.0, "learning_rate_scheduler": scheduler},
        "data_stages": [{"name": phase, "start_training_step": 1, "data": {"seed": 42}}],
    }


SLURM_COMMANDS = {
    # Starts the job at once, in the background, like a cluster with nothing else to do.
    "sbatch": """#!/bin/bash
echo "$@" >> "$SLURM_HOME/asked"
for part in "$@"; do case "$part" in --output=*) log="${part#--output=}";; esac; done
[ -n "$SLURM_REFUSES" ] && { echo "sbatch: error: invalid partition" >&2; exit 1; }
args=(); for part in "$@"; do case "$part" in -*) ;; *) args+=("$part");; esac; done
echo RUNNING > "$SLURM_HOME/state"
( bash "${args[@]}" >> "$log" 2>&1 & echo $! > "$SLURM_HOME/pid"; wait $! && end=COMPLETED || end=FAILED
  echo "$end" > "$SLURM_HOME/state.new"; mv "$SLURM_HOME/state.new" "$SLURM_HOME/state" ) > /dev/null 2>&1 &
echo 41
""",
    "squeue": '#!/bin/bash\ngrep -x RUNNING "$SLURM_HOME/state"\nexit 0\n',
    "sacct": '#!/bin/bash\ncat "$SLURM_HOME/state"\n',
    "scancel": '#!/bin/bash\necho "scancel $@" >> "$SLURM_HOME/asked"\nkill "$(cat "$SLURM_HOME/pid")"\n',
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose shell scripts play Slurm; `asked` lists what it was asked."""
    home = tmp_path / "slurm"
    home.mkdir()
    for name, text in SLURM_COMMANDS.items():
        (home / name).write_text(text)
        (home / name).chmod(0o755)
    monkeypatch.setenv("SLURM_HOME", str(home))
    monkeypatch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
    return home
