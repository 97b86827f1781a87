"""When two problems are the same: once for leaks, where too much may go, and once for copies, where nothing may."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from training.rl.prompts.rows import Problem, Removed

# What changes the look of a formula and not what it says, and the stops and commas that are in no number.
_TYPOGRAPHY = re.compile(r"[\s$\\{}]|[.,](?!\d)")
SHOWN = 5  # of a group of copies with other answers; chosen here


def letters_and_digits(text: str) -> str:
    """The text's letters and digits in one case, and the bare text where it has none.

    Different problems can have the same (`3 + 4` and `3 - 4`): it is for keeping problems out, not for joining them.
    """
    return "".join(filter(str.isalnum, text.casefold())) or text.strip()


def signs_too(text: str) -> str:
    """The text in one case without spaces, dollars, backslashes, braces, and stops behind a word: `x^2+1=0`.

    Of the 9 groups in MATH's training set whose letters and digits agree, 5 differ in a sign and in the answer.
    """
    apart = text.casefold().replace("}{", "|")  # 1/23 is not 12/3
    return _TYPOGRAPHY.sub("", apart) or text.strip()


def text_digest(text: str) -> str:
    """The SHA-256 of the text, in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class KnownProblems:
    """The texts that are never to be trained on, each under its letters and digits."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        """`texts`: (name of the problem, its text); the first of the same text gives the name."""
        self._names: dict[str, str] = {}
        for name, text in texts:
            self._names.setdefault(letters_and_digits(text), name)

    def name_of(self, text: str) -> str | None:
        """Which known problem the text is; None if it is none."""
        return self._names.get(letters_and_digits(text))


def without_copies(data_source: str, problems: Sequence[Problem]) -> tuple[list[Problem], list[Removed]]:
    """The problems in their order, of copies the first, and none of those whose answers differ; then what is gone."""
    groups: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        groups[signs_too(problem.text)].append(problem)
    removed = [item for group in groups.values() for item in _copies(data_source, group)]
    gone = {item.id for item in removed}
    return [problem for problem in problems if problem.id not in gone], removed


def _copies(data_source: str, group: list[Problem]) -> Iterator[Removed]:
    first, *others = group
    if all(_same_answer(problem.truth, first.truth) for problem in others):
        for problem in others:
            yield Removed(data_source, problem.id, "duplicate", f"the same problem as {first.id}")
        return
    answers = ", ".join(f"{problem.truth:.80} ({problem.id})" for problem in group[:SHOWN])
    for problem in group:
        yield Removed(data_source, problem.id, "conflicting_answers", f"one problem with the answers {answers}")


def _same_answer(one: str, other: str) -> bool:
    """Whether the answers mean the same: `\\mathbf{2340}` is 2340."""
    from classifiers.answers.check import check_extracted

    return one == other or check_extracted(one, other).correct or check_extracted(other, one).correct
