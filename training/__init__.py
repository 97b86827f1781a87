"""Schedules, checkpoints and the backends that train on the windows."""
