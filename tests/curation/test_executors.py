"""Executors: the flag picks the right one; a Slurm cluster, played by shell scripts, builds the same corpus."""

import importlib.util
import os
import stat
from pathlib import Path

import pytest
from datatrove.executor.slurm import SlurmPipelineExecutor

from curation.build import build_corpus
from curation.executors import Machine, OneMachineExecutor, executor_for, run_to_end
from curation.fates import FateSink
from curation.plan import plan_build
from curation.stage import Stage
from manifests.errors import BuildError, MissingExtra
from manifests.layout import DataFolder
from manifests.load import load_manifest

# What `sbatch` does here: run each task of the array at once, one after the other, on this machine.
SBATCH = """#!/bin/bash
script="${@: -1}"
array=$(sed -n 's/^#SBATCH --array=\\([0-9]*\\)-\\([0-9]*\\).*/\\1 \\2/p' "$script")
for task in $(seq $array); do
  SLURM_ARRAY_TASK_ID=$task SLURM_JOB_ID=7 SLURM_PROCID=0 SLURM_NODEID=0 SLURM_NODELIST=localhost \\
  bash "$script" > /dev/null 2> "$0.log" || exit 1
done
echo "Submitted batch job 7"
"""
SRUN = '#!/bin/bash\nshift 3  # -l -n 1\nexec "$@"\n'
SACCT = "#!/bin/bash\necho COMPLETED\n"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT, "scontrol": "#!/bin/bash\necho localhost\n"}
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod((folder / name).stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_local_executor_is_the_default(tmp_path: Path) -> None:
    executor = executor_for(Machine(tasks=3, workers=8), [], 3, tmp_path)
    assert isinstance(executor, OneMachineExecutor)
    assert (executor.tasks, executor.workers) == (3, 3)


def test_ray_is_asked_for_by_its_extra(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        with pytest.raises(MissingExtra, match=r"pip install 'octocorpus\[ray\]'"):
            executor_for(Machine("ray", 2, 2), [], 2, tmp_path)
    else:
        assert type(executor_for(Machine("ray", 2, 2), [], 2, tmp_path)).__name__ == "RayPipelineExecutor"


def test_slurm_without_a_partition_or_without_slurm_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="--slurm-partition NAME"):
        executor_for(Machine("slurm", 2, 2), [], 2, tmp_path)
    with pytest.raises(BuildError, match="`sbatch` is not on the PATH"):
        executor_for(Machine("slurm", 2, 2, slurm_partition="cpu"), [], 2, tmp_path)


@pytest.mark.usefixtures("slurm")
def test_a_slurm_executor_knows_its_partition_and_tasks(tmp_path: Path) -> None:
    executor = executor_for(Machine("slurm", 9, 4, "cpu", "01:00:00"), [], 9, tmp_path / "log")
    assert isinstance(executor, SlurmPipelineExecutor)
    assert (executor.tasks, executor.workers, executor.partition, executor.time) == (9, 4, "cpu", "01:00:00")


@pytest.mark.usefixtures("slurm")
def test_a_slurm_cluster_builds_the_same_corpus(tmp_path: Path) -> None:
    digests = []
    for name, machine in (("local", Machine()), ("slurm", Machine("slurm", 2, 2, slurm_partition="cpu"))):
        data = DataFolder(tmp_path / name)
        record = build_corpus(plan_build(load_manifest("demo-general", "corpus"), data), data, machine)
        digests.append(record["digest"])
    assert digests[0] == digests[1]


class _Dies(Stage):
    """A step whose worker process is killed, as the system does when memory runs out."""

    name = "dies"

    def prepare(self) -> None:
        os.kill(os.getpid(), 9)

    def judge(self, document: object) -> None:
        return None


def test_a_killed_worker_ends_the_build_instead_of_hanging(tmp_path: Path) -> None:
    step = _Dies(FateSink(tmp_path))
    with pytest.raises(BuildError, match="a worker process was killed"):
        run_to_end(executor_for(Machine(tasks=2, workers=2), [[], step], 2, tmp_path / "log"))  # type: ignore[list-item]
