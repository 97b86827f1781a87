"""Which tokens begin, end and fill a text, found among what the files of a checkpoint say, with what to know of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manifests.errors import InputError
from training.rl.prompts.encoding import encode
from training.rl.prompts.token_files import SETTINGS, TOKENIZER, TokenFiles

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PROBE = "a"


@dataclass(frozen=True)
class NamedTokens:
    """Texts of tokens, each in the vocabulary. `notes` say what a person should know of the choices made."""

    bos: str | None
    adds_bos: bool  # whether plain text gets a beginning of text
    adds_eos: bool  # whether plain text gets an end of text, which prompts never do
    eos: str
    eos_id: int
    pad: str  # the end of text where there is none
    unknown: str | None
    notes: tuple[str, ...]

    @property
    def by_name(self) -> dict[str, str]:
        """As tokenizer_config.json names them, without those that there are none of."""
        tokens = {"bos_token": self.bos, "eos_token": self.eos, "pad_token": self.pad, "unk_token": self.unknown}
        return {name: text for name, text in tokens.items() if text is not None}


def name_tokens(files: TokenFiles, tokenizer: "Tokenizer") -> NamedTokens:
    """The named tokens. Raises InputError without an end of text, and where more than one token begins a text."""
    vocabulary: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    known = {name: text for name, text in files.named.items() if text in vocabulary}
    eos = _end_of_text(files, tokenizer, vocabulary)
    first, last = _around(files, tokenizer)
    notes = (
        *_template_notes(files),
        *_padding_notes(files, known, eos),
        *_beginning_notes(files, bool(first)),
        *_end_notes(files, vocabulary[eos], eos, bool(last)),
    )
    return NamedTokens(
        bos=_only_one(files, tokenizer, first) if first else known.get("bos_token"),
        adds_bos=bool(first),
        adds_eos=bool(last),
        eos=eos,
        eos_id=vocabulary[eos],
        pad=known.get("pad_token", eos),
        unknown=known.get("unk_token"),
        notes=notes,
    )


def _end_of_text(files: TokenFiles, tokenizer: "Tokenizer", vocabulary: dict[str, int]) -> str:
    """The token that ends a response: by its name, else by the id at which generation ends."""
    eos = files.named.get("eos_token") or (tokenizer.id_to_token(files.ends[0]) if files.ends else None)
    if eos is None:
        said = f"eos_token_id {files.ends[0]}, which has no token" if files.ends else "no end of text"
        raise InputError(
            f"{files.folder}: names {said}; expected eos_token in {SETTINGS}: without it no response ever ends."
        )
    if eos not in vocabulary:
        raise InputError(
            f"{files.folder}: its end of text is {eos[:60]!r}, which is not in the vocabulary of {TOKENIZER}; expected "
            "one of its tokens. Correct eos_token."
        )
    return eos


def _around(files: TokenFiles, tokenizer: "Tokenizer") -> tuple[list[int], list[int]]:
    """The ids that the post-processor puts before and behind a text."""
    path = files.folder / TOKENIZER
    bare, whole = encode(path, tokenizer, _PROBE), encode(path, tokenizer, _PROBE, whole=True)
    if not bare:
        raise InputError(f"{path}: gives the text {_PROBE!r} no token; expected the tokenizer of a language model.")
    for start in range(len(whole) - len(bare) + 1):
        if whole[start : start + len(bare)] == bare:
            return whole[:start], whole[start + len(bare) :]
    raise InputError(f"{path}: its post-processor changes the text itself; expected one that adds tokens alone.")


def _only_one(files: TokenFiles, tokenizer: "Tokenizer", first: list[int]) -> str:
    texts = [tokenizer.id_to_token(token) for token in first]
    if len(texts) > 1 or texts[0] is None:
        found = ", ".join(f"{text} ({token})" for text, token in zip(texts, first, strict=True))
        raise InputError(f"{files.folder}: puts {found} before every text; expected one token, or none.")
    return texts[0]


def _template_notes(files: TokenFiles) -> Iterator[str]:
    if files.has_template:
        yield "the checkpoint's chat template is replaced by one that passes prompts through unchanged"
    if "auto_map" in files.settings:
        yield f"{SETTINGS} names code of its own (auto_map), which is not run: {TOKENIZER} alone is used"


def _padding_notes(files: TokenFiles, known: dict[str, str], eos: str) -> Iterator[str]:
    if "pad_token" not in known:
        named = files.named.get("pad_token")
        lack = f"its padding token {named!r} is not in the vocabulary" if named else "it has no padding token"
        yield f"{lack}; padding is with the end of text {eos!r}"


def _beginning_notes(files: TokenFiles, adds_bos: bool) -> Iterator[str]:
    """transformers 5 does not look at `add_bos_token` where there is a tokenizer.json; older releases did."""
    stated = files.settings.get("add_bos_token")
    if isinstance(stated, bool) and stated != adds_bos:
        done = "puts one before every text" if adds_bos else "puts none before a text"
        yield f"{SETTINGS} says add_bos_token: {str(stated).lower()}, {TOKENIZER} {done}, which is what counts"


def _end_notes(files: TokenFiles, eos_id: int, eos: str, adds_eos: bool) -> Iterator[str]:
    if files.ends and eos_id not in files.ends:
        ends = ", ".join(map(str, files.ends))
        yield f"responses end at {eos!r} (id {eos_id}), not at the eos_token_id {ends} of its configuration"
    if adds_eos:
        yield "plain text gets an end of text behind it; prompts do not, since a response follows"
