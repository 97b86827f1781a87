"""How near responses are to the cap of their stage: by truncation, by the mean length, or by the correct answers'."""

from dataclasses import dataclass

from training.rl.health.scores import Evaluation, SetScore

# Chosen here: a run is on its way to the cap, near it, at it.
TRUNCATED = (0.25, 0.5, 0.8)  # share of the responses that are cut
MEAN = (0.5, 0.75, 0.9)  # mean length, as a share of the cap
CORRECT = (0.5, 0.75, 0.75)  # the same of correct answers, which end once they are right, unless the model cannot stop
FEWEST_CORRECT = 30  # the mean length of fewer answers says nothing: its error is then a fifth of it and more


@dataclass(frozen=True)
class Nearness:
    """How near the cap, as a share (1 = at it), judged by the thresholds of its measure, and in words."""

    share: float
    thresholds: tuple[float, float, float]
    in_words: str

    @property
    def is_on_the_way(self) -> bool:
        """Whether the cap begins to matter."""
        return self.share >= self.thresholds[0]

    @property
    def is_near(self) -> bool:
        """Whether the cap decides about many responses."""
        return self.share >= self.thresholds[1]

    @property
    def is_at(self) -> bool:
        """Whether the cap decides about most."""
        return self.share >= self.thresholds[2]


def nearness(evaluation: Evaluation) -> Nearness | None:
    """How near the cap the responses of an evaluation are; None where nothing says it.

    Truncation says it best, then the mean length of all responses. The mean length of correct answers is what is left
    in the published curves; it is trusted only where enough are correct, since in a collapse the few that remain
    correct can stay short while all others run into the cap (survivorship).
    """
    for measure in (_by_truncation, _by_mean, _by_correct):
        found = measure(evaluation)
        if found is not None:
            return found
    return None


def _by_truncation(evaluation: Evaluation) -> Nearness | None:
    known = [score for score in evaluation.scores if score.truncated is not None]
    if not known:
        return None
    share = sum((score.truncated or 0.0) * score.problems for score in known) / _problems(known)
    cap = "" if evaluation.cap is None else f" at the cap of {evaluation.cap:,} tokens"
    return Nearness(share, TRUNCATED, f"{share:.0%} of the responses are cut{cap}")


def _by_mean(evaluation: Evaluation) -> Nearness | None:
    known = [score for score in evaluation.scores if score.tokens is not None]
    if not known or evaluation.cap is None:
        return None
    mean = sum((score.tokens or 0.0) * score.problems for score in known) / _problems(known)
    share = mean / evaluation.cap
    words = f"responses have {mean:,.0f} tokens on average, {share:.0%} of the cap of {evaluation.cap:,}"
    return Nearness(share, MEAN, words)


def _by_correct(evaluation: Evaluation) -> Nearness | None:
    known = [score for score in evaluation.scores if score.correct_tokens is not None]
    correct = sum(score.correct for score in known)
    if evaluation.cap is None or correct < FEWEST_CORRECT:
        return None
    mean = sum((score.correct_tokens or 0.0) * score.correct for score in known) / correct
    share = mean / evaluation.cap
    words = (
        f"the {correct:,.0f} correct answers have {mean:,.0f} tokens on average, {share:.0%} of the cap of "
        f"{evaluation.cap:,}"
    )
    return Nearness(share, CORRECT, words)


def _problems(scores: list[SetScore]) -> int:
    return sum(score.problems for score in scores)
