"""Text to verdict: normaliser, mathematics scores, language."""
