"""The tokenizer of a mixture: any `tokenizer.json`, used so that no page can write an end of text.

Nothing is added but what is asked for: no beginning-of-text token, no truncation, no padding, no BPE dropout, whatever
the file says. The text of a special token inside a page stays text.
"""

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from manifests.errors import InputError
from manifests.fingerprint import file_digest

# What the token ids rest on besides the tokenizer's file. Raise it when any change here changes an id.
TOKENIZE_REVISION = 1

END_OF_TEXT = ("<|endoftext|>", "<|end_of_text|>", "</s>")
MAX_SHORT_VOCAB = 1 << 16


@dataclass(frozen=True)
class TokenizerFacts:
    """A usable tokenizer file. Every id is below `vocab_size`."""

    path: Path
    digest: str
    vocab_size: int
    end_of_text: str
    end_of_text_id: int

    @property
    def token_size_bytes(self) -> int:
        """2 where every id fits 16 bits, else 4: the width datatrove and nanotron expect for this vocabulary."""
        return 2 if self.vocab_size <= MAX_SHORT_VOCAB else 4


def read_tokenizer(path: Path, end_of_text: str | None) -> TokenizerFacts:
    """The facts of the tokenizer in `path`; `end_of_text` None takes the first usual one that it has.

    Raises InputError if the file is no tokenizer, lacks the token, or would read the token's text as the token.
    """
    digest = file_digest(path)
    vocabulary = _build(path, digest, _ends(end_of_text)).get_vocab(with_added_tokens=True)
    if not vocabulary:
        raise InputError(f"{path}: has an empty vocabulary; expected a trained tokenizer.json.")
    token = _end_of_text(path, vocabulary, end_of_text)
    facts = TokenizerFacts(path, digest, max(vocabulary.values()) + 1, token, vocabulary[token])
    _refuse_readable_end(facts)
    return facts


def plain_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in `path` that gives the very ids of `Encoder`, for callers that need offsets too."""
    return _build(path, file_digest(path), _ends(None))


class Encoder:
    """Texts to token ids, the same ids in every process and for every batch size."""

    def __init__(self, facts: TokenizerFacts) -> None:
        self._facts = facts
        self._tokenizer = _build(facts.path, facts.digest, _ends(facts.end_of_text))

    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """The ids (uint32) of each text, without any end of text."""
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.uint32) for encoding in encodings]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`, special tokens shown as their text."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))


def _ends(end_of_text: str | None) -> frozenset[str]:
    return frozenset(END_OF_TEXT if end_of_text is None else {*END_OF_TEXT, end_of_text})


@functools.lru_cache(maxsize=2)  # building a large one takes a second
def _build(path: Path, digest: str, ends: frozenset[str]) -> Tokenizer:
    if file_digest(path) != digest:
        raise InputError(
            f"{path}: changed while it was used; expected one tokenizer for the whole command. Run it again."
        )
    try:
        tokenizer = Tokenizer.from_str(json.dumps(_plain(json.loads(path.read_bytes()), ends)))
    except Exception as error:  # the library raises bare Exception for every mistake in the file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: is not a tokenizer ({reason}); expected a tokenizer.json of the `tokenizers` library. "
            "Check `tokenizer` in the manifest."
        ) from error
    tokenizer.encode_special_tokens = True  # the name misleads: it makes the text of special tokens ordinary text
    return tokenizer


def _plain(content: dict[str, Any], ends: frozenset[str]) -> dict[str, Any]:
    """The file's content without what would cut, fill or vary the text."""
    model = content["model"]
    if "dropout" in model:
        model = model | {"dropout": None}
    added = [token | {"special": True} if token["content"] in ends else token for token in content["added_tokens"]]
    return content | {"model": model, "added_tokens": added, "truncation": None, "padding": None}


def _end_of_text(path: Path, vocabulary: dict[str, int], wanted: str | None) -> str:
    for token in (wanted,) if wanted is not None else END_OF_TEXT:
        if token in vocabulary:
            return token
    missing = repr(wanted) if wanted is not None else f"any of {', '.join(END_OF_TEXT)}"
    raise InputError(
        f"{path}: does not have {missing}; expected a token to end each document with. "
        "Set `end_of_text` in the manifest to a special token of this tokenizer."
    )


def _refuse_readable_end(facts: TokenizerFacts) -> None:
    """A tokenizer whose model itself makes the token out of text would let a page end its own document."""
    token = facts.end_of_text
    for ids in Encoder(facts).encode([token, f"a{token}b", f" {token} ", f"\n{token}\n"]):
        if facts.end_of_text_id in ids:
            raise InputError(
                f"{facts.path}: reads the text {token!r} as the token {facts.end_of_text_id}, so any page could end "
                "its own document; expected a token that no text gives. Set `end_of_text` to another special token."
            )
