"""Where a network computes, and in which precision."""

import os
import time
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from threadpoolctl import threadpool_limits
from torch import nn

from textmill.errors import ParamsError
from textmill.networks.layers import Network

# A product in bfloat16 that takes a larger share of float32's time is emulated. Measured: 0.25 with avx512_bf16, 1.3
# emulated with AVX-512, 33 without it.
EMULATED = 0.7


def find_device(name: str) -> torch.device:
    """The device of `train.device`; under torchrun, each rank's own GPU. Raises ParamsError if there is no such GPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    if name.startswith("cuda") and int(name.partition(":")[2] or 0) >= torch.cuda.device_count():
        gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        raise ParamsError(f"train.device: {name} is not here; devices: {', '.join(['cpu', *gpus])}")
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32
    return torch.device(name)


def find_precision(name: str, network: Network) -> str:
    """What `train.precision` means for a network on its device.

    `auto` is bfloat16 where the device computes in it and the network gains, float32 otherwise. Raises ParamsError if
    bfloat16 is asked for where the device does not compute in it.
    """
    if name == "auto":
        gains = next(network.parameters()).device.type in network.BFLOAT16_PAYS
        return "bfloat16" if gains and no_bfloat16(network, training=True) is None else "float32"
    check_precision(name, network, training=True)
    return name


def check_precision(name: str, network: nn.Module, training: bool) -> None:
    """Raise ParamsError if `name` is bfloat16 and the network's device does not compute in it."""
    if name == "bfloat16" and (reason := no_bfloat16(network, training)):
        raise ParamsError(f"precision: bfloat16, but {reason}; set float32")


def no_bfloat16(network: nn.Module, training: bool) -> str | None:
    """Why networks of this kind are not computed in bfloat16 on this one's device; None where they are.

    training: gradients are asked for, too.
    """
    if next(network.parameters()).is_cuda:
        return None if torch.cuda.is_bf16_supported(including_emulation=False) else "this GPU does not compute in it"
    layer: type[nn.Module] = next((type(part) for part in network.modules() if isinstance(part, nn.RNNBase)), nn.Linear)
    if not _computes(layer, training):  # type: ignore[arg-type]  # mypy takes a Module's class for unhashable
        return f"this processor cannot compute layers of kind {layer.__name__} in it"
    return "this processor only emulates it, slower than float32" if _emulated() else None


@cache
def _computes(layer: type[nn.Module], training: bool) -> bool:
    """Whether the processor takes a step of a layer in bfloat16. The random state stays as it is."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(not training):
        one = layer(8, 8)
        try:
            with torch.autocast("cpu", torch.bfloat16):
                out = one(torch.ones(2, 1, 8))
            if training:
                (out if layer is nn.Linear else out[0]).sum().backward()
        except RuntimeError:  # oneDNN has no such primitive
            return False
    return True


@cache
def _emulated() -> bool:
    """Whether products in bfloat16 take the processor longer than in float32.

    It is timed: flags of the processor do not tell what torch makes of them, nor that a variable as ONEDNN_MAX_CPU_ISA
    forbids it. CPU seconds of one thread, in turns, the best of ten each: other processes hardly count.
    """
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    with threadpool_limits(1):
        for _ in range(10):
            for dtype in best:
                ones = torch.ones(256, 256, dtype=dtype)
                start = time.thread_time()
                ones @ ones
                best[dtype] = min(best[dtype], time.thread_time() - start)
    return best[torch.bfloat16] >= EMULATED * best[torch.float32]  # a clock too coarse for both says 0


def rounding(device: torch.device, precision: str) -> AbstractContextManager:
    """Where products are computed in `precision`."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, torch.bfloat16)
