"""Trainings that are stopped and resumed, and one under torchrun."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from parts import Data, Fitted, Updates, checkpoint, fit, read_arrays

ALIKE = 1e-5
HELD = 64
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]


def resumed(data: Data, case: str, precision: str, batch_tokens: int, documents: int) -> dict[str, Any]:
    """How far weights are from those of a training that nothing ended; `twice`: of two that nothing ended."""
    given = {"precision": precision, "batch_tokens": batch_tokens, "epochs": 2}
    with counted() as steps:
        whole = fit(case, data, documents, HELD, **given)
    found: dict[str, Any] = {"steps": len(steps)}
    found["twice"] = difference(whole, fit(case, data, documents, HELD, **given))
    ends = {"after an epoch": killed_after(1), "inside of one": interrupted_at(len(steps) // 2 + 2)}
    for name, end in ends.items():
        with TemporaryDirectory() as folder:
            with end, suppress(KeyboardInterrupt):
                fit(case, data, documents, HELD, folder=Path(folder), **given)
            torch.manual_seed(99)  # what draws next comes from the checkpoint
            with counted() as rest:
                found[name] = difference(whole, fit(case, data, documents, HELD, folder=Path(folder), **given))
            found[f"steps, {name}"] = len(rest)
    went_on = 0 < found["steps, inside of one"] < found["steps, after an epoch"] < len(steps)
    return {"ok": went_on and max(found[name] for name in ends) <= ALIKE, **found}


def difference(one: Fitted, other: Fitted) -> float:
    """The most that two weights are apart; 0 where all bytes are the same."""
    theirs = other.model.tensors()
    return max(float(np.abs(weight - theirs[name]).max()) for name, weight in one.model.tensors().items())


@contextmanager
def counted() -> Iterator[list[int]]:
    """One entry for each update."""
    steps: list[int] = []
    with before_each_step(lambda: steps.append(1)):
        yield steps


@contextmanager
def interrupted_at(step: int) -> Iterator[None]:
    """An interruption inside of the update of this number, from 1 on."""
    left = iter(range(step - 1, -1, -1))

    def end() -> None:
        if next(left) == 0:
            raise KeyboardInterrupt

    with before_each_step(end):
        yield


@contextmanager
def before_each_step(what: Callable[[], object]) -> Iterator[None]:
    plain = Updates.step

    def step(self: Updates, *given: Any) -> float:
        what()
        return plain(self, *given)

    with patch.object(Updates, "step", step):
        yield


@contextmanager
def killed_after(epoch: int) -> Iterator[None]:
    """The end of a training as soon as it has kept that epoch."""
    save = checkpoint.save

    def kill(folder: Path, facts: dict[str, Any], *rest: Any) -> None:
        save(folder, facts, *rest)
        if facts["epoch"] == epoch:
            raise KeyboardInterrupt

    with patch.object(checkpoint, "save", kill):
        yield


def ranks(data: Data, folder: Path, cases: tuple[str, ...], documents: int) -> dict[str, Any]:
    """A training under torchrun with one process (ranks.py) against one without."""
    script = str(Path(__file__).with_name("ranks.py"))
    with TemporaryDirectory() as out:
        words = [*TORCHRUN, "--nproc-per-node", "1", script, str(folder), data.device, out, str(documents), *cases]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=100)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "Error" in line]
            return {"ok": False, "error": (lines or ["no word of it"])[0][:300]}
        found: dict[str, Any] = {"said": done.stdout.split()}
        for case in cases:
            theirs, _ = read_arrays(Path(out) / f"{case}.safetensors")
            ours = fit(case, data, documents, HELD, batch_tokens=8192).model.tensors()
            found[case] = max(float(np.abs(weight - theirs[name]).max()) for name, weight in ours.items())
    backend = "gloo" if data.device == "cpu" else "nccl"
    return {"ok": found["said"] == [backend, "summed"] and max(found[case] for case in cases) <= ALIKE, **found}
