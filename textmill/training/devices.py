"""Where a network computes, and in which precision."""

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from textmill.errors import ParamsError
from textmill.networks.layers import Network


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


def find_precision(name: str, device: torch.device, network: Network) -> str:
    """What `auto` means here: bfloat16 where the device computes in it and the network gains, float32 otherwise."""
    if name != "auto":
        return name
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        features = getattr(torch.cpu, "get_capabilities", dict)()  # newer than the oldest torch that will do
        able = features.get("avx512_bf16") or features.get("amx_bf16")
    return "bfloat16" if able and device.type in network.BFLOAT16_PAYS else "float32"


def rounding(device: torch.device, precision: str) -> AbstractContextManager:
    """Where products are computed in `precision`."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, torch.bfloat16)
