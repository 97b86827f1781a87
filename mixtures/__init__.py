"""Weights to token budgets to windows in training order."""
