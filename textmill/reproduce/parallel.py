"""Models side by side: a process each, as many at a time as there are jobs."""

import os
import re
import selectors
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textmill.reproduce.board import Board

STAGES = ("train", "evaluate", "curve")  # of a model
PATIENCE = 30  # seconds until a model that was told to end is killed; its own GRACE is shorter


@dataclass
class Pipe:
    """What a model writes, told to the board in whole lines."""

    model: str
    board: Board
    error: bool
    rest: bytes = b""

    def tell(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        if not data and self.rest:
            lines = [self.rest]  # the end, without a newline
        for line in lines:
            self.board.hear(self.model, line.decode(errors="replace"), self.error)


def run_each(models: Sequence[str], jobs: int, board: Board) -> None:
    """Train and evaluate the models in this order, `jobs` at a time; the board has their exit codes then.

    At KeyboardInterrupt every model has ended before it leaves here.
    """
    waiting, slots, devices = deque(models), deque(range(jobs)), gpus()
    running: dict[str, tuple[subprocess.Popen, int]] = {}
    with selectors.DefaultSelector() as pipes:
        try:
            while waiting or running:
                while waiting and slots:
                    model, slot = waiting.popleft(), slots.popleft()
                    running[model] = process, _ = start(model, devices[slot % len(devices)] if devices else None), slot
                    board.begin(model)
                    for error, source in enumerate((process.stdout, process.stderr)):
                        assert source is not None  # `start` asks for both
                        pipes.register(source, selectors.EVENT_READ, Pipe(model, board, bool(error)))
                for key, _ in pipes.select():
                    key.data.tell(data := os.read(key.fd, 65536))
                    if not data:
                        pipes.unregister(key.fileobj)
                open_pipes = {key.data.model for key in pipes.get_map().values()}
                for model in running.keys() - open_pipes:
                    process, slot = running.pop(model)
                    board.end(model, process.wait())
                    slots.append(slot)
        finally:
            for process, _ in running.values():
                process.terminate()
            for process, _ in running.values():
                end(process)


def start(model: str, device: str | None) -> subprocess.Popen:
    """One model as a process that sees one GPU, where there are several."""
    return subprocess.Popen(
        [sys.executable, "-m", "textmill.reproduce", model],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | ({"CUDA_VISIBLE_DEVICES": device} if device else {}),
    )


def end(process: subprocess.Popen) -> None:
    """Wait for a process that was told to end; what it still writes is not shown."""
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def longest_first(models: Sequence[str], seconds: Mapping[str, float]) -> list[str]:
    """The models by the training time of earlier runs: a long one begun last would run alone.

    Unknown ones, infinite, come first, from the last to the first: params usually begin with what is cheap.
    """
    return sorted(models, key=lambda model: (seconds[model], models.index(model)), reverse=True)


def gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES calls each GPU that may be used, if it is more than one."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        found = [name.strip() for name in visible.split(",") if name.strip()]
    elif shutil.which("nvidia-smi"):
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
        found = re.findall(r"UUID: (GPU-[^)\s]+)", listed)
    else:
        found = []
    return found if len(found) > 1 else []
