"""The answer checker as this product asks for it: missing math-verify is an explained error, before a run starts.

Outside of the package `answers`, which is copied into foreign interpreters and knows nothing of ours.
"""

from classifiers.answers import check, child
from manifests.errors import MissingExtra


def require_checker() -> None:
    """Makes sure that formulas can be compared. Raises MissingExtra where they cannot: without math-verify the checker
    calls every answer that is not the truth's text or number an error."""
    try:
        check.require_checker()
    except child.CheckerMissing as error:
        raise MissingExtra(
            f"answers: {error}; formulas are compared by math-verify. Run: pip install 'octocorpus[rl]'."
        ) from error
