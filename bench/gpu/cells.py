"""One LSTM layer and one attention, forwards and back, by every way that torch has: what another would bring."""

import time
from collections.abc import Callable
from typing import Any

import torch
from parts import Data, synchronized
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

WIDTH, HEADS = 128, 4


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


def attentions(data: Data, steps: int, ids: int) -> dict[str, Any]:
    """Milliseconds of an attention and its gradient over batches of nearly so many ids, ten shapes, in each kernel.

    `first` is the mean where no shape was seen before, `again` that of the same shapes: batches of an epoch hardly
    ever have the same shape twice.
    """
    shapes = [(ids // steps - row, steps - step) for row in range(5) for step in (0, 8)]
    found: dict[str, Any] = {"steps": steps, "ids": ids}
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        found[f"{name}, torch's choice"] = guarded(shaped, data.device, dtype, shapes)
        for kernel in (SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH):
            with sdpa_kernel(kernel):
                found[f"{name}, {kernel.name.lower()}"] = guarded(shaped, data.device, dtype, shapes)
    return found


def shaped(device: str, dtype: torch.dtype, shapes: list[tuple[int, int]]) -> dict[str, float]:
    def work(rows: int, steps: int) -> None:
        states = torch.randn(3, rows, HEADS, steps, WIDTH // HEADS, device=device, dtype=dtype, requires_grad=True)
        mask = (torch.arange(steps, device=device) < steps - torch.arange(rows, device=device)[:, None] % 9)[
            :, None, None
        ]
        F.scaled_dot_product_attention(*states, attn_mask=mask).float().sum().backward()

    found = {}
    for name in ("first", "again"):
        synchronized(device)
        start = time.perf_counter()
        for rows, steps in shapes:
            work(rows, steps)
        synchronized(device)
        found[name] = (time.perf_counter() - start) / len(shapes) * 1e3
    return found
