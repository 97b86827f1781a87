"""What a launch with nanotron needs to know of machines and folders. None of it enters a fingerprint."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from training.jobs.slurm import Slurm

Dialect = Literal["nanoset", "head"]

# The commit of nanotron's main branch that each dialect was checked with; it has no usable releases.
COMMITS: dict[Dialect, str] = {
    "nanoset": "dfce7f60984a11fa9c5cdf47015966c4dd60447d",
    "head": "2411b022a75fb7f7561a1bb4166706da5e1b76de",
}


@dataclass(frozen=True)
class Options:
    """Where and how wide nanotron runs."""

    checkout: Path  # nanotron's sources: run_train.py and src/
    python: Path  # the interpreter with nanotron's dependencies
    run_root: Path  # checkpoints go to run_root/PHASE/nanotron
    dialect: Dialect = "nanoset"
    nodes: int = 1
    gpus_per_node: int = 8
    dp: int | None = None  # None: the GPUs that tp and pp leave
    tp: int = 1
    pp: int = 1
    micro_batch_windows: int | None = None  # None: the manifest's
    checkpoint_every_steps: int | None = None  # None: the manifest's
    base: Path | None = None  # model.checkpoint, converted to nanotron's format
    accept_unscaled_rope: bool = False
    slurm: Slurm = field(default_factory=Slurm)

    @property
    def gpus(self) -> int:
        """GPUs of all nodes."""
        return self.nodes * self.gpus_per_node

    @property
    def data_parallel(self) -> int:
        """Replicas of the model; what does not come out whole is refused by training.nanotron.refuse."""
        return self.dp if self.dp is not None else self.gpus // max(1, self.tp * self.pp)

    def record(self) -> dict[str, Any]:
        """The options as JSON values."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    def checkpoints_path(self, phase: str) -> Path:
        """Where nanotron saves the checkpoints of a phase, a folder a step."""
        return self.run_root.absolute() / phase / "nanotron"
