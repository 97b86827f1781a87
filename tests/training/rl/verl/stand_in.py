"""A stand-in for the interpreter with verl: takes the same command lines, leaves the same files, trains nothing.

It finds words, reward package and lengths as verl does, on PYTHONPATH and in its arguments, and calls our own reward
manager and reward package as verl does. STAND_IN, a JSON object, says what goes wrong at which rollout step: `exit_at`,
`die_at`, `hang_at`, `stop_at` (exit 0 after it), `unlogged_at` (exit after it was saved), `lose_group_at`,
`overshoot_at`, `nan_at`, `rate_at`; or everywhere: `refuse` (a text), `version`, `no_torch`, `unwhole`.
"""

import asyncio
import importlib
import json
import os
import random
import re
import sys
import time
import types
from pathlib import Path

WRONG = json.loads(os.environ.get("STAND_IN", "{}"))
END, LETTERS = 0, ["", *"0123456789+=", "\\boxed{", "}"]


class Settings(dict):
    """Nested settings, by attributes."""

    __getattr__ = dict.__getitem__


class Tokenizer:
    """What the reward manager needs of one."""

    eos_token_id = END

    def decode(self, ids, skip_special_tokens):
        return "".join(LETTERS[number] for number in ids)


def read_words(words):
    """Override words as settings; quotes as Hydra has them."""
    settings = Settings()
    for word in words:
        key, _, text = word.partition("=")
        *sections, name = key.lstrip("+").split(".")
        node = settings
        for section in sections:
            node = node.setdefault(section, Settings())
        node[name] = read_value(text)
    return settings


def read_value(text):
    if text.startswith("["):
        return [read_value(part) for part in re.findall(r"'[^']*'", text)]
    if text.startswith("'"):
        return re.sub(r"(\\*)\\'", lambda match: match[1][::2] + "'", text[1:-1])
    return json.loads(text)


def ask(files):
    """The answer of foreign/ask_verl.py.txt."""
    level = 1 if WRONG.get("no_torch") else 4
    problems = [WRONG["refuse"]] if WRONG.get("refuse") else []
    answers = {path: {"level": level, "problems": problems} for path in files}
    print("noise\n" + json.dumps({"verl": WRONG.get("version", "0.9.1"), "files": answers}))


class Trainer:
    """The main loop of verl's V1 trainer, as far as files go."""

    def __init__(self, settings):
        self.settings, self.trainer, self.rollout = settings, settings.trainer, settings.actor_rollout_ref.rollout
        self.rollout["response_length"] = settings.data.max_response_length
        self.rows = {name: rows_of(settings.data[f"{name}_files"]) for name in ("train", "val")}
        name = settings.reward.reward_manager
        manager = getattr(importlib.import_module(name.module.path.removeprefix("pkg://")), name.name)
        score = importlib.import_module(settings.reward.custom_reward_function.path.removeprefix("pkg://"))
        self.manager = manager(config=settings, tokenizer=Tokenizer(), compute_score=score.compute_score)
        self.lengths = importlib.import_module("octo_verl.settings")
        self.log = Path(os.environ["VERL_FILE_LOGGER_PATH"])
        self.log.write_text("")  # as verl's file logger: what was there is gone

    def train(self):
        step = self.first_step()
        if self.trainer.val_before_train:
            self.tell(step, self.validate(step))
        while step < self.trainer.total_training_steps:
            step += 1
            go_wrong(step)
            self.step(step)
            if WRONG.get("stop_at") == step:
                return

    def first_step(self):
        if self.trainer.resume_mode == "disable":
            return 0
        if self.trainer.resume_mode == "resume_path":
            folder = Path(self.trainer.resume_from_path)
        else:
            tracker = Path(self.trainer.default_local_dir, "latest_checkpointed_iteration.txt")
            folder = Path(f"global_step_{tracker.read_text()}")
        return int(str(folder).split("global_step_")[-1])

    def step(self, step):
        rows = self.rows["train"][: self.settings.data.train_batch_size]
        responses = [self.sample(row, step, session) for row in rows for session in range(self.rollout.n)]
        if WRONG.get("lose_group_at") == step:
            for place, response in enumerate(responses[: self.rollout.n]):
                response.update(uid=f"padabc_{place}_0", output="", score=0.0)
        self.dump(self.trainer.rollout_data_dir, step, responses)
        last = step == self.trainer.total_training_steps
        if last or step % self.trainer.save_freq == 0:
            self.save(step)
        if WRONG.get("unlogged_at") == step:
            sys.exit(1)
        due = self.trainer.test_freq > 0 and (last or step % self.trainer.test_freq == 0)
        self.tell(step, {**self.numbers(step), **(self.validate(step) if due else {})})

    def validate(self, step):
        responses = [self.sample(row, step, 0) for row in self.rows["val"]]
        self.dump(self.trainer.validation_data_dir, step, responses)
        return {"val-core/held/acc/mean@1": 0.5}

    def sample(self, row, step, session):
        """One response, sampled without a model: a number, boxed or not, ended or cut."""
        import numpy as np  # not where words are only asked about

        cap = min(self.rollout.response_length, self.lengths.cap_at(self.lengths.settings()["stages"], step))
        chance, uid = random.Random(f"{row['extra_info']['id']} {step} {session}"), f"{id(row)}-{time.time_ns()}"
        ids = [*chance.choice([[13, *digits(row), 14], [chance.randint(1, 10)]]), END][:cap]
        if WRONG.get("overshoot_at") == step:
            ids = [1] * (cap + 1)
        facts = {**row, "uid": uid, "session_id": np.int64(session), "global_steps": np.int64(step),
                 "prompt_len": np.int64(len(row["prompt"][0]["content"]))}  # fmt: skip
        batch = {"responses": np.array(ids), "attention_mask": np.ones(len(ids) + 4, dtype=int)}
        item = types.SimpleNamespace(batch=batch, non_tensor_batch=facts)
        result = asyncio.run(self.manager.run_single([item]))
        text = Tokenizer().decode(ids, skip_special_tokens=True)
        return {"input": row["prompt"][0]["content"], "output": text, "gts": row["reward_model"]["ground_truth"],
                "score": result["reward_score"], "step": step, "uid": f"{uid}_{session}_0"}  # fmt: skip

    def numbers(self, step):
        rate = self.settings.actor_rollout_ref.actor.optim.lr * (2 if WRONG.get("rate_at") == step else 1)
        loss = None if WRONG.get("nan_at") == step else 0.1
        return {"training/global_step": step, "critic/score/mean": 0.0, "actor/lr": rate, "actor/pg_loss": loss,
                "actor/grad_norm": 0.5, "actor/entropy": 1.0, "actor/pg_clipfrac": 0.0, "timing_s/step": 0.5,
                "training/rollout_probs_diff_mean": 1e-4, "response_length/clip_ratio": 0.0}  # fmt: skip

    def save(self, step):
        actor = Path(self.trainer.default_local_dir, f"global_step_{step}", "actor")
        actor.mkdir(parents=True, exist_ok=True)
        ranks = self.trainer.n_gpus_per_node * self.trainer.nnodes
        for rank in range(ranks):
            for kind in ("model", "optim", "extra_state")[: 2 if WRONG.get("unwhole") else 3]:
                (actor / f"{kind}_world_size_{ranks}_rank_{rank}.pt").touch()
        (actor.parent / "data.pt").touch()
        (actor / "huggingface").mkdir(exist_ok=True)
        weights = Path(self.settings.actor_rollout_ref.model.path, "model.safetensors").read_bytes()
        (actor / "huggingface" / "model.safetensors").write_bytes(weights)
        (actor / "huggingface" / "tokenizer_config.json").write_text('{"chat_template": "verl\'s own"}')
        (actor.parents[1] / "latest_checkpointed_iteration.txt").write_text(str(step))

    def dump(self, folder, step, responses):
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"{step}.jsonl").write_text("".join(json.dumps(response) + "\n" for response in responses))

    def tell(self, step, data):
        with self.log.open("a") as log:
            log.write(json.dumps({"step": step, "data": data}) + "\n")


def digits(row):
    return [int(digit) + 1 for digit in row["reward_model"]["ground_truth"]]


def rows_of(path):
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path).to_pylist()


def go_wrong(step):
    if WRONG.get("exit_at") == step:
        sys.exit("RuntimeError: something in verl")
    if WRONG.get("die_at") == step:
        os.kill(os.getpid(), 9)
    if WRONG.get("hang_at") == step:
        time.sleep(600)


if __name__ == "__main__":
    if sys.argv[1] == "-c":
        ask(sys.argv[3:])
    elif sys.argv[1:3] == ["-m", "verl.model_merger"]:
        sys.exit("no shards to merge")
    else:
        Trainer(read_words(sys.argv[3:])).train()
