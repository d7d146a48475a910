"""Checkpoints of a training run, from which a killed run resumes to the same bytes.

Each is one file, so that it is either complete or absent, and has a digest of all that it holds; the last KEPT are
kept. The folder is not a DVC output,
because DVC deletes outputs before it starts a stage.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from textmill.console import say
from textmill.errors import ResourceError
from textmill.files import atomic, free

KEPT = 2  # checkpoints


def check_room(folder: Path, network: nn.Module, average: nn.Module | None) -> None:
    """Raises ResourceError if the disk has no room for the checkpoints still to come, one more than are kept."""
    whole = sum(tensor.nbytes for tensor in network.state_dict().values())
    learned = sum(weight.nbytes for weight in network.parameters() if weight.requires_grad)
    one = whole * (2 if average is None else 3) + 2 * learned  # plus the best weights and Adam's two moments
    needed = one * (KEPT + 1 - len(_files(folder)))
    if (left := free(folder)) < needed:
        raise ResourceError(f"{folder}: checkpoints need {needed:,} bytes, but only {left:,} are free; free some space")


def save(
    folder: Path,
    facts: dict[str, Any],
    network: nn.Module,
    average: nn.Module | None,
    best: dict[str, Tensor],
    tuner: Optimizer,
) -> None:
    """Writes a checkpoint: weights, their average if any, best weights, optimizer state, random state and `facts`.

    facts: has 'epoch', and 'step' within an epoch.
    """
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{name}": tensor for name, tensor in average.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    tensors["draws"] = _draws(network).get_state()
    for number, state in tuner.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in state.items()}
    inside = f"-{facts['step']:07}" if facts.get("step") else ""  # sorts before the checkpoint at the epoch's end
    tensors, told = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}, json.dumps(facts)
    with atomic(folder / f"{facts['epoch']:05}{inside}.safetensors") as temporary:
        save_file(tensors, temporary, {"facts": told, "digest": _digest(tensors, told)})
    for old in _files(folder)[KEPT:]:
        old.unlink()


def load(
    folder: Path, network: nn.Module, average: nn.Module | None, tuner: Optimizer
) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Loads the newest intact checkpoint and torch's random state; returns its facts and best weights, or None.

    One that was cut short or changed is left out, with a line that says so.
    """
    for path in _files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                told, digest = (file.metadata()[key] for key in ("facts", "digest"))
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            digest = None
        if digest is None or _digest(tensors, told) != digest:
            say(f"{path}: damaged; resuming without it")
            continue
        facts, draws = json.loads(told), tensors["draws"]
        network.load_state_dict(_part(tensors, "network."))
        if average is not None:
            average.load_state_dict(_part(tensors, "average."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
            number, key = name.split(".", 1)
            state.setdefault(int(number), {})[key] = tensor
        tuner.load_state_dict({**tuner.state_dict(), "state": state})
        _draws(network).set_state(draws)
        return facts, _part(tensors, "best.")
    return None


def _digest(tensors: dict[str, Tensor], facts: str) -> str:
    """Returns the hex digest of all that a checkpoint holds."""
    whole = hashlib.sha256(facts.encode())
    for name, tensor in sorted(tensors.items()):
        whole.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def _draws(network: nn.Module) -> torch.Generator:
    """Returns the generator of dropout masks on the network's device."""
    device = next(network.parameters()).device
    return torch.cuda.default_generators[device.index or 0] if device.type == "cuda" else torch.default_generator


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"), reverse=True)
