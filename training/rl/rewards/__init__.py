"""Rewards: signals of a response → named rewards → their weighted sum; and the package that carries them to verl."""
