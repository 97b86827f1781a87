"""Is the checkpoint ready for reinforcement learning? Sample it, judge the responses, say what the run would cost."""
