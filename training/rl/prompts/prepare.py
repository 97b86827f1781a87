"""The prompts of a run: what is asked, in which words, and what is not asked and why.

    read      the corpus' problems and the validation sets (no_problem, no_answer, bad_answer, bad_text)
    leaks     training problems that stand in a validation set (in_validation)
    copies    the same problem twice (duplicate), or with other answers (conflicting_answers: none stays)
    draw      at most `max_problems` of each validation set (beyond_max_problems)
    ask       the template around the problem; not if it is too long or holds a special token (too_long, special_token)

The order is that of the ids; the backend shuffles by the seed of the run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from manifests.errors import TrainingError
from manifests.kinds.rl import RlManifest
from manifests.layout import DataFolder
from manifests.load import Loaded
from training.rl.prompts.asking import Asking
from training.rl.prompts.facts import count_reasons, prompt_facts
from training.rl.prompts.problems import CorpusProblems, read_problems
from training.rl.prompts.rows import TRAIN, VALIDATION, Prompt, Removed
from training.rl.prompts.sameness import KnownProblems, without_copies
from training.rl.prompts.tokenizer import PromptTokenizer
from training.rl.prompts.validation import ValidationProblems, draw, read_validation

BEYOND = "beyond_max_problems"


@dataclass(frozen=True)
class PromptSet:
    """What a run asks. `facts` is prompts.json; `notes` are for the plan to show."""

    train: tuple[Prompt, ...]
    validation: tuple[Prompt, ...]
    removed: tuple[Removed, ...]
    facts: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Of all rows in their order, for the recipe of a run."""
        return str(self.facts["digest"])

    @property
    def validation_counts(self) -> dict[str, int]:
        """Validation set → problems that are asked."""
        return {name: given["kept"] for name, given in self.facts["validation"].items()}


def prepare_prompts(loaded: Loaded, data: DataFolder, tokenizer: PromptTokenizer | None) -> PromptSet:
    """The prompts of an RL manifest. Without a tokenizer their lengths are not known, and none is too long.

    Raises NotFound if the corpus is not built, InputError for files and columns that cannot be used, TrainingError if
    nothing is left to train on or of a validation set.
    """
    manifest: RlManifest = loaded.manifest
    sets = _validation_sets(loaded, data)
    corpus = read_problems(data, manifest.prompts)
    asking = Asking(manifest.prompts, manifest.templates, tokenizer)
    train, removed = _training(corpus, sets, asking)
    most = manifest.validation.max_problems if manifest.validation else 0
    validation, left_out = _validation(sets, most, asking)
    removed += left_out
    notes = tuple(chain(_leak_notes(corpus, sets), _loss_notes(sets, removed, tokenizer)))
    facts = prompt_facts(manifest, corpus, sets, tokenizer, train, validation, removed) | {"notes": list(notes)}
    return PromptSet(tuple(train), tuple(validation), tuple(removed), facts, notes)


def _validation_sets(loaded: Loaded, data: DataFolder) -> list[ValidationProblems]:
    manifest: RlManifest = loaded.manifest
    described = manifest.validation.sets if manifest.validation else {}
    return [read_validation(name, data.find(item.file, loaded.folder), item) for name, item in described.items()]


def _training(
    corpus: CorpusProblems, sets: Sequence[ValidationProblems], asking: Asking
) -> tuple[list[Prompt], list[Removed]]:
    source = corpus.reference
    known = KnownProblems((name, text) for given in sets for name, text in given.texts.items())
    names = {problem.id: known.name_of(problem.text) for problem in corpus.problems}
    leaks = [
        Removed(source, problem_id, "in_validation", f"{name}: the same letters and digits")
        for problem_id, name in names.items()
        if name is not None
    ]
    clean = [problem for problem in corpus.problems if names[problem.id] is None]
    problems, copies = without_copies(source, clean)
    prompts, unasked = asking.ask(source, TRAIN, problems)
    removed = [*corpus.removed, *leaks, *copies, *unasked]
    _require_some(f"prompts.corpus {source}", prompts, removed)
    return prompts, removed


def _validation(sets: Sequence[ValidationProblems], most: int, asking: Asking) -> tuple[list[Prompt], list[Removed]]:
    """The prompts of all sets, numbered on from set to set: they lie in one file."""
    prompts, removed = list[Prompt](), list[Removed]()
    for given in sets:
        drawn = draw(given.problems, most)
        asked = [problem for problem in given.problems if problem.id in drawn]
        beyond = [
            Removed(given.name, problem.id, BEYOND, f"max_problems is {most:,}")
            for problem in given.problems
            if problem.id not in drawn
        ]
        kept, unasked = asking.ask(given.name, VALIDATION, asked, len(prompts))
        _require_some(f"validation.sets.{given.name}", kept, left_out := [*given.removed, *beyond, *unasked])
        prompts, removed = prompts + kept, removed + left_out
    return prompts, removed


def _require_some(where: str, prompts: Sequence[Prompt], removed: Sequence[Removed]) -> None:
    if not prompts:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in count_reasons(removed).items())
        raise TrainingError(
            f"{where}: no problem is left; expected at least one. Removed: {counts or 'none, it is empty'}."
        )


def _leak_notes(corpus: CorpusProblems, sets: Sequence[ValidationProblems]) -> Iterator[str]:
    """Whether what is measured may have been trained on."""
    benchmarks = corpus.benchmarks
    if benchmarks is None:
        yield (
            f"{corpus.reference} was built without `decontaminate`: of the validation sets' problems only those that "
            "are equal to the letter were removed, and none of other benchmarks"
        )
    for given in sets:
        if benchmarks is not None and given.digest not in benchmarks:
            yield (
                f"{corpus.reference} was not decontaminated against {given.path.name} (validation.sets.{given.name}): "
                "of its problems only those that are equal to the letter were removed"
            )


def _loss_notes(
    sets: Sequence[ValidationProblems], removed: Sequence[Removed], tokenizer: PromptTokenizer | None
) -> Iterator[str]:
    """What an accuracy does not cover, and what was not looked at."""
    for given in sets:
        lost = [item for item in removed if item.data_source == given.name and item.reason != BEYOND]
        if lost:
            counts = ", ".join(f"{count:,} {reason}" for reason, count in count_reasons(lost).items())
            yield (
                f"validation.sets.{given.name}: {len(lost):,} of {len(given.texts):,} problems cannot be asked "
                f"({counts}); accuracy is measured without them"
            )
    if tokenizer is None:
        yield "no tokenizer: the lengths of the prompts are not known, and none was removed as too long"
