"""Foreign engines once they are started: groups of local processes, or Slurm jobs. Never a shell, never a pipe."""
