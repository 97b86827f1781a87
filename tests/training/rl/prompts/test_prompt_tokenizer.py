"""The policy's tokenizer gives a prompt, through its chat template, the ids that plain text had before."""

import inspect
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from manifests.awkward import AWKWARD_TEXTS
from manifests.errors import InputError, TrainingError
from training.export import tokenizer_settings
from training.rl.prompts.tokenizer import read_tokenizer, write_policy_tokenizer

SPECIAL = (
    "<s>",
    "</s>",
    "<unk>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|padding|>",
)
TEXTS = [
    *AWKWARD_TEXTS,
    *("Hello", " Hello", "  Hello", "\nHello", "\n\n x", "▁Hello", "▁", "1 + 1", "-1", "?"),
    *("{{ bos_token }}", "{% for x in y %}", "{# x #}", "{{ 7 * 7 }}{% raw %}", "\\boxed{}", "{", "%}"),
    *(f"{token}a" for token in SPECIAL),
    *(f"a{token}b {token}\n" for token in SPECIAL),
    *(f" {token}" for token in SPECIAL),
]


def differences(original: str, policy: str, texts: list[str]) -> list[str]:
    """What transformers says of the texts whose ids differ, and last of the tokenizer's tokens."""
    from transformers import AutoTokenizer

    before, after = AutoTokenizer.from_pretrained(original), AutoTokenizer.from_pretrained(policy)
    wrong = []
    for text in texts:
        chat = [{"role": "user", "content": text}]
        asked = after.apply_chat_template(chat, tokenize=True, add_generation_prompt=True, return_dict=False)
        verbatim = after.apply_chat_template(chat, tokenize=False, add_generation_prompt=True).endswith(text)
        if not (asked == before(text)["input_ids"] == after(text)["input_ids"] and verbatim):
            wrong.append(f"{text[:40]!r} {asked[:9]} {before(text)['input_ids'][:9]} {after(text)['input_ids'][:9]}")
    same = len(after) == len(before)
    return [*wrong, f"{after.padding_side} {after.pad_token} {after.eos_token} {after.bos_token} {same}"]


def differences_in(python: str, original: Path, policy: Path) -> list[str]:
    """The same by the transformers of another interpreter."""
    run = "print(json.dumps(differences(*json.load(sys.stdin))))"
    script = f"import json, sys\n{inspect.getsource(differences)}\n{run}"
    done = subprocess.run(
        [python, "-c", script],
        input=json.dumps([str(original), str(policy), TEXTS]),
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return list(json.loads(done.stdout.splitlines()[-1]))


FOUND = {
    "llama_3": ("<|begin_of_text|>", True, "<|end_of_text|>", "<|end_of_text|>"),
    "qwen_2": (None, False, "<|endoftext|>", "<|endoftext|>"),
    "mistral": ("<s>", True, "</s>", "</s>"),
    "llama_2": ("<s>", True, "</s>", "</s>"),
}


@pytest.mark.parametrize("family", FOUND)
def test_a_prompt_has_the_ids_of_plain_text(families: dict[str, Path], tmp_path: Path, family: str) -> None:
    write_policy_tokenizer(families[family], tmp_path / "policy")
    found = read_tokenizer(families[family])
    bos, adds_bos, eos, pad = FOUND[family]
    assert (found.bos, found.adds_bos, found.eos, found.pad) == FOUND[family]
    assert found.eos_id == Tokenizer.from_file(str(families[family] / "tokenizer.json")).token_to_id(eos)
    assert differences(str(families[family]), str(tmp_path / "policy"), TEXTS) == [f"left {pad} {eos} {bos} True"]
    template = json.loads((tmp_path / "policy" / "tokenizer_config.json").read_text())["chat_template"]
    assert template.startswith("{{ bos_token }}") == adds_bos


@pytest.mark.engine
@pytest.mark.parametrize("family", FOUND)
def test_the_interpreter_of_verl_reads_the_same(families: dict[str, Path], tmp_path: Path, family: str) -> None:
    python = os.environ.get("OCTO_VERL_PYTHON")
    if not python:
        pytest.skip("OCTO_VERL_PYTHON is not set")
    write_policy_tokenizer(families[family], tmp_path / "policy")
    bos, _, eos, pad = FOUND[family]
    assert differences_in(python, families[family], tmp_path / "policy") == [f"left {pad} {eos} {bos} True"]


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("mistral-7b", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}),
        ("gpt-neox-20b", {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|padding|>"}),
        ("dolma2", {"eos_token": "<|endoftext|>", "pad_token": "<|pad|>"}),
    ],
)
def test_published_tokenizers_keep_their_ids(
    shared_data: Path, tmp_path: Path, name: str, tokens: dict[str, str]
) -> None:
    folder = tmp_path / "original"
    folder.mkdir()
    shutil.copyfile(shared_data / "tokenizers" / f"{name}.tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | tokens))
    write_policy_tokenizer(folder, tmp_path / "policy")
    *wrong, last = differences(str(folder), str(tmp_path / "policy"), TEXTS)
    assert not wrong
    assert last.startswith(f"left {tokens.get('pad_token', tokens['eos_token'])} {tokens['eos_token']}")


def test_a_checkpoint_that_was_exported_here_works(recipes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    shutil.copyfile(recipes / "demo" / "data" / "tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_settings("<|endoftext|>", 256)))
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "vocab_size": 2048, "eos_token_id": 0}))
    write_policy_tokenizer(folder, tmp_path / "policy")
    assert differences(str(folder), str(tmp_path / "policy"), TEXTS) == ["left <|endoftext|> <|endoftext|> None True"]
    found = read_tokenizer(folder)
    assert (found.eos_id, found.bos, found.count("1234"), found.count("")) == (0, None, 4, 0)
    assert found.notes == ("it has no padding token; padding is with the end of text '<|endoftext|>'",)
    assert json.loads((tmp_path / "policy" / "tokenizer_config.json").read_text())["model_max_length"] == 256


def test_what_is_written_is_read_as_the_same_again(families: dict[str, Path], tmp_path: Path) -> None:
    for family, folder in families.items():
        first, again = tmp_path / f"{family}-1", tmp_path / f"{family}-2"
        write_policy_tokenizer(folder, first)
        write_policy_tokenizer(first, again)
        write_policy_tokenizer(first, first)
        assert sorted(path.name for path in first.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
        for name in ("tokenizer.json", "tokenizer_config.json"):
            assert (first / name).read_bytes() == (again / name).read_bytes()
        assert read_tokenizer(first).digest == read_tokenizer(folder).digest


def test_lengths_count_the_beginning_of_text(families: dict[str, Path]) -> None:
    from transformers import AutoTokenizer

    for folder in families.values():
        found, original = read_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
        lengths = [len(original(text)["input_ids"]) for text in TEXTS]
        assert found.counts(TEXTS) == lengths == [found.count(text) for text in TEXTS]


def edited(families: dict[str, Path], tmp_path: Path, family: str, **files: Any) -> Path:
    """A copy of a family's folder with JSON files changed or added; None removes one."""
    folder = tmp_path / "edited"
    shutil.copytree(families[family], folder)
    for name, content in files.items():
        path = folder / f"{name}.json"
        if content is None:
            path.unlink()
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def settings_of(families: dict[str, Path], family: str, **changes: Any) -> dict[str, Any]:
    return json.loads((families[family] / "tokenizer_config.json").read_text()) | changes


def content_of(families: dict[str, Path], family: str, **changes: Any) -> dict[str, Any]:
    return json.loads((families[family] / "tokenizer.json").read_text()) | changes


@pytest.mark.parametrize("name", ["special_tokens_map", "config", "generation_config"])
def test_the_end_of_text_is_found_wherever_it_is_named(families: dict[str, Path], tmp_path: Path, name: str) -> None:
    eos_id = read_tokenizer(families["qwen_2"]).eos_id
    said = (
        {"eos_token": {"content": "<|endoftext|>"}} if name == "special_tokens_map" else {"eos_token_id": [eos_id, 3]}
    )
    settings = settings_of(families, "qwen_2", eos_token=None)
    folder = edited(families, tmp_path, "qwen_2", **{"tokenizer_config": settings, name: said})
    assert read_tokenizer(folder).eos == "<|endoftext|>"


def test_a_folder_without_settings_needs_an_end_of_text_from_the_model(
    families: dict[str, Path], tmp_path: Path
) -> None:
    folder = edited(families, tmp_path, "qwen_2", tokenizer_config=None)
    with pytest.raises(InputError, match=r"edited: names no end of text; expected eos_token in tokenizer_config\.json"):
        read_tokenizer(folder)
    (folder / "config.json").write_text('{"eos_token_id": 99999}')
    with pytest.raises(InputError, match="names eos_token_id 99999, which has no token"):
        read_tokenizer(folder)


def test_choices_are_told(families: dict[str, Path], tmp_path: Path) -> None:
    settings = settings_of(
        families, "qwen_2", pad_token="<nowhere>", add_bos_token=True, bos_token="<|im_start|>",
        auto_map={"AutoTokenizer": ["evil.Evil", None]},
    )  # fmt: skip
    folder = edited(families, tmp_path, "qwen_2", tokenizer_config=settings, generation_config={"eos_token_id": 5})
    (folder / "evil.py").write_text("raise SystemExit('run')")
    found = read_tokenizer(folder)
    assert found.notes == (
        "the checkpoint's chat template is replaced by one that passes prompts through unchanged",
        "tokenizer_config.json names code of its own (auto_map), which is not run: tokenizer.json alone is used",
        "its padding token '<nowhere>' is not in the vocabulary; padding is with the end of text '<|endoftext|>'",
        "tokenizer_config.json says add_bos_token: true, tokenizer.json puts none before a text, which is what counts",
        f"responses end at '<|endoftext|>' (id {found.eos_id}), not at the eos_token_id 5 of its configuration",
    )
    write_policy_tokenizer(folder, tmp_path / "policy")
    written = json.loads((tmp_path / "policy" / "tokenizer_config.json").read_text())
    assert (
        written["pad_token"] == "<|endoftext|>"
        and "auto_map" not in written
        and "im_start" not in written["chat_template"]
    )


def test_a_chat_template_in_a_file_of_its_own_is_replaced_too(families: dict[str, Path], tmp_path: Path) -> None:
    folder = edited(families, tmp_path, "llama_3")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert "chat template is replaced" in read_tokenizer(folder).notes[0]
    write_policy_tokenizer(folder, tmp_path / "policy")
    (folder / "chat_template.jinja").unlink()
    assert not differences(str(folder), str(tmp_path / "policy"), TEXTS)[:-1]


def test_no_prompt_gets_an_end_of_text(families: dict[str, Path], tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    for family, first in (("mistral", "<s>"), ("qwen_2", "")):
        tokenizer = Tokenizer.from_file(str(families[family] / "tokenizer.json"))
        eos = FOUND[family][2]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{first} $A {eos}".strip(),
            pair=f"{first} $A $B {eos}".strip(),
            special_tokens=[(token, tokenizer.token_to_id(token)) for token in {first, eos} - {""}],
        )
        folder, target = tmp_path / family, tmp_path / f"{family}-policy"
        shutil.copytree(families[family], folder)
        tokenizer.save(str(folder / "tokenizer.json"))
        assert "plain text gets an end of text behind it" in read_tokenizer(folder).notes[-1]
        write_policy_tokenizer(folder, target)
        policy = AutoTokenizer.from_pretrained(target)
        assert (
            policy("What is 1?")["input_ids"] == AutoTokenizer.from_pretrained(folder)("What is 1?")["input_ids"][:-1]
        )


def test_what_cuts_fills_or_varies_texts_is_taken_out(families: dict[str, Path], tmp_path: Path) -> None:
    content = content_of(
        families, "llama_3",
        truncation={"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        padding={
            "strategy": {"Fixed": 50}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
            "pad_token": "!",
        },
    )  # fmt: skip
    content["model"]["dropout"] = 0.9
    folder = edited(families, tmp_path, "llama_3", tokenizer=content)
    write_policy_tokenizer(folder, tmp_path / "policy")
    assert not differences(str(families["llama_3"]), str(tmp_path / "policy"), TEXTS)[:-1]


def test_a_tokenizer_that_no_template_can_follow_is_refused(tmp_path: Path) -> None:
    """It marks the first words of a text, also of one that begins with a space, and none behind a special token."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0, "<s>": 1, "</s>": 2, "a": 3, "▁": 4}, unk_token="?"))
    first = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "removed"), first])
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    with pytest.raises(
        InputError, match=r"differently behind its beginning of text '<s>'; expected a tokenizer for which"
    ):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tokenizer": None}, r"has no tokenizer\.json; expected the folder of a Hugging Face checkpoint"),
        ({"tokenizer": "[]"}, r"tokenizer\.json: holds list; expected a JSON object"),
        ({"tokenizer": "{" * 100_000}, r"tokenizer\.json: cannot be read"),
        ({"tokenizer": '{"model": [' + "[" * 100_000}, r"tokenizer\.json: cannot be read"),
        ({"tokenizer": '{"model": 7}'}, r"tokenizer\.json: has no model"),
        ({"tokenizer": '{"model": {"type": "BPE", "vocab": 1}}'}, r"tokenizer\.json: is not a tokenizer \("),
        ({"tokenizer_config": "nonsense"}, r"tokenizer_config\.json: cannot be read"),
        ({"tokenizer_config": {"eos_token": 5}}, r"eos_token is '5'; expected a token's text, or null"),
        ({"tokenizer_config": {"eos_token": "<gone>"}}, r"end of text is '<gone>', which is not in the vocabulary"),
        ({"tokenizer_config": '{"eos_token": "\\ud800"}'}, r"end of text is '\\ud800', which is not in the vocabulary"),
        (
            {"generation_config": {"eos_token_id": "x"}},
            r"eos_token_id is x; expected a token id, a list of them, or null",
        ),
        ({"config": {"eos_token_id": [2**40]}}, r"eos_token_id is \[1099511627776\]; expected a token id"),
        ({"config": {"vocab_size": -1}}, r"vocab_size is -1; expected how many tokens the model embeds"),
        ({"config": {"vocab_size": 40}}, r"ids up to \d+, its model embeds 40 tokens; .* belongs to another model"),
    ],
)
def test_what_is_no_tokenizer_is_explained(
    families: dict[str, Path], tmp_path: Path, files: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_tokenizer(edited(families, tmp_path, "qwen_2", **files))


def test_a_tokenizer_that_fails_on_texts_is_explained(families: dict[str, Path], tmp_path: Path) -> None:
    """The library panics here, which is no Exception."""
    pieces = [{"SpecialToken": {"id": "zz", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    template = {"type": "TemplateProcessing", "single": pieces, "pair": pieces, "special_tokens": {}}
    folder = edited(families, tmp_path, "qwen_2", tokenizer=content_of(families, "qwen_2", post_processor=template))
    with pytest.raises(InputError, match=r"tokenizer\.json: is not a tokenizer \("):
        read_tokenizer(folder)


def test_post_processors_that_do_more_than_begin_a_text_are_refused(families: dict[str, Path], tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(families["qwen_2"] / "tokenizer.json"))
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<|im_start|>", "<|im_end|>")]
    tokenizer.post_processor = processors.TemplateProcessing("<|im_start|> <|im_end|> $A", "$A $B", ids)
    folder = edited(families, tmp_path, "qwen_2", tokenizer=tokenizer.to_str())
    with pytest.raises(InputError, match=r"puts <\|im_start\|> \(\d+\), <\|im_end\|> \(\d+\) before every text"):
        read_tokenizer(folder)
    tokenizer.post_processor = processors.TemplateProcessing("<|im_start|> <|im_end|>", "$A $B", ids)
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    with pytest.raises(InputError, match="its post-processor changes the text itself|gives the text 'a' no token"):
        read_tokenizer(folder)


def test_links_are_followed_to_plain_files_alone(families: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    folder.mkdir()
    for path in families["llama_3"].iterdir():
        (folder / path.name).symlink_to(path)
    write_policy_tokenizer(folder, tmp_path / "policy")
    assert not any(path.is_symlink() for path in (tmp_path / "policy").iterdir())
    (folder / "config.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"config\.json: is a link to nothing; expected the file"):
        read_tokenizer(folder)
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    with pytest.raises(InputError, match=r"config\.json: is no plain file"):
        read_tokenizer(folder)


def test_large_files_are_not_read(families: dict[str, Path], tmp_path: Path) -> None:
    folder = edited(families, tmp_path, "qwen_2")
    with (folder / "config.json").open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(InputError, match=r"config\.json: has 1,073,741,824 bytes; expected at most 16,777,216"):
        read_tokenizer(folder)


def test_only_a_tokenizer_of_ours_is_written_over(families: dict[str, Path], tmp_path: Path) -> None:
    before = sorted(path.name for path in families["llama_3"].iterdir())
    (model := tmp_path / "model").mkdir()
    (model / "model.safetensors").write_text("weights")
    with pytest.raises(TrainingError, match=r"model: holds model\.safetensors; expected a new place"):
        write_policy_tokenizer(families["llama_3"], model)
    (tmp_path / "link").symlink_to(families["llama_3"])
    with pytest.raises(TrainingError, match="link: is no folder"):
        write_policy_tokenizer(families["llama_3"], tmp_path / "link")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(TrainingError, match="file: is no folder"):
        write_policy_tokenizer(families["llama_3"], tmp_path / "file")
    assert (model / "model.safetensors").read_text() == "weights" and (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in families["llama_3"].iterdir()) == before
