"""The revisions of the two extractors, which enter fingerprints. Raise one whenever its output may change.

They stand apart from the extractors, so that a plan need not load trafilatura to name a number.
"""

FAST = 3
CAREFUL = 1
