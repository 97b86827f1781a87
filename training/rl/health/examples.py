"""Up to three responses that show an alarm, made safe and short enough to be read in a terminal."""

import heapq
from collections.abc import Callable, Iterable
from typing import Any

EXAMPLES = 3
SHOWN_HEAD, SHOWN_TAIL = 240, 160  # characters; chosen here: a start and an end say how a response went
SHOWN_NAME = 200
_MARKS = {"\n": "⏎", "\t": "⇥", "\r": "␍", "\x1b": "␛"}

Response = dict[str, Any]
Rank = Callable[[Response], tuple[float, ...]]


def _length(response: Response) -> float:
    return response.get("tokens") or len(response["text"])


def _flag(name: str) -> Rank:
    return lambda response: (float(response.get(name) or 0.0), _length(response))


def _first_box(response: Response) -> tuple[float, ...]:
    return (float(response.get("early_box") or 0.0), -(response["text"].find("\\boxed") % (1 << 62)), _length(response))


def _wrong(response: Response) -> tuple[float, ...]:
    return (1.0 - float(response.get("correct") or 0.0), float(response.get("repetition") or 0.0), _length(response))


# What is typical of an alarm: the highest rank. Rules without an entry have nothing that a response would show.
TYPICAL: dict[str, Rank] = {
    "accuracy_collapse": _wrong,
    "cap_saturation": _flag("truncated"),
    "never_learning": _flag("truncated"),
    "repetition": _flag("repetition"),
    "early_box": _first_box,
    "no_gradient": _wrong,
    "reward_errors": _flag("error"),
    "reward_timeouts": _flag("timeout"),
}


def examples_of(rule: str, responses: Iterable[Response]) -> tuple[str, ...]:
    """The most typical responses for an alarm of this rule, in words; read once, three held at a time.

    A response that does not show it at all (first part of its rank 0) is no example.
    """
    rank = TYPICAL.get(rule)
    if rank is None:
        return ()
    best = heapq.nlargest(EXAMPLES, responses, key=rank)
    return tuple(_in_words(response) for response in best if rank(response)[0] > 0)


def visible(text: str) -> str:
    """The text without anything that could move a cursor, recolour or reorder a terminal: such characters become
    visible marks (`⏎`, `␛`, `‹U+202E›`)."""
    return "".join(char if char.isprintable() else _MARKS.get(char, f"‹U+{ord(char):04X}›") for char in text)


def shortened(text: str, head: int = SHOWN_HEAD, tail: int = SHOWN_TAIL) -> str:
    """The visible text, its middle left out where it is long; says how many characters are missing."""
    missing = len(text) - head - tail
    if missing <= 0:
        return visible(text)
    return f"{visible(text[:head])} … ({missing:,} characters left out) … {visible(text[len(text) - tail :])}"


def name_of(text: str) -> str:
    """A name from a log or a table, visible and of a bounded length."""
    return shortened(text, SHOWN_NAME - 20, 20)


def _in_words(response: Response) -> str:
    tokens, reason = response.get("tokens"), response.get("reason")
    facts = [f"rollout step {response['rollout_step']:,}"] if isinstance(response.get("rollout_step"), int) else []
    facts += [f"prompt {name_of(str(response['prompt']))}"] if response.get("prompt") else []
    facts += [f"{tokens:,} tokens"] if isinstance(tokens, int) else []
    facts += ["cut at the cap"] if response.get("truncated") else []
    facts += [name_of(str(reason))] if reason else []
    return f"{', '.join(facts) or 'a response'}: {shortened(response['text'])}"
