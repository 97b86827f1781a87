"""Reinforcement learning from a checkpoint: prompts → GRPO with a length schedule → health, locally or with verl."""
