"""The sampling engine `octo_cpu`: one Ray actor that holds the policy and samples what waits, together, on a CPU.

It keeps no cache of keys and values: prompts and responses of the tests have some twenty tokens.
"""

import asyncio

import ray
import torch
from transformers import AutoModelForCausalLM
from verl.utils.config import omega_conf_to_dataclass
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

GATHERING_S = 0.05  # how long a request waits for others to be sampled with


class CpuSampler:
    """Tokens in, tokens out."""

    def __init__(self, config, model_config):
        self.config, model = omega_conf_to_dataclass(config), omega_conf_to_dataclass(model_config)
        self.tokenizer = model.tokenizer
        self.model = AutoModelForCausalLM.from_pretrained(model.local_path, dtype=torch.float32).eval()
        self.steps, self.waiting, self.lock = 0, [], asyncio.Lock()

    async def load(self, weights, steps):
        self.model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)
        self.model.tie_weights()
        self.steps = self.steps if steps is None else steps

    async def generate(self, prompt_ids, sampling_params, request_id, **_):
        limit = sampling_params.get("max_tokens") or self.config.response_length
        answer = asyncio.get_running_loop().create_future()
        self.waiting.append((list(prompt_ids), limit, float(sampling_params["temperature"]), answer))
        await asyncio.sleep(GATHERING_S)
        async with self.lock:
            await asyncio.to_thread(self._sample_waiting)
        return await answer

    def _sample_waiting(self):
        """All that waits under the same limit and temperature at once."""
        waiting, self.waiting = self.waiting, []
        for rule in {(limit, temperature) for _, limit, temperature, _ in waiting}:
            alike = [request for request in waiting if request[1:3] == rule]
            sampled = sample(self.model, [request[0] for request in alike], *rule, self.tokenizer.eos_token_id)
            for request, (ids, log_probs) in zip(alike, sampled, strict=True):
                self._answer(request[3], ids, log_probs)

    def _answer(self, future, ids, log_probs):
        output = TokenOutput(
            token_ids=ids, log_probs=log_probs, stop_reason="completed", num_preempted=0,
            extra_fields={"global_steps": self.steps, "min_global_steps": self.steps, "max_global_steps": self.steps},
        )  # fmt: skip
        future.get_loop().call_soon_threadsafe(future.set_result, output)

    async def ready(self):
        return True

    async def set_global_steps(self, steps):
        self.steps = steps

    async def _done(self, *_, **__):
        """What an engine on a GPU does with its memory."""

    wake_up = sleep = clear_kv_cache = release_kv_cache = resume_kv_cache = _done
    abort_all_requests = resume_generation = start_profile = stop_profile = _done


@torch.no_grad()
def sample(model, prompts, limit, temperature, end):
    """(ids, log probabilities) of a response to each prompt: up to `limit` tokens, the end of text included."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[end] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    responses = [([], []) for _ in prompts]
    for _ in range(limit):
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -1].float()
        log_probs = (logits / (temperature or 1.0)).log_softmax(-1)
        chosen = torch.multinomial(log_probs.exp(), 1) if temperature else log_probs.argmax(-1, keepdim=True)
        for at, token in enumerate(chosen.flatten().tolist()):
            drawn, known = responses[at]
            if not drawn or drawn[-1] != end:
                drawn.append(token)
                known.append(log_probs[at, token].item())
        ids, mask = torch.cat([ids, chosen], -1), torch.cat([mask, torch.ones_like(chosen)], -1)
        if all(drawn[-1] == end for drawn, _ in responses):
            break
    return responses


class CpuReplica(RolloutReplica):
    """verl's view of the sampler."""

    async def launch_servers(self):
        name = f"octo_cpu_{self.replica_rank}"
        server = ray.remote(CpuSampler).options(name=name, num_cpus=0, max_concurrency=1000)
        self._server_handle = server.remote(self.config, self.model_config)
        await self._server_handle.ready.remote()
        self.servers, self._server_address = [self._server_handle], name


class CpuRollout(BaseRollout):
    """The trainer's side: hands the sampler its weights after each step."""

    is_leader_rank = True

    def __init__(self, config, model_config, device_mesh, *_, **__):
        super().__init__(config, model_config, device_mesh)
        self.replica_rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0

    async def resume(self, tags):
        """There is no memory to take back."""

    async def release(self):
        """There is no memory to give away."""

    async def update_weights(self, weights, wire_format="named_tensors", global_steps=None, **_):
        server = ray.get_actor(f"octo_cpu_{self.replica_rank}")
        copied = {name: tensor.detach().cpu().clone() for name, tensor in weights}
        await server.load.remote(copied, global_steps)
