"""How a stage is started: run.sh on one node, run_ray.sh on a Ray cluster that runs, run.sbatch on Slurm."""

import shlex

from training.jobs.slurm import batch_header
from training.rl.verl.given import Given
from training.rl.verl.stages import TRACKER, Stage
from training.rl.verl.words import Settings

WORDS, START, RESUME = "overrides.txt", "start.txt", "resume.txt"
CLUSTERS = ("local", "ray")
RAY_PORT = 6379  # Ray's own default
RAY_START_S = 600  # how long run.sbatch waits for every node's GPUs; chosen here
METRICS = "metrics.jsonl"

_WAIT = f"""
import sys, time
import ray
end, found = time.monotonic() + {RAY_START_S}, 0
while found < int(sys.argv[2]):
    if time.monotonic() > end:
        sys.exit(f"Ray has {{found:g}} GPUs after {RAY_START_S} s, expected {{sys.argv[2]}}")
    try:
        ray.is_initialized() or ray.init(address=sys.argv[1], log_to_driver=False)
        found = ray.cluster_resources().get("GPU", 0)
    except ConnectionError:
        pass
    time.sleep(2)
"""
# A cluster that `ray start` made asks for the token that Ray keeps for the user; a driver must be told to send it.
_TOKEN = (
    'if [ -n "${RAY_AUTH_TOKEN:-}" ] || [ -s "${RAY_AUTH_TOKEN_PATH:-${HOME:-}/.ray/auth_token}" ]; then\n'
    '  export RAY_AUTH_MODE="${RAY_AUTH_MODE:-token}"\n'
    "fi\n"
)


def environment(given: Given) -> dict[str, str]:
    """What a launch adds to the environment: our packages come first, nothing is sent or fetched."""
    return {
        "HYDRA_FULL_ERROR": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(given.folder / "cache"),
        "RAY_USAGE_STATS_ENABLED": "0",
        "WANDB_MODE": "disabled",
    }


def cluster_settings(given: Given, stage: Stage, cluster: str) -> Settings:
    """Where Ray runs. A new one of our own inherits our environment; one that runs already must be told of it."""
    if cluster == "local":
        return {"+ray_kwargs.ray_init.address": "local"}
    section = "+ray_kwargs.ray_init.runtime_env.env_vars"
    return {
        f"{section}.PYTHONPATH": str(given.folder),
        f"{section}.VERL_FILE_LOGGER_PATH": str(stage.folder / METRICS),
    }


def command(given: Given, stage: Stage) -> list[str]:
    """What starts one stage from here."""
    script = "run_ray.sh" if given.options.ray_address else "run.sh"
    return ["sh", str(given.folder / script), stage.name]


def run_script(given: Given) -> str:
    """run.sh STAGE: starts one stage of verl here; it goes on where the stage has a checkpoint."""
    names = "|".join(shlex.quote(stage.name) for stage in given.stages)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment(given).items())
    return (
        "#!/bin/sh\n"
        "# sh run.sh STAGE: one start of verl; launch_plan.json says in which order. Words are read from files, one a\n"
        "# line, and never evaluated. Logs of an earlier start are kept under numbers.\n"
        "set -eu\n"
        f'case "${{1:-}}" in {names}) ;; *) echo "expected a stage: {names}" >&2; exit 2 ;; esac\n'
        f"folder={shlex.quote(str(given.folder))}\n"
        'stage="$folder/$1"\n'
        f"{exports}"
        'export PYTHONPATH="$folder${PYTHONPATH:+:$PYTHONPATH}"\n'
        f'export VERL_FILE_LOGGER_PATH="$stage/{METRICS}"\n'
        "cluster=${OCTO_VERL_CLUSTER:-local}\n"
        f"from={START}\n"
        f'if [ -s "$stage/checkpoints/{TRACKER}" ]; then from={RESUME}; fi\n'
        f'if [ -e "$stage/{METRICS}" ]; then\n'
        "  number=1\n"
        '  while [ -e "$stage/metrics-$number.jsonl" ]; do number=$((number + 1)); done\n'
        f'  mv "$stage/{METRICS}" "$stage/metrics-$number.jsonl"\n'
        "fi\n"
        "set --\n"
        f'for file in "$stage/{WORDS}" "$stage/$from" "$stage/$cluster.txt" "$folder/engine.txt"; do\n'
        '  while IFS= read -r word; do set -- "$@" "$word"; done < "$file"\n'
        "done\n"
        'cd "$stage"\n'
        f'exec {_python(given)} -m verl.trainer.main_ppo "$@"\n'
    )


def ray_script(given: Given) -> str:
    """run_ray.sh STAGE: the same on the Ray cluster at RAY_ADDRESS."""
    address = shlex.quote(given.options.ray_address or "")
    return (
        "#!/bin/sh\n"
        "# RAY_ADDRESS=HOST:PORT sh run_ray.sh STAGE: one start of verl on a Ray cluster that runs already.\n"
        "set -eu\n"
        f"given={address}\n"
        'export RAY_ADDRESS="${RAY_ADDRESS:-$given}"\n'
        ': "${RAY_ADDRESS:?set RAY_ADDRESS to HOST:PORT of the cluster}"\n'
        f"{_TOKEN}"
        "export OCTO_VERL_CLUSTER=ray\n"
        f'exec sh {shlex.quote(str(given.folder / "run.sh"))} "$@"\n'
    )


def slurm_script(given: Given) -> str:
    """run.sbatch STAGE: a Ray cluster of its own on the nodes of a Slurm job, then the stage on it."""
    options = given.options
    ray = f"{_python(given)} -m ray.scripts.scripts start --num-gpus={options.gpus_per_node} --block"
    return (
        batch_header(given.plan.identity, options.nodes, options.gpus_per_node, options.slurm)
        + "# sbatch run.sbatch STAGE: one start of verl on Slurm; launch_plan.json says in which order.\n"
        "set -eu\n"
        ': "${1:?expected a stage}"\n'
        f"if {_python(given)} -m ray.scripts.scripts get-auth-token --generate > /dev/null 2>&1; then\n"
        "  export RAY_AUTH_MODE=token\n"
        "fi\n"
        'head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)\n'
        f'srun --nodes=1 --ntasks=1 --nodelist="$head" {ray} --head --port={RAY_PORT} &\n'
        'if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then\n'
        '  srun --nodes="$((SLURM_JOB_NUM_NODES - 1))" --ntasks-per-node=1 --exclude="$head" \\\n'
        f'    {ray} --address="$head:{RAY_PORT}" &\n'
        "fi\n"
        f'{_python(given)} -c {shlex.quote(_WAIT)} "$head:{RAY_PORT}" {options.gpus}\n'
        f'RAY_ADDRESS="$head:{RAY_PORT}" sh {shlex.quote(str(given.folder / "run_ray.sh"))} "$1"\n'
    )


def _python(given: Given) -> str:
    return shlex.quote(str(given.options.python or "python3"))
