"""verl 0.9.1 on a CPU, for tests alone: a platform "cpu", FSDP on it, and the sampling engine `octo_cpu`.

Loaded by verl in each of its processes: VERL_USE_EXTERNAL_MODULES=octo_cpu, with this folder on PYTHONPATH. Ray is told
of one GPU that is not there (`ray_resource_name`), since verl asks for one.
"""

import contextlib
import types

import torch
import torch.distributed
from verl.plugin.platform.platform_base import PlatformBase
from verl.plugin.platform.platform_manager import PlatformRegistry, set_platform
from verl.workers.engine import EngineRegistry
from verl.workers.engine.fsdp import transformer_impl
from verl.workers.rollout import base
from verl.workers.rollout.replica import RolloutReplicaRegistry

MEMORY_BYTES = 16 << 30  # what verl is told where it asks for the memory of a GPU


def _nothing(*_, **__):
    """What a CPU has not got to do."""


def _zero(*_, **__):
    return 0


def _device_module():
    """What verl calls on torch.cuda, for a CPU."""
    properties = types.SimpleNamespace(total_memory=MEMORY_BYTES, name="cpu", major=0, minor=0)
    return types.SimpleNamespace(
        Stream=None,
        current_device=lambda: "cpu",
        device_count=lambda: 1,
        empty_cache=_nothing,
        get_device_name=lambda *_: "cpu",
        get_device_properties=lambda *_: properties,
        get_rng_state=torch.get_rng_state,
        ipc_collect=_nothing,
        is_available=lambda: True,
        is_initialized=lambda: False,
        manual_seed=torch.manual_seed,
        manual_seed_all=torch.manual_seed,
        max_memory_allocated=_zero,
        max_memory_reserved=_zero,
        mem_get_info=lambda *_: (MEMORY_BYTES, MEMORY_BYTES),
        memory_allocated=_zero,
        memory_reserved=_zero,
        reset_peak_memory_stats=_nothing,
        set_device=_nothing,
        set_rng_state=torch.set_rng_state,
        synchronize=_nothing,
    )


@PlatformRegistry.register(platform="cpu")
class Cpu(PlatformBase):
    """The platform."""

    device_name, vendor_name, device_module = "cpu", "generic", _device_module()
    set_device = synchronize = set_allocator_settings = empty_cache = profiler_start = profiler_stop = _nothing

    def is_available(self):
        return True

    def current_device(self):
        return "cpu"

    def device_count(self):
        return 1

    def manual_seed(self, seed):
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def get_device_capability(self, device_index=0):
        return None, None

    def communication_backend_name(self):
        return "gloo"

    def visible_devices_envvar(self):
        return "CUDA_VISIBLE_DEVICES"

    @contextlib.contextmanager
    def nvtx_range(self, msg):
        yield

    def ray_resource_name(self):
        return "GPU"

    def ray_noset_envvars(self):
        return ["RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"]

    def is_ipc_supported(self):
        return False

    def cudart(self):
        return None


def _one_gloo(start):
    """verl joins the CPU's backend and the device's into `cpu:gloo,cpu:gloo`, which torch refuses."""

    def initialise(backend=None, **settings):
        return start(backend="gloo" if backend == "cpu:gloo,cpu:gloo" else backend, **settings)

    return initialise


def _replica():
    from octo_cpu_sampler import CpuReplica

    return CpuReplica


set_platform(Cpu())
torch.distributed.init_process_group = _one_gloo(torch.distributed.init_process_group)
transformer_impl.CPUOffloadPolicy = lambda *_, **__: None  # pins memory, which needs a GPU
base._ROLLOUT_REGISTRY["octo_cpu", "async"] = "octo_cpu_sampler.CpuRollout"
RolloutReplicaRegistry.register("octo_cpu", _replica)
EngineRegistry.register(model_type="language_model", backend=["fsdp", "fsdp2"], device="cpu")(
    transformer_impl.FSDPEngineWithLMHead
)
