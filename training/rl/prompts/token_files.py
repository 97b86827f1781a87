"""The files of a Hugging Face folder that say how text becomes tokens: read as data, bounded, and never run."""

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import InputError

# Chosen here: the largest published tokenizer.json has some 35 MB, settings a few kB.
LARGEST_TOKENIZER_BYTES = 512 * 2**20
LARGEST_SETTINGS_BYTES = 16 * 2**20
TOKENIZER, SETTINGS = "tokenizer.json", "tokenizer_config.json"
MOST_TOKENS = 2**32  # ids have 32 bits
NAMED_TOKENS = ("bos_token", "eos_token", "unk_token", "pad_token")
_OTHER_TEMPLATES = ("chat_template.jinja", "chat_template.json")


@dataclass(frozen=True)
class TokenFiles:
    """What a folder says of its tokenizer."""

    folder: Path
    tokenizer: dict[str, Any]  # tokenizer.json
    settings: dict[str, Any]  # tokenizer_config.json; empty where there is none
    named: dict[str, str]  # NAMED_TOKENS → the token's text, of those that are named
    ends: tuple[int, ...]  # the ids at which generation ends, by generation_config.json, else config.json
    embedded: int | None  # rows of the model's embedding, where config.json says
    has_template: bool  # whether it has a chat template


def read_token_files(folder: Path) -> TokenFiles:
    """What the folder says. Raises InputError for a file that is missing, no plain file, too large or not JSON."""
    tokenizer = _read(folder / TOKENIZER, LARGEST_TOKENIZER_BYTES)
    if tokenizer is None:
        raise InputError(
            f"{folder}: has no {TOKENIZER}; expected the folder of a Hugging Face checkpoint with a tokenizer of the "
            "`tokenizers` library. Save its tokenizer there with transformers."
        )
    settings = _settings(folder / SETTINGS)
    model = _settings(folder / "config.json")
    map_file = folder / "special_tokens_map.json"
    named, mapped = _named(folder / SETTINGS, settings), _named(map_file, _settings(map_file))
    return TokenFiles(
        folder=folder,
        tokenizer=tokenizer,
        settings=settings,
        named=mapped | named if "added_tokens_decoder" in settings else named | mapped,  # as transformers 5 has it
        ends=_ends(folder / "generation_config.json") or _ends(folder / "config.json"),
        embedded=_embedded(folder / "config.json", model),
        has_template=bool(settings.get("chat_template")) or any((folder / n).exists() for n in _OTHER_TEMPLATES),
    )


def _settings(path: Path) -> dict[str, Any]:
    return _read(path, LARGEST_SETTINGS_BYTES) or {}


def _read(path: Path, largest_bytes: int) -> dict[str, Any] | None:
    """The JSON object in a file, None if there is none. Links are followed: a download cache is made of them."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise InputError(f"{path}: is no plain file; expected one, or a link to one.")
        if facts.st_size > largest_bytes:
            raise InputError(f"{path}: has {facts.st_size:,} bytes; expected at most {largest_bytes:,}.")
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        if path.is_symlink():
            raise InputError(f"{path}: is a link to nothing; expected the file. Download the folder again.") from error
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read ({_first_line(error)}); expected a JSON file.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__}; expected a JSON object.")
    return content


def _named(path: Path, content: dict[str, Any]) -> dict[str, str]:
    """Written as text, as an object with `content`, or null for none."""
    found = {}
    for name in NAMED_TOKENS:
        value = content.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if text is not None and (not isinstance(text, str) or not text):
            raise InputError(f"{path}: {name} is {str(value)[:60]!r}; expected a token's text, or null.")
        if text is not None:
            found[name] = text
    return found


def _ends(path: Path) -> tuple[int, ...]:
    value = _settings(path).get("eos_token_id")
    ids = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item < MOST_TOKENS for item in ids):
        raise InputError(f"{path}: eos_token_id is {str(value)[:60]}; expected a token id, a list of them, or null.")
    return tuple(ids)


def _embedded(path: Path, config: dict[str, Any]) -> int | None:
    text = config.get("text_config")
    value = config.get("vocab_size", text.get("vocab_size") if isinstance(text, dict) else None)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise InputError(f"{path}: vocab_size is {str(value)[:60]}; expected how many tokens the model embeds.")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
