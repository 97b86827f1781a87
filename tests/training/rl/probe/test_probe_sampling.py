"""Sampling: equal to plain loops, the same in every batch, ended where it should, and nothing left behind."""

import collections
import itertools
import math
import subprocess
import sys
from typing import Any

import pytest
import torch

from manifests.errors import InputError, TrainingError
from training.rl.probe.encoding import end_ids, prompt_ids
from training.rl.probe.sampling import sample
from training.rl.probe.settings import Sampling

EOS, OTHER_END = 2, 3


def settings(**changes: Any) -> Sampling:
    """Greedy, one response of at most 30 tokens."""
    usual: dict[str, Any] = {
        "max_response_tokens": 30,
        "temperature": 0.0,
        "top_p": 1.0,
        "responses": 1,
        "sequences_at_once": 5,
        "seed": 7,
    }
    return Sampling(**(usual | changes))


def most_likely(model: Any, ids: list[int], cap: int, ends: tuple[int, ...]) -> list[int]:
    """The ids that a loop without batch, padding and cache finds."""
    new: list[int] = []
    with torch.no_grad():
        while len(new) < cap and not (new and new[-1] in ends):
            new.append(int(model(torch.tensor([ids + new]), use_cache=False).logits[0, -1].argmax()))
    return new


def test_greedy_is_a_plain_loop_of_the_most_likely_token(model: Any, tokenizer: Any, sums: list[str]) -> None:
    prompts = sums[:12]
    expected = [most_likely(model, ids, 30, (EOS,)) for ids in prompt_ids(tokenizer, prompts)]
    found = [group[0] for group in sample(model, tokenizer, prompts, settings())]
    assert [one.text for one in found] == [tokenizer.decode(ids, skip_special_tokens=True) for ids in expected]
    assert [one.tokens for one in found] == [len(ids) for ids in expected]
    assert [one.truncated for one in found] == [ids[-1] != EOS for ids in expected]
    assert len({one.tokens for one in found}) > 3  # they end at different places, some not at all
    assert {one.truncated for one in found} == {True, False}


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_padding_and_company_do_not_change_responses(
    model: Any, tokenizer: Any, sums: list[str], temperature: float
) -> None:
    prompts = [sums[0], sums[20], sums[4] * 3, "1"]
    by_size = [
        list(sample(model, tokenizer, prompts, settings(temperature=temperature, responses=3, sequences_at_once=size)))
        for size in (1, 4, 64)
    ]
    assert by_size[1:] == by_size[:1] * 2


def test_sliding_windows_too(tokenizer: Any, sums: list[str]) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(1)
    shape = {"vocab_size": 270, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "sliding_window": 12, "initializer_range": 0.3}
    model = MistralForCausalLM(MistralConfig(**shape, **heads, eos_token_id=EOS)).eval()
    expected = [most_likely(model, ids, 30, (EOS,)) for ids in prompt_ids(tokenizer, sums[:8])]
    found = [group[0] for group in sample(model, tokenizer, sums[:8], settings(sequences_at_once=8))]
    assert [one.tokens for one in found] == [len(ids) for ids in expected]
    assert [one.text for one in found] == [tokenizer.decode(ids, skip_special_tokens=True) for ids in expected]


def test_responses_come_in_the_order_of_prompts_and_soon(model: Any, tokenizer: Any, sums: list[str]) -> None:
    prompts = sums * 3
    one_by_one = [group[0] for group in sample(model, tokenizer, prompts[:4], settings(max_response_tokens=4))]
    calls: list[int] = []
    handle = model.register_forward_hook(lambda *_: calls.append(1))
    try:
        stream = sample(model, tokenizer, prompts, settings(max_response_tokens=4, sequences_at_once=2))
        first = next(stream)[0]
        calls_until_first = len(calls)
        rest = [group[0] for group in stream]
    finally:
        handle.remove()
    assert [first, *rest][:4] == one_by_one
    assert len([first, *rest]) == len(prompts)
    assert calls_until_first < len(calls) / 2


def test_the_seed_decides_and_responses_differ(model: Any, tokenizer: Any, sums: list[str]) -> None:
    draw = settings(temperature=1.0, responses=4)
    once, again = (list(sample(model, tokenizer, sums[:3], draw)) for _ in range(2))
    other = list(sample(model, tokenizer, sums[:3], settings(temperature=1.0, responses=4, seed=8)))
    assert once == again != other
    assert all(len({one.text for one in group}) == 4 for group in once)
    same_prompt = list(sample(model, tokenizer, [sums[0]] * 2, draw))
    assert same_prompt[0] == once[0] != same_prompt[1]


def test_more_responses_keep_the_first_ones(model: Any, tokenizer: Any, sums: list[str]) -> None:
    few = list(sample(model, tokenizer, sums[:3], settings(temperature=1.0, responses=2)))
    many = list(sample(model, tokenizer, sums[:5], settings(temperature=1.0, responses=4)))
    assert [group[:2] for group in many[:3]] == few


def test_global_random_state_is_neither_used_nor_changed(model: Any, tokenizer: Any, sums: list[str]) -> None:
    torch.manual_seed(1)
    once = list(sample(model, tokenizer, sums[:2], settings(temperature=1.0)))
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.rand(1) == after
    assert list(sample(model, tokenizer, sums[:2], settings(temperature=1.0))) == once


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.6)])
def test_first_tokens_are_drawn_as_often_as_likely(
    model: Any, tokenizer: Any, temperature: float, top_p: float
) -> None:
    draws = 3000
    (group,) = sample(
        model,
        tokenizer,
        ["2 + 2"],
        settings(max_response_tokens=1, temperature=temperature, top_p=top_p, responses=draws, sequences_at_once=500),
    )
    with torch.no_grad():
        logits = model(torch.tensor(prompt_ids(tokenizer, ["2 + 2"]))).logits[0, -1].double()
    likely = (logits / temperature).softmax(-1).sort(descending=True)
    kept = int((likely.values.cumsum(-1) < top_p).sum()) + 1 if top_p < 1 else len(logits)
    chances = likely.values[:kept] / likely.values[:kept].sum()
    expected: dict[str, float] = collections.defaultdict(float)  # several tokens may have one text
    for token, chance in zip(likely.indices[:kept].tolist(), chances.tolist(), strict=True):
        expected[tokenizer.decode([token], skip_special_tokens=True)] += chance
    counts = collections.Counter(one.text for one in group)
    assert set(counts) <= set(expected)
    for text, chance in expected.items():
        assert abs(counts[text] - draws * chance) < 5 * math.sqrt(draws * chance) + 1


def test_any_end_of_text_ends_and_counts_as_one_token(new_model: Any, tokenizer: Any, sums: list[str]) -> None:
    model, ids = new_model(eos_token_id=None), prompt_ids(tokenizer, sums[:9])
    longest = max((most_likely(model, each, 30, (EOS,)) for each in ids), key=len)
    model.generation_config.eos_token_id = [OTHER_END, longest[4]]
    ends = (EOS, OTHER_END, longest[4])
    assert end_ids(model, tokenizer) == sorted(ends)
    expected = [most_likely(model, each, 30, ends) for each in ids]
    found = [group[0] for group in sample(model, tokenizer, sums[:9], settings(sequences_at_once=9))]
    assert [one.tokens for one in found] == [len(each) for each in expected]
    assert {EOS, longest[4]} <= {each[-1] for each in expected}


def test_truncated_means_no_end_within_the_cap(model: Any, tokenizer: Any, sums: list[str]) -> None:
    ids = prompt_ids(tokenizer, sums)
    ended = next((at, new) for at in range(len(sums)) if (new := most_likely(model, ids[at], 30, (EOS,)))[-1] == EOS)
    prompt, length = sums[ended[0]], len(ended[1])
    ((exact,),) = sample(model, tokenizer, [prompt], settings(max_response_tokens=length))
    ((short,),) = sample(model, tokenizer, [prompt], settings(max_response_tokens=length - 1))
    assert (exact.tokens, exact.truncated) == (length, False)
    assert (short.tokens, short.truncated) == (length - 1, True)
    assert "<eos>" not in exact.text


def test_the_checkpoints_generation_settings_do_not_count_and_stay(
    new_model: Any, tokenizer: Any, sums: list[str]
) -> None:
    model = new_model()
    plain = list(sample(model, tokenizer, sums[:4], settings()))
    model.generation_config.update(repetition_penalty=9.0, suppress_tokens=list(range(4, 200)), max_length=3)
    assert list(sample(model, tokenizer, sums[:4], settings())) == plain
    assert model.generation_config.repetition_penalty == 9.0


def test_the_model_is_in_evaluation_mode_while_sampling_and_left_as_it_was(
    new_model: Any, tokenizer: Any, sums: list[str]
) -> None:
    model = new_model(attention_dropout=0.5)
    calm = list(sample(model, tokenizer, sums[:4], settings()))
    model.train()
    model.gradient_checkpointing_enable()
    model.config.use_cache = False
    stream = sample(model, tokenizer, sums[:4], settings(sequences_at_once=1))
    found = [next(stream)]
    assert model.training and torch.is_grad_enabled()
    assert found + list(stream) == calm
    with pytest.raises(TrainingError):
        list(sample(broken(model), tokenizer, sums[:4], settings()))
    assert model.training


def broken(model: Any) -> Any:
    """The model with a weight that is no number."""
    with torch.no_grad():
        model.lm_head.weight[5, 5] = float("nan")
    return model


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_no_numbers_are_told(
    new_model: Any, tokenizer: Any, sums: list[str], temperature: float
) -> None:
    with pytest.raises(TrainingError) as told:
        list(sample(broken(new_model()), tokenizer, sums[:2], settings(temperature=temperature)))
    assert str(told.value) == (
        "sampling: the model's logits are no numbers in float32; expected finite ones. The weights are broken, or too "
        "large for this precision: try float32."
    )


def test_bfloat16_is_computed_where_asked(new_model: Any, tokenizer: Any, sums: list[str]) -> None:
    model, seen = new_model(), []
    model.lm_head.register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))
    list(sample(model, tokenizer, sums[:2], settings(precision="bfloat16")))
    list(sample(model, tokenizer, sums[:2], settings()))
    assert [dtype for dtype, _ in itertools.groupby(seen)] == [torch.bfloat16, torch.float32]
    assert model.dtype == torch.float32


def test_prompts_that_do_not_fit_are_refused_at_once(model: Any, tokenizer: Any, sums: list[str]) -> None:
    tokens = len(prompt_ids(tokenizer, ["one two " * 20])[0])
    with pytest.raises(TrainingError) as told:
        sample(model, tokenizer, [sums[0], "one two " * 20], settings(max_response_tokens=256 - tokens + 1))
    assert str(told.value) == (
        f"prompt 2 of 2: its {tokens} tokens and a response of {257 - tokens} need 257 positions, the model has 256; "
        "expected at most as many. Lower the length of responses, or max_prompt_tokens in the manifest."
    )
    assert list(sample(model, tokenizer, ["one two " * 20], settings(max_response_tokens=256 - tokens)))


def test_ids_that_pad_a_models_vocabulary_have_no_text(new_model: Any, tokenizer: Any, sums: list[str]) -> None:
    model = new_model(vocab_size=2000)  # as many models have more rows than their tokenizer has tokens
    groups = list(sample(model, tokenizer, sums[:2], settings(temperature=1.0, responses=4)))
    assert any(len(one.text) < one.tokens - 10 for group in groups for one in group)


def test_no_prompts_give_no_responses(model: Any, tokenizer: Any) -> None:
    assert list(sample(model, tokenizer, [], settings())) == []


def test_a_tokenizer_of_another_model_is_refused(new_model: Any, tokenizer: Any, sums: list[str]) -> None:
    with pytest.raises(InputError, match="gives a prompt the id .*, the model knows 60 tokens; expected the tokenizer"):
        sample(new_model(vocab_size=60), tokenizer, sums, settings())


def test_a_checkpoint_without_end_of_text_is_refused(new_model: Any, new_tokenizer: Any, sums: list[str]) -> None:
    tokenizer = new_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(InputError, match="names no end of text in its tokenizer, generation_config.json or config.j"):
        sample(new_model(eos_token_id=None), tokenizer, sums, settings())


def test_an_end_of_text_that_the_model_cannot_give_is_refused(model: Any, tokenizer: Any, new_model: Any) -> None:
    model = new_model()
    model.generation_config.eos_token_id = 999
    with pytest.raises(InputError, match="gives the end of text the id 999, the model knows 270 tokens"):
        sample(model, tokenizer, ["1"], settings())


def test_settings_nothing_can_be_sampled_with_are_refused() -> None:
    with pytest.raises(TrainingError) as told:
        settings(max_response_tokens=0, responses=-1, sequences_at_once=0, temperature=-0.5, top_p=1.5)
    assert str(told.value) == (
        "sampling: max_response_tokens is 0, responses is -1, sequences_at_once is 0, temperature is -0.5, top_p is "
        "1.5; expected whole numbers from 1 on, a temperature from 0 on and a top_p above 0 and at most 1."
    )
    with pytest.raises(TrainingError, match="temperature is nan, top_p is nan"):
        settings(temperature=math.nan, top_p=math.nan)


SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM
from training.rl.probe.generating import Wanted, generate_batch
from training.rl.probe.settings import Sampling
shape = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
model = LlamaForCausalLM(LlamaConfig(vocab_size=50_000, **shape, bos_token_id=None, eos_token_id=2))
settings = Sampling(4, 1.0, 1.0, 1, 1000, 0)
generate_batch(model, [Wanted(0, 0, [5, 6])], settings, [2])
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 150_000_000,) * 2)
try:
    generate_batch(model, [Wanted(number, 0, [5, 6]) for number in range(1000)], settings, [2])
except Exception as error:
    print(type(error).__name__, error)
"""


def test_too_little_memory_is_explained() -> None:
    told = subprocess.run([sys.executable, "-c", SHORT_OF_MEMORY], capture_output=True, text=True, check=True).stdout
    assert told.strip() == (
        "TrainingError sampling: 1000 sequences at once, of up to 4 tokens after prompts of 2, do not fit into the "
        "memory of cpu; expected fewer or shorter ones. Sample 500 at once (--sample-at-once, --probe-at-once) or "
        "lower the longest response."
    )


@pytest.mark.gpu
def test_the_same_draws_on_cuda(new_model: Any, tokenizer: Any, sums: list[str]) -> None:
    draw = settings(temperature=1.0, responses=2, max_response_tokens=8)
    here = list(sample(new_model(), tokenizer, sums[:4], draw))
    there = list(sample(new_model().cuda(), tokenizer, sums[:4], draw))
    assert sum(one == other for one, other in zip(here, there, strict=True)) >= 3  # rounding may change one
