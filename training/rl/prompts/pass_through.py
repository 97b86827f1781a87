"""The chat template of the policy's tokenizer: it gives a prompt exactly the ids that plain text gets.

verl and TRL send every prompt through a chat template, which base checkpoints lack. What a template renders is read
without special tokens being added, so it has to write the beginning of text itself wherever plain text gets one. That
changes more than it seems: a tokenizer that puts a space before the first word (Mistral's and Llama 2's in their newer
form, Metaspace with `prepend_scheme: first`) puts none behind a `<s>` that stands in the text, so the template adds it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.awkward import AWKWARD_TEXTS
from manifests.errors import InputError
from training.rl.prompts.encoding import encode

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPACES = (" ", "▁")
MOST_PROBED_TOKENS = 64  # chosen here: some tokenizers have thousands of added tokens, all alike
_PROBES = (
    *AWKWARD_TEXTS,
    *("Hello", " Hello", "\n Hello", "▁Hello", "{{ bos_token }}{% if x %}", "What is 3 + 4?\nAssistant:", "12", "-1"),
)


@dataclass(frozen=True)
class PassThrough:
    """How a prompt is rendered: as it is, behind `bos` if there is one, and a space if `unspaced` says none is there.

    `unspaced` is None where no space is ever put in; else the beginnings of text that get none.
    """

    bos: str | None
    unspaced: tuple[str, ...] | None = None

    def render(self, content: str) -> str:
        """What `chat_template` makes of one message."""
        wants_space = self.unspaced is not None and content and not content.startswith(self.unspaced)
        return (self.bos or "") + (" " if wants_space else "") + content

    @property
    def chat_template(self) -> str:
        """The same in Jinja. The content of a message is a value there: nothing in it is interpreted."""
        bos = "{{ bos_token }}" if self.bos else ""
        space = ""
        if self.unspaced is not None:
            starts = ", ".join(json.dumps(text, ensure_ascii=False) for text in self.unspaced)
            space = (
                "{% if loop.first and message['content'] and not message['content'].startswith((" + starts + ",)) %}"
                "{{ ' ' }}{% endif %}"
            )
        return bos + "{% for message in messages %}" + space + "{{ message['content'] }}{% endfor %}"


def find_pass_through(tokenizer: "Tokenizer", bos: str | None, added: Sequence[str], path: Path) -> PassThrough:
    """The rendering whose ids are those of plain text behind `bos`, shown on awkward texts and every added token.

    `added` are the texts that the tokenizer takes out before it looks at the rest. Raises InputError if none does.
    """
    probes = [*_PROBES, *(f"{token}a {token}" for token in added[:MOST_PROBED_TOKENS])]
    problem = ""
    for found in (PassThrough(bos), PassThrough(bos, (*SPACES, *added))):
        wrong = [text for text in probes if not _is_exact(path, tokenizer, found, text)]
        if not wrong:
            return found
        problem = wrong[0][:40]
    raise InputError(
        f"{path}: reads {problem!r} differently behind its beginning of text {bos!r}; expected a tokenizer for "
        "which a chat template can give the ids of plain text. Take the beginning of text out of its post-processor if "
        "the model was trained without one."
    )


def _is_exact(path: Path, tokenizer: "Tokenizer", way: PassThrough, text: str) -> bool:
    first = [] if way.bos is None else [tokenizer.token_to_id(way.bos)]
    return encode(path, tokenizer, way.render(text)) == first + encode(path, tokenizer, text)
