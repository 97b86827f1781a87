"""The folder of a launch: what lies in it, that scripts and links work, and that nothing else is touched."""

import csv
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError
from manifests.nanoset import nanoset_index
from manifests.windows import Windows
from training.jobs.slurm import Slurm
from training.nanotron.given import Source
from training.nanotron.launch_plan import read_launch_plan
from training.nanotron.ledger import _sources


def test_the_files(scene: Callable[[str], Any]) -> None:
    made = scene("nanoset")
    made.write()
    assert sorted(str(path.relative_to(made.folder)) for path in made.folder.rglob("*") if path.is_file()) == [
        "launch_plan.json", "long.yaml", "lr_table.csv", "order.json", "plan.json", "run.sbatch", "run.sh",
        "short.yaml", "stable.yaml", "token_ledger.json", "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json",
    ]  # fmt: skip


def test_the_launch_plan(scene: Callable[[str], Any]) -> None:
    made = scene("nanoset")
    plan = made.write()
    assert read_launch_plan(made.folder) == plan
    stable, long, short = plan.launches
    assert [launch.phase for launch in plan.launches] == ["stable", "long", "short"]
    assert (stable.depends_on, long.depends_on, short.depends_on) == (None, "stable", "stable")
    assert stable.resume_checkpoint_path is None
    assert long.resume_checkpoint_path == short.resume_checkpoint_path == f"{stable.checkpoints_path}/12"
    assert len({launch.checkpoints_path for launch in plan.launches}) == 3
    assert (long.steps, long.batch_windows, long.batch_tokens, long.trained_tokens) == (8, 4, 64, 512)
    assert long.order_digest == made.lock("long@1")["order_digest"]
    assert long.command[-3:] == ["/opt/nanotron/run_train.py", "--config-file", f"{made.folder}/long.yaml"]
    assert long.env == {"CUDA_DEVICE_MAX_CONNECTIONS": "1", "PYTHONPATH": "/opt/nanotron/src"}


def test_the_learning_rates_and_the_ledger(scene: Callable[[str], Any]) -> None:
    made = scene("nanoset")
    made.write()
    rows = list(csv.DictReader((made.folder / "lr_table.csv").open()))
    assert [row["phase"] for row in rows] == ["stable"] * 12 + ["long"] * 8 + ["short"] * 6
    assert float(rows[-1]["learning_rate"]) == pytest.approx(0.001)
    ledger = json.loads((made.folder / "token_ledger.json").read_text())
    assert ledger["trained_tokens"] == (12 + 8 + 6) * 4 * 16
    assert [(phase["windows"], phase["disk_tokens"]) for phase in ledger["phases"]] == [(48, 816), (32, 544), (24, 408)]
    assert ledger["phases"][0]["sources"] == [{"corpus": "even@1", "where": None}, {"corpus": "odd@1", "where": None}]


def test_the_ledger_counts_what_locks_count() -> None:
    rows: list[dict[str, Any]] = [
        {"corpus": "a@1", "where": None, "windows": 7, "trained_tokens": 112, "epochs": 1.5, "reading": {}}
    ]
    source = Source(Path("m"), {"layout": "sequential", "sources": rows}, [], [])
    expected = {"corpus": "a@1", "where": None, "windows": 7, "trained_tokens": 112, "epochs": 1.5}
    assert _sources(source) == [expected]


def test_what_the_nanoset_dialect_reads_is_training_order(scene: Callable[[str], Any]) -> None:
    """Its index over the folder, weight and seed of the YAML gives the windows of training order."""
    import numpy as np
    import yaml

    made = scene("nanoset")
    made.write()
    for phase in ("stable", "long", "short"):
        data = yaml.safe_load((made.folder / f"{phase}.yaml").read_text())["data_stages"][0]["data"]
        (folder,), weights = data["dataset"]["dataset_folder"], data["dataset"]["dataset_weights"]
        windows = Windows(made.world.data.mixture(f"{phase}@1"))
        stored = np.fromfile(Path(folder) / "00000.ds", "<u2").reshape(-1, 17)
        _, samples = nanoset_index([len(stored)], weights, data["seed"], len(stored))
        for step in range(windows.steps):
            batch = stored[samples[step * 4 : step * 4 + 4]]
            assert windows.batch_digest(batch) == windows.declared_digest(step)


def test_the_head_dialect_reads_links_whose_folder_names_no_tokenizer(scene: Callable[[str], Any]) -> None:
    made = scene("head")
    (made.world.data.mixture("long@1") / "windows/00000.ds.metadata").write_text("sha256:00|2\n544\n544 T\n")
    made.write()
    made.write()  # writing again changes nothing
    folder = made.folder / "windows-not-on-s3/long"
    assert [path.name for path in folder.iterdir()] == ["00000.ds"]
    written = made.world.data.mixture("long@1") / "windows/00000.ds"
    assert (folder / "00000.ds").resolve() == written.resolve()
    assert "s3" in str(folder)  # or that dialect stops


def test_a_folder_that_holds_other_things_keeps_them(scene: Callable[[str], Any]) -> None:
    made = scene("head")
    made.folder.mkdir()
    (made.folder / "notes.txt").write_text("mine")
    made.write()
    assert (made.folder / "notes.txt").read_text() == "mine"


def test_the_tokenizer_folder_loads_in_transformers(scene: Callable[[str], Any]) -> None:
    from transformers import AutoTokenizer

    made = scene("head")
    made.write()
    tokenizer = AutoTokenizer.from_pretrained(made.folder / "tokenizer", local_files_only=True)
    assert len(tokenizer) == 278 and tokenizer.eos_token_id == 0


def test_run_sh_starts_torchrun(scene: Callable[[str], Any], tmp_path: Path) -> None:
    """The script is run; a stand-in for the interpreter prints what it was given."""
    made = scene("nanoset")
    python = tmp_path / "it's python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$CUDA_DEVICE_MAX_CONNECTIONS" "$PYTHONPATH" "$@"\n')
    python.chmod(0o755)
    plan = made.write(replace(made.options, python=python))
    ran = subprocess.run(["sh", made.folder / "run.sh", "long"], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["1", "/opt/nanotron/src", *plan.launches[1].command[1:]]
    refused = subprocess.run(["sh", made.folder / "run.sh"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "expected a phase" in refused.stderr


def test_several_nodes_go_through_slurm(scene: Callable[[str], Any], tmp_path: Path) -> None:
    made = scene("nanoset")
    python, tools = tmp_path / "python", tmp_path / "tools"
    tools.mkdir()
    for path, text in (
        (python, 'echo "$@"'), (tools / "scontrol", "printf 'node7\\nnode8\\n'"), (tools / "srun", 'exec "$@"'),
    ):  # fmt: skip
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    slurm = Slurm(partition="gpu", account=None, time="24:00:00")
    plan = made.write(replace(made.options, python=python, nodes=2, gpus_per_node=1, slurm=slurm))
    script = made.folder / "run.sbatch"
    assert plan.launches[1].command == ["sbatch", "--wait", str(script), "long"]
    asked = [line for line in script.read_text().splitlines() if line.startswith("#SBATCH")]
    assert asked == [
        "#SBATCH --job-name=tiny@1", "#SBATCH --nodes=2", "#SBATCH --ntasks-per-node=1", "#SBATCH --gpus-per-node=1",
        "#SBATCH --partition=gpu", "#SBATCH --time=24:00:00", "#SBATCH --exclusive",
    ]  # fmt: skip
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "node[7-8]"}
    ran = subprocess.run(["sh", script, "long"], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.startswith(
        "-m torch.distributed.run --nnodes=2 --nproc-per-node=1 --rdzv-backend=c10d --rdzv-id="
    )
    assert "--rdzv-endpoint=node7:29500 /opt/nanotron/run_train.py" in ran.stdout


@pytest.mark.parametrize("text", ["{}", '{"launches": [{"phase": "stable"}]}', '{"launches": 3}'])
def test_a_launch_plan_that_is_not_whole(tmp_path: Path, text: str) -> None:
    (tmp_path / "launch_plan.json").write_text(text)
    with pytest.raises(InputError, match="is not a launch plan"):
        read_launch_plan(tmp_path)


def test_a_weighted_mixture_names_its_token_files(scene: Callable[[str], Any]) -> None:
    """Its order is nanotron's own; the notes warn of what its sampler leaves out."""
    from training.nanotron.write import write_launch

    made = scene("nanoset")
    loaded, plan = made.plan()
    for name in ("even", "odd"):
        (made.world.data.tokens / name).mkdir(parents=True)
        (made.world.data.tokens / name / "tokens.ds").write_bytes(bytes(34))
    draws = {"where": None, "weight": 0.5, "draws": 16, "trained_tokens": 256, "warnings": ["3 samples are never read"]}
    made.change_lock(
        "long@1", layout="weighted", folders=["tokens/even", "tokens/odd"], weights=[0.5, 0.5],
        draws=[{"corpus": "even@1"} | draws, {"corpus": "odd@1"} | draws],
    )  # fmt: skip
    long = replace(plan.phases[1], input=replace(plan.phases[1].input, order_digest=None))
    weighted = replace(plan, phases=[plan.phases[0], long, plan.phases[2]])
    launch = write_launch(loaded, weighted, made.options, made.world.data, made.folder)
    text = (made.folder / "long.yaml").read_text()
    root = made.world.data.root
    assert (
        f"      - {root}/tokens/even\n      - {root}/tokens/odd\n      dataset_weights:\n      - 0.5\n      - 0.5\n"
        in text
    )
    assert launch.launches[1].order_digest is None
    assert "long: even@1: 3 samples are never read" in launch.notes
