"""What `tokenizers` makes of a file and of texts, with an error that names the file for whatever it fails on.

Its mistakes come as bare exceptions, and some as panics of its Rust code, which are no `Exception` at all.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def build_tokenizer(path: Path, content: dict[str, Any]) -> "Tokenizer":
    """The tokenizer of a tokenizer.json, `path`, with this content. Raises InputError if it is none."""
    from tokenizers import Tokenizer

    with _explained(path):
        return Tokenizer.from_str(json.dumps(content))


def encode(path: Path, tokenizer: "Tokenizer", text: str, whole: bool = False) -> list[int]:
    """The ids of a text; `whole`: with what the post-processor puts around it."""
    with _explained(path):
        ids: list[int] = tokenizer.encode(text, add_special_tokens=whole).ids
    return ids


def count_tokens(path: Path, tokenizer: "Tokenizer", texts: Sequence[str]) -> list[int]:
    """How many ids each text has."""
    with _explained(path):
        return [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path}: is not a tokenizer ({reason}); expected a tokenizer.json of the `tokenizers` library."
        ) from error
