"""The choice of a network's device and precision."""

import os
import time
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from threadpoolctl import threadpool_limits
from torch import nn

from textmill.errors import ParamsError
from textmill.networks.layers import Network

# Bfloat16 counts as emulated if a product takes more than this share of the time in float32. Measured: 0.25 with
# avx512_bf16, 1.3 when emulated with AVX-512, 33 without AVX-512.
EMULATED = 0.7


def find_device(name: str) -> torch.device:
    """Returns the device for `train.device`; under torchrun, the rank's GPU. Raises ParamsError if it is missing."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    if name.startswith("cuda") and int(name.partition(":")[2] or 0) >= torch.cuda.device_count():
        gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        raise ParamsError(f"train.device: {name} not found; use one of {', '.join(['cpu', *gpus])}")
    torch.backends.cudnn.allow_tf32 = False  # float32 is really float32
    return torch.device(name)


def find_precision(name: str, network: Network) -> str:
    """Returns the precision that `train.precision` means for a network on its device.

    `auto` is bfloat16 if the device supports it and the network is faster with it, else float32. Raises ParamsError
    if bfloat16 is requested but not supported.
    """
    if name == "auto":
        gains = next(network.parameters()).device.type in network.BFLOAT16_PAYS
        return "bfloat16" if gains and no_bfloat16(network, training=True) is None else "float32"
    check_precision(name, network, training=True)
    return name


def check_precision(name: str, network: nn.Module, training: bool) -> None:
    """Raises ParamsError if `name` is bfloat16 and the network's device does not support it."""
    if name == "bfloat16" and (reason := no_bfloat16(network, training)):
        raise ParamsError(f"precision: bfloat16, but {reason}; set float32")


def no_bfloat16(network: nn.Module, training: bool) -> str | None:
    """Returns why such a network cannot use bfloat16 on its device, or None if it can.

    training: whether gradients are also needed.
    """
    if next(network.parameters()).is_cuda:
        return None if torch.cuda.is_bf16_supported(including_emulation=False) else "this GPU does not compute in it"
    layer: type[nn.Module] = next((type(part) for part in network.modules() if isinstance(part, nn.RNNBase)), nn.Linear)
    if not _computes(layer, training):  # type: ignore[arg-type]  # mypy thinks that a Module's class is unhashable
        return f"this processor cannot compute layers of kind {layer.__name__} in it"
    return "this processor only emulates it, slower than float32" if _emulated() else None


@cache
def _computes(layer: type[nn.Module], training: bool) -> bool:
    """Returns whether the processor can compute a layer in bfloat16. Keeps the random state."""
    with torch.random.fork_rng(devices=[]), torch.inference_mode(not training):
        one = layer(8, 8)
        try:
            with torch.autocast("cpu", torch.bfloat16):
                out = one(torch.ones(2, 1, 8))
            if training:
                (out if layer is nn.Linear else out[0]).sum().backward()
        except RuntimeError:  # oneDNN does not have this primitive
            return False
    return True


@cache
def _emulated() -> bool:
    """Returns whether products in bfloat16 are no faster than in float32.

    This is timed, since the processor's flags do not show how torch uses them or whether ONEDNN_MAX_CPU_ISA forbids
    it. The best of ten CPU times of one thread, alternating, hardly depends on other processes.
    """
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    with threadpool_limits(1):
        for _ in range(10):
            for dtype in best:
                ones = torch.ones(256, 256, dtype=dtype)
                start = time.thread_time()
                ones @ ones
                best[dtype] = min(best[dtype], time.thread_time() - start)
    return best[torch.bfloat16] >= EMULATED * best[torch.float32]  # with too coarse a clock, both are 0


def autocast_for(device: torch.device, precision: str) -> AbstractContextManager:
    """Returns the context in which products are computed in `precision`."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, torch.bfloat16)
