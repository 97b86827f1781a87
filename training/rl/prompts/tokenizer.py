"""The tokenizer of a checkpoint as prompts see it, and as a folder that verl and TRL read without surprises.

Only `tokenizers` is needed. Whether plain text gets a beginning of text is what the post-processor of tokenizer.json
does, as in transformers 5.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import InputError, TrainingError
from manifests.fingerprint import fingerprint
from manifests.folders import atomic_folder
from training.rl.prompts.encoding import build_tokenizer, count_tokens
from training.rl.prompts.named_tokens import NamedTokens, name_tokens
from training.rl.prompts.pass_through import PassThrough, find_pass_through
from training.rl.prompts.token_files import SETTINGS, TOKENIZER, TokenFiles, read_token_files

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LONGEST_KNOWN = 10**9  # transformers writes 10^30 for a length that is not known
_SPECIAL = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


@dataclass(frozen=True)
class PromptTokenizer:
    """What prompts need to know of a tokenizer; see `NamedTokens` for `notes`."""

    folder: Path
    tokenizer: "Tokenizer"
    content: dict[str, Any]  # tokenizer.json of the policy
    settings: dict[str, Any]  # tokenizer_config.json of the policy
    named: NamedTokens

    @property
    def bos(self) -> str | None:
        """The beginning of text, whether or not plain text gets one."""
        return self.named.bos

    @property
    def adds_bos(self) -> bool:
        """Whether plain text gets a beginning of text, and so every prompt."""
        return self.named.adds_bos

    @property
    def eos(self) -> str:
        """The end of text: what ends a response."""
        return self.named.eos

    @property
    def eos_id(self) -> int:
        """The id of the end of text."""
        return self.named.eos_id

    @property
    def pad(self) -> str:
        """The padding token; the end of text where the checkpoint has none."""
        return self.named.pad

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the choices made."""
        return self.named.notes

    @functools.cached_property
    def special(self) -> tuple[str, ...]:
        """Texts that are read as special tokens wherever they stand, sorted."""
        added = self.content["added_tokens"]
        return tuple(sorted(token["content"] for token in added if token.get("special") and token["content"]))

    @property
    def digest(self) -> str:
        """What the ids of prompts rest on: the tokenizer with its choices, the chat template among them."""
        return fingerprint({"tokenizer": self.content, "settings": self.settings})

    def count(self, text: str) -> int:
        """Tokens of a prompt, the beginning of text included where there is one."""
        return self.counts([text])[0]

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The same of many texts."""
        return [length + self.adds_bos for length in count_tokens(self.folder / TOKENIZER, self.tokenizer, texts)]


def read_tokenizer(folder: Path) -> PromptTokenizer:
    """The tokenizer of the Hugging Face folder `folder`. No code in it is run.

    Raises InputError for a folder without tokenizer.json or end of text, and for whatever cannot be a tokenizer.
    """
    files = read_token_files(folder)
    path = folder / TOKENIZER
    original = build_tokenizer(path, _unvaried(path, files.tokenizer))
    named = name_tokens(files, original)
    _refuse_too_many(files, original)
    content = _policy_content(_unvaried(path, files.tokenizer), named, original)
    tokenizer = build_tokenizer(path, content)
    added = [token["content"] for token in content["added_tokens"]]
    way = find_pass_through(tokenizer, named.bos if named.adds_bos else None, added, path)
    return PromptTokenizer(folder, tokenizer, content, _policy_settings(files, named, way), named)


def write_policy_tokenizer(folder: Path, target: Path) -> None:
    """Writes the folder `target`: tokenizer.json and a tokenizer_config.json with the pass-through chat template.

    Padding is to the left, and with the end of text where there is no token for it. What is in `target` is replaced.
    Raises TrainingError if that is anything but such a folder.
    """
    policy = read_tokenizer(folder)
    other = sorted({path.name for path in target.iterdir()} - {TOKENIZER, SETTINGS}) if target.is_dir() else []
    if other or target.is_symlink() or (target.exists() and not target.is_dir()):
        held = f"holds {other[0]}" if other else "is no folder"
        raise TrainingError(f"{target}: {held}; expected a new place for the policy's tokenizer, or an earlier one.")
    with atomic_folder(target) as temporary:
        for name, content in ((TOKENIZER, policy.content), (SETTINGS, policy.settings)):
            (temporary / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _unvaried(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """The content without what would cut, fill or vary a text."""
    model = content.get("model")
    if not isinstance(model, dict):
        raise InputError(f"{path}: has no model; expected a tokenizer.json of the `tokenizers` library.")
    if "dropout" in model:
        model = model | {"dropout": None}
    return content | {"model": model, "truncation": None, "padding": None}


def _policy_content(content: dict[str, Any], named: NamedTokens, tokenizer: "Tokenizer") -> dict[str, Any]:
    """tokenizer.json in which the named tokens are special ones, as they are once transformers has read their names.

    They take no spaces beside them, and are looked for before the text is normalised. No text gets an end of text.
    """
    special, added = set(named.by_name.values()), content.get("added_tokens") or []
    added = [token | _SPECIAL if token["content"] in special else token for token in added]
    known = {token["content"] for token in added}
    new = [{"id": tokenizer.token_to_id(text), "content": text} | _SPECIAL for text in sorted(special - known)]
    ends = {"post_processor": _post_processor(named, tokenizer)} if named.adds_eos else {}
    return content | {"added_tokens": added + new} | ends


def _post_processor(named: NamedTokens, tokenizer: "Tokenizer") -> dict[str, Any] | None:
    """What puts the beginning of text before a text and nothing behind it; None where there is no beginning either."""
    bos = named.bos
    if not named.adds_bos or bos is None:
        return None
    first = [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    second = [{"SpecialToken": {"id": bos, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]
    tokens = {bos: {"id": bos, "ids": [tokenizer.token_to_id(bos)], "tokens": [bos]}}
    return {"type": "TemplateProcessing", "single": first, "pair": first + second, "special_tokens": tokens}


def _policy_settings(files: TokenFiles, named: NamedTokens, way: PassThrough) -> dict[str, Any]:
    length = files.settings.get("model_max_length")
    known = isinstance(length, int) and not isinstance(length, bool) and 0 < length < _LONGEST_KNOWN
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",  # tokenizer.json as it is, in every release of transformers
        **named.by_name,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        **({"model_max_length": length} if known else {}),
        "chat_template": way.chat_template,
    }


def _refuse_too_many(files: TokenFiles, tokenizer: "Tokenizer") -> None:
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values())
    if files.embedded is not None and largest >= files.embedded:
        raise InputError(
            f"{files.folder}: its tokenizer has ids up to {largest:,}, its model embeds {files.embedded:,} tokens; "
            "expected ids below that. The tokenizer belongs to another model."
        )
