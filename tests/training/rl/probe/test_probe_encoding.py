"""Ids of prompts: those the chat template of the policy tokenizer gives, with one beginning of text or none."""

from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, TrainingError
from training.rl.probe.encoding import adds_bos, prompt_ids
from training.rl.probe.loading import load_policy_tokenizer

PASS_THROUGH = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
TEXTS = ["What is 1 + 1?", "User: x\nAssistant:", " leading and trailing \n", "<eos> and <bos> in a page", "数学 é"]


@pytest.mark.parametrize("with_bos", [True, False])
def test_prompts_are_what_the_policy_tokenizer_gives(new_tokenizer: Any, with_bos: bool) -> None:
    policy = new_tokenizer(with_bos, chat_template=("{{ bos_token }}" if with_bos else "") + PASS_THROUGH)
    expected = [
        policy.apply_chat_template([{"role": "user", "content": text}], tokenize=True, return_dict=True)["input_ids"]
        for text in TEXTS
    ]
    assert prompt_ids(policy, TEXTS) == expected
    assert adds_bos(policy) == with_bos


def test_one_beginning_of_text_where_the_tokenizer_adds_it(new_tokenizer: Any) -> None:
    plain, with_bos = new_tokenizer(), new_tokenizer(adds_bos=True)
    assert prompt_ids(plain, TEXTS[:3]) == plain(TEXTS[:3])["input_ids"]
    assert prompt_ids(with_bos, TEXTS[:3]) == [[1, *ids] for ids in plain(TEXTS[:3])["input_ids"]]


def test_no_end_of_text_where_the_tokenizer_adds_one(new_tokenizer: Any) -> None:
    assert prompt_ids(new_tokenizer(adds_bos=True, adds_eos=True), ["12"])[0][-1] != 2
    assert prompt_ids(new_tokenizer(adds_eos=True), ["12"]) == prompt_ids(new_tokenizer(), ["12"])


def test_a_chat_template_of_the_checkpoint_is_not_used(new_tokenizer: Any) -> None:
    chatty = new_tokenizer(chat_template="{% for m in messages %}[INST]{{ m['content'] }}[/INST]{% endfor %}")
    assert prompt_ids(chatty, TEXTS) == prompt_ids(new_tokenizer(), TEXTS)


def test_long_prompts_are_not_cut(new_tokenizer: Any) -> None:
    tokenizer = new_tokenizer()
    tokenizer.model_max_length = 4
    assert len(prompt_ids(tokenizer, ["one two three four five six"])[0]) > 4


def test_an_empty_prompt_needs_a_beginning_of_text(new_tokenizer: Any) -> None:
    assert prompt_ids(new_tokenizer(adds_bos=True), [""]) == [[1]]
    with pytest.raises(TrainingError) as told:
        prompt_ids(new_tokenizer(), ["1", ""])
    assert str(told.value) == (
        "prompt 2 of 2: is empty and its tokenizer puts no beginning of text before it; expected at least one token. "
        "Remove it or use a template with words."
    )


def save_sentencepiece_like(folder: Path) -> None:
    """A tokenizer that puts a space before the first word of a text, but not behind a token that stands in it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    inner.decoder = decoders.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<s>", "</s>", *[f"<0x{byte:02X}>" for byte in range(256)]]
    inner.train_from_iterator(TEXTS, trainers.BpeTrainer(special_tokens=special, show_progress=False))
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=inner, **named).save_pretrained(folder)


@pytest.mark.parametrize("kind", ["plain", "with_bos", "with_eos", "sentencepiece"])
def test_the_policy_tokenizer_that_is_probed_gives_the_ids_of_training(
    tmp_path: Path, new_tokenizer: Any, kind: str
) -> None:
    if kind == "sentencepiece":
        save_sentencepiece_like(tmp_path / "own")
    else:
        new_tokenizer(kind == "with_bos", kind == "with_eos").save_pretrained(tmp_path / "own")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    policy = load_policy_tokenizer(tmp_path / "own")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    messages = [[{"role": "user", "content": text}] for text in TEXTS]
    expected = [policy.apply_chat_template(each, tokenize=True, return_dict=True)["input_ids"] for each in messages]
    assert prompt_ids(policy, TEXTS) == expected
    assert adds_bos(policy) == (kind in ("with_bos", "sentencepiece"))


def test_a_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tokenizer.json"):
        load_policy_tokenizer(tmp_path)
