"""Whether two answers say the same: `same_answer(truth, answer, algebra)`, as text, exact numbers and forms.

Where formulas must be compared it asks `algebra(truth, answer)`. In the caller's process that is `undecided`, which
raises; in the child it is math-verify. What is decided knowingly, each a line of the tests:

- `(3, 4)` is ordered and `3, 4` is not; a list without brackets is taken for a pair that has the same order; a set
  `\\{3, 4\\}` equals lists in any order and no pair. Lists keep repeats, sets do not.
- An interval, the inequality and the set of the same numbers are equal both ways. `(3, 4)` may be either.
- `x = 5` is 5 both ways; `x = 5` and `y = 5` differ.
- `16_8` is neither 16 nor 14: the base belongs to the answer. `24_{10}` is 24.
- Decimals are exact: `\\pi` is not 3.14 and 1/3 is not 0.333333. exact.same_number has the two exceptions.
- A ratio or time `5:30` is no quotient; `45^\\circ` is 45, not `\\pi/4`.
- Words are compared without case, formulas with it: `R` is not `r`.
"""

import re
from collections.abc import Callable

from .exact import read_number, same_number
from .forms import Braced, Form, Interval, Leaf, Listing, Matrix, Named, Ordered, Union, is_relation, readings
from .normal import squeezed, tidy, without_text
from .units import measures_agree, split_unit

Algebra = Callable[[str, str], bool]


_MOST_LEAVES = 1_000  # chosen here: pairs of leaves in the caller's process (0.1 s); more are left to the child


_BETWEEN_LETTERS = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])|[\s.,;:?!'\"$\\{}()]")


class Undecided(Exception):
    """The answers must be compared as formulas."""


def undecided(truth: str, answer: str) -> bool:
    """The algebra of a process that computes no formulas of others."""
    raise Undecided


def same_answer(truth: str, answer: str, algebra: Algebra = undecided) -> bool:
    """Whether `answer` is right where `truth` is. Raises what `algebra` raises, by default Undecided."""
    truth, answer = tidy(truth), tidy(answer)
    if squeezed(truth) == squeezed(answer):
        return bool(squeezed(truth))
    comparison = _Comparison(algebra)
    return any(comparison.same(mine, yours) for mine in readings(truth) for yours in readings(answer))


class _Comparison:
    """The rules by kinds of forms. The truth is always first."""

    def __init__(self, algebra: Algebra) -> None:
        self._algebra = algebra
        self._leaves = 0

    def same(self, truth: Form, answer: Form) -> bool:
        if isinstance(truth, Named) and isinstance(answer, Named):
            return truth.name == answer.name and self.same(truth.value, answer.value)
        if isinstance(truth, Named) or isinstance(answer, Named):
            return self.same(_value(truth), _value(answer))
        if isinstance(truth, Leaf) and isinstance(answer, Leaf):
            return self._same_leaves(truth, answer)
        if isinstance(truth, Matrix) and isinstance(answer, Matrix):
            return len(truth.rows) == len(answer.rows) and all(map(self._same_in_order, truth.rows, answer.rows))
        if isinstance(truth, Interval | Union) or isinstance(answer, Interval | Union):
            return self._same_ranges(truth, answer)
        return self._same_collections(truth, answer)

    def _same_in_order(self, truth: tuple[Form, ...], answer: tuple[Form, ...]) -> bool:
        return len(truth) == len(answer) and all(map(self.same, truth, answer))

    def _same_in_any_order(self, truth: tuple[Form, ...], answer: tuple[Form, ...]) -> bool:
        """Pairs each with one of the others; equality is transitive, so the first that fits will do."""
        left = list(answer)
        if len(truth) != len(left):
            return False
        for mine in truth:
            fitting = next((place for place, yours in enumerate(left) if self.same(mine, yours)), None)
            if fitting is None:
                return False
            del left[fitting]
        return True

    def _without_repeats(self, parts: tuple[Form, ...]) -> tuple[Form, ...]:
        kept: list[Form] = []
        for part in parts:
            if not any(self.same(one, part) for one in kept):
                kept.append(part)
        return tuple(kept)

    def _same_collections(self, truth: Form, answer: Form) -> bool:
        if isinstance(truth, Braced) or isinstance(answer, Braced):
            mine, yours = _members(truth), _members(answer)
            if mine is None or yours is None:
                return False
            return self._same_in_any_order(self._without_repeats(mine), self._without_repeats(yours))
        match truth, answer:
            case Listing(mine), Listing(yours):
                return self._same_in_any_order(mine, yours)
            case Ordered(mine, kind), Ordered(yours, other):
                return kind == other and self._same_in_order(mine, yours)
            case (Ordered(mine, ","), Listing(yours)) | (Listing(mine), Ordered(yours, ",")):
                return self._same_in_order(mine, yours)
        return False

    def _same_ranges(self, truth: Form, answer: Form) -> bool:
        """Two intervals by their ends; unions part by part, else, like what is no interval (`\\mathbb{R}\\setminus…`),
        as formulas."""
        mine, yours = _as_interval(truth), _as_interval(answer)
        if isinstance(mine, Interval) and isinstance(yours, Interval):
            brackets = (mine.left, mine.right) == (yours.left, yours.right)
            return brackets and self.same(mine.start, yours.start) and self.same(mine.end, yours.end)
        if isinstance(mine, Union) and isinstance(yours, Union) and self._same_in_any_order(mine.parts, yours.parts):
            return True
        texts = [getattr(form, "text", "") for form in (mine, yours)]
        unusual = any(isinstance(form, Union | Leaf) for form in (mine, yours))
        return unusual and all(texts) and self._algebra(texts[0], texts[1])

    def _same_leaves(self, truth: Leaf, answer: Leaf) -> bool:
        self._leaves += 1
        if self._algebra is undecided and self._leaves > _MOST_LEAVES:
            raise Undecided
        (mine, my_measure), (yours, your_measure) = split_unit(truth.text), split_unit(answer.text)
        if not measures_agree(my_measure, your_measure):
            return False
        mine, yours = squeezed(mine), squeezed(yours)
        if mine == yours:
            return True
        numbers = read_number(mine), read_number(yours)
        if numbers[0] and numbers[1]:
            return same_number(numbers[0], numbers[1])
        if truth.words or answer.words:
            return _same_words(mine, yours)
        if min(len(mine), len(yours)) > 2 and mine.isalpha() and _same_words(mine, yours):
            return True  # East without \text; two letters may be a product of variables
        comparable = _no_based(numbers) and is_relation(mine) == is_relation(yours)
        return comparable and self._algebra(mine, yours)


def _value(form: Form) -> Form:
    return form.value if isinstance(form, Named) else form


def _members(form: Form) -> tuple[Form, ...] | None:
    """What a set, a list or one thing hold; None for what is ordered."""
    if isinstance(form, Braced | Listing):
        return form.parts
    return (form,) if isinstance(form, Leaf | Named) else None


def _as_interval(form: Form) -> Form:
    """A pair in round brackets as the open interval that it may be."""
    match form:
        case Ordered((start, end), ",", text) if text.startswith("("):
            return Interval("(", start, end, ")", text)
    return form


def _same_words(truth: str, answer: str) -> bool:
    mine, yours = (_BETWEEN_LETTERS.sub("", without_text(text)).casefold() for text in (truth, answer))
    return bool(mine) and mine == yours


def _no_based(numbers: tuple[object, object]) -> bool:
    return all(getattr(number, "base", 10) == 10 for number in numbers)
