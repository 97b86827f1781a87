"""How a phase is started: torchrun's arguments, and run.sh and run.sbatch for people and for Slurm."""

import shlex
from pathlib import Path

from training.jobs.slurm import batch_header
from training.nanotron.options import Options

# One queue to the device, so that communication and computation overlap in the order nanotron relies on.
MAX_CONNECTIONS = {"CUDA_DEVICE_MAX_CONNECTIONS": "1"}
_RENDEZVOUS = "${RENDEZVOUS:?set RENDEZVOUS to HOST:PORT of the first node}"


def environment(options: Options) -> dict[str, str]:
    """What a launch adds to the environment: nanotron comes from its checkout, not from site-packages."""
    return {**MAX_CONNECTIONS, "PYTHONPATH": str(options.checkout.absolute() / "src")}


def command(options: Options, folder: Path, phase: str) -> list[str]:
    """What starts one phase from here: torchrun where one node is enough, else sbatch, which waits for the end."""
    if options.nodes > 1:
        return ["sbatch", "--wait", str(folder / "run.sbatch"), phase]
    return [*_torchrun(options), str(_trainer(options)), "--config-file", str(folder / f"{phase}.yaml")]


def run_script(options: Options, folder: Path) -> str:
    """run.sh PHASE: starts one phase with torchrun; on several nodes it is run on each of them."""
    many = options.nodes > 1
    torchrun = " ".join(shlex.quote(word) for word in _torchrun(options))
    meeting = f' --rdzv-backend=c10d --rdzv-id="$1" --rdzv-endpoint="{_RENDEZVOUS}"' if many else ""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment(options).items())
    return (
        "#!/bin/sh\n"
        "# sh run.sh PHASE: trains one phase; launch_plan.json says in which order.\n"
        "set -eu\n"
        ': "${1:?expected a phase}"\n'
        f"{exports}"
        f"exec {torchrun}{meeting} {shlex.quote(str(_trainer(options)))} "
        f'--config-file {shlex.quote(str(folder))}/"$1".yaml\n'
    )


def slurm_script(options: Options, folder: Path, name: str) -> str:
    """run.sbatch PHASE: the same as a Slurm job, one task a node."""
    return (
        batch_header(name, options.nodes, options.gpus_per_node, options.slurm)
        + "# sbatch run.sbatch PHASE: trains one phase; launch_plan.json says in which order.\n"
        "set -eu\n"
        ': "${1:?expected a phase}"\n'
        'first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)\n'
        'RENDEZVOUS="$first:29500" srun sh ' + f'{shlex.quote(str(folder / "run.sh"))} "$1"\n'
    )


def _torchrun(options: Options) -> list[str]:
    """`--standalone` takes a free port, so that branches can run side by side on one node."""
    nodes = "--standalone" if options.nodes == 1 else f"--nnodes={options.nodes}"
    return [str(options.python), "-m", "torch.distributed.run", nodes, f"--nproc-per-node={options.gpus_per_node}"]


def _trainer(options: Options) -> Path:
    return options.checkout.absolute() / "run_train.py"
