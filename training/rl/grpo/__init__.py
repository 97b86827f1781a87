"""The local backend: GRPO in this process with TRL's trainer, on the CPU or one GPU."""
