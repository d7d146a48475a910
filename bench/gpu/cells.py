"""One LSTM layer, forwards and back, by every way that torch has: what another way would bring."""

import time
from collections.abc import Callable
from typing import Any

import torch
from parts import Data, synchronized
from torch import Tensor, nn

WIDTH = 128


def cells(data: Data, steps: int, rows: int, runs: int) -> dict[str, Any]:
    """Milliseconds of a pass and its gradient over states (steps, rows, WIDTH), and the type of what comes out."""
    device, found = data.device, {"steps": steps, "rows": rows}
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    for name, dtype in dtypes.items():
        for directions, both in (("one way", False), ("both ways", True)):
            found[f"{name}, {directions}"] = guarded(whole, device, dtype, both, steps, rows, runs)
    found["bfloat16 autocast, one way"] = guarded(autocast, device, steps, rows, runs)
    if device != "cpu":
        found["float32, two streams"] = guarded(streams, device, steps, rows, runs)
        torch.backends.cudnn.allow_tf32 = True
        found["tf32, one way"] = guarded(whole, device, torch.float32, False, steps, rows, runs)
        torch.backends.cudnn.allow_tf32 = False
    return found


def guarded(way: Callable[..., Any], *given: Any) -> Any:
    """What a way takes, or why there is none."""
    try:
        return way(*given)
    except RuntimeError as error:
        return f"error: {str(error).splitlines()[0][:160]}"


def whole(device: str, dtype: torch.dtype, both: bool, steps: int, rows: int, runs: int) -> dict[str, Any]:
    cell = nn.LSTM(WIDTH, WIDTH, bidirectional=both).to(device, dtype)
    states = torch.randn(steps, rows, WIDTH, device=device, dtype=dtype, requires_grad=True)
    return timed(lambda: cell(states)[0], device, runs)


def autocast(device: str, steps: int, rows: int, runs: int) -> dict[str, Any]:
    cell = nn.LSTM(WIDTH, WIDTH).to(device)
    states = torch.randn(steps, rows, WIDTH, device=device, requires_grad=True)

    def work() -> Tensor:
        with torch.autocast(device, torch.bfloat16):
            return cell(states)[0]

    return timed(work, device, runs)


def streams(device: str, steps: int, rows: int, runs: int) -> dict[str, Any]:
    """Two directions as the networks have them, the second in a stream of its own (autograd follows it)."""
    ahead, behind = nn.LSTM(WIDTH, WIDTH).to(device), nn.LSTM(WIDTH, WIDTH).to(device)
    states = torch.randn(steps, rows, WIDTH, device=device, requires_grad=True)
    side = torch.cuda.Stream()

    def work() -> Tensor:
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            second = behind(states)[0]
        one = ahead(states)[0]
        torch.cuda.current_stream().wait_stream(side)
        return torch.cat([one, second], 2)

    return timed(work, device, runs)


def timed(work: Callable[[], Tensor], device: str, runs: int) -> dict[str, Any]:
    """The mean of so many runs after two."""
    for run in range(2 + runs):
        if run == 2:
            synchronized(device)
            start = time.perf_counter()
        out = work()
        out.float().sum().backward()
    synchronized(device)
    return {"ms": (time.perf_counter() - start) / runs * 1e3, "gives": str(out.dtype).removeprefix("torch.")}
