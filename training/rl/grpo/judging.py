"""Responses judged in their groups: the numbers TRL learns from and the lines people read are made of the same."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from classifiers.answers.check import require_checker
from classifiers.answers.child import CheckerMissing
from manifests.errors import TrainingError
from training.rl.grpo.rows import Row
from training.rl.responses import Response
from training.rl.rewards.compose import Length, Reward

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

JUDGES = 4  # threads, as many as the answer checker has processes: one answer that takes long holds up no other


def require_answers(identity: str) -> None:
    """Raises TrainingError where formulas cannot be compared: every right answer would count as an error."""
    try:
        require_checker()
    except CheckerMissing as error:
        raise TrainingError(f"{identity}: answers cannot be compared here ({error}). Install math-verify.") from error


def judge_ids(
    reward: Reward,
    tokenizer: "PreTrainedTokenizerBase",
    rows: Sequence[Row],
    responses: Sequence[Sequence[int]],
    cap: int,
    ends: Collection[int],
) -> list[Response]:
    """One judged response for each list of ids; `rows` holds the problem of each."""
    texts = [
        str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))
        for ids in responses
    ]
    lengths = [Length(len(ids), cap, len(ids) >= cap and ids[-1] not in ends) for ids in responses]
    with ThreadPoolExecutor(JUDGES) as judges:
        return list(judges.map(partial(judge, reward), rows, texts, lengths))


def judge(reward: Reward, row: Row, text: str, length: Length) -> Response:
    """One response, judged. Raises TrainingError where the reward fails: no response is worth something by accident."""
    try:
        judgement = reward.judge(text, row.truth, length)
    except Exception as error:
        raise TrainingError(
            f"{row.source}, problem {row.id}: the reward failed on a response of {length.tokens:,} tokens "
            f"({type(error).__name__}: {error}). The checkpoints before it are good."
        ) from error
    return Response(row.id, text, row.truth, length.tokens, judgement)


def in_groups(responses: Sequence[Response], size: int) -> list[list[Response]]:
    """The responses to each prompt."""
    return [list(responses[first : first + size]) for first in range(0, len(responses), size)]
