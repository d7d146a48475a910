"""Where a training run stands after an epoch, on disk: a killed run goes on from there to the same bytes.

One file an epoch, so that it is whole or absent; the last two are kept. The folder is none of DVC's outputs, which
DVC deletes before a stage starts.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from textmill.files import atomic


def save(
    folder: Path,
    facts: dict[str, Any],
    network: nn.Module,
    average: nn.Module | None,
    best: dict[str, Tensor],
    tuner: Optimizer,
) -> None:
    """Keep weights, their average if there is one, best weights, the optimizer's state and `facts` (with 'epoch')."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{name}": tensor for name, tensor in average.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for number, state in tuner.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in state.items()}
    with atomic(folder / f"{facts['epoch']:05}.safetensors") as temporary:
        save_file(
            {name: t.detach().cpu().contiguous() for name, t in tensors.items()},
            temporary,
            {"facts": json.dumps(facts)},
        )
    for old in _files(folder)[2:]:
        old.unlink()


def load(
    folder: Path, network: nn.Module, average: nn.Module | None, tuner: Optimizer
) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Put the newest whole checkpoint into `network`, `average` and `tuner`; its facts and best weights, or None."""
    for path in _files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                facts = json.loads(file.metadata()["facts"])
        except (SafetensorError, OSError, ValueError):
            continue
        network.load_state_dict(_part(tensors, "network."))
        if average is not None:
            average.load_state_dict(_part(tensors, "average."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
            number, key = name.split(".", 1)
            state.setdefault(int(number), {})[key] = tensor
        tuner.load_state_dict({**tuner.state_dict(), "state": state})
        return facts, _part(tensors, "best.")
    return None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"), reverse=True)
