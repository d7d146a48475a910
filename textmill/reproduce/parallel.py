"""Trains several models at a time, each in its own process."""

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

STAGES = ("train", "evaluate", "curve")  # of each model
PATIENCE = 30  # seconds from SIGTERM until a model is killed; its own GRACE is shorter


@dataclass
class Pipe:
    """A model's output, passed to the board in whole lines."""

    model: str
    board: Board
    error: bool
    rest: bytes = b""

    def feed(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        if not data and self.rest:
            lines = [self.rest]  # the end, without a newline
        for line in lines:
            self.board.add_line(self.model, line.decode(errors="replace"), self.error)


def run_each(models: Sequence[str], jobs: int, board: Board) -> None:
    """Trains and evaluates the models in this order, `jobs` at a time. The board gets their exit codes.

    At KeyboardInterrupt, ends every model before it returns.
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
                    key.data.feed(data := os.read(key.fd, 65536))
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
    """Starts a model's process. device: the one GPU that it may use, if there are several."""
    return subprocess.Popen(
        [sys.executable, "-m", "textmill.reproduce", model],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | ({"CUDA_VISIBLE_DEVICES": device} if device else {}),
    )


def end(process: subprocess.Popen) -> None:
    """Waits for a process after SIGTERM; drops what it still prints."""
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def longest_first(models: Sequence[str], seconds: Mapping[str, float]) -> list[str]:
    """Sorts the models by the training time of earlier runs: a long one that started last would run alone.

    Unknown times are infinite and come first, from the last model to the first: params usually begin with cheap ones.
    """
    return sorted(models, key=lambda model: (seconds[model], models.index(model)), reverse=True)


def gpus() -> list[str]:
    """Returns the names in CUDA_VISIBLE_DEVICES of the GPUs that may be used; empty if there are fewer than two."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        found = [name.strip() for name in visible.split(",") if name.strip()]
    elif shutil.which("nvidia-smi"):
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
        found = re.findall(r"UUID: (GPU-[^)\s]+)", listed)
    else:
        found = []
    return found if len(found) > 1 else []
