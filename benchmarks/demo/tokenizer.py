"""The demo's tokenizer: a byte-level BPE of 2,048 entries, trained on the demo's own training text."""

from collections.abc import Sequence
from pathlib import Path

VOCABULARY = 2048
END = "<|endoftext|>"


def train_tokenizer(texts: Sequence[str], path: Path) -> None:
    """Writes `tokenizer.json`: digits one by one, `<|endoftext|>` with id 0, nothing added before or after a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path), pretty=False)
