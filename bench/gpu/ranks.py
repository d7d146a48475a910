"""What each process does under torchrun: train, and add up gradients, although there is one rank's alone."""

import sys
from pathlib import Path
from unittest.mock import patch

import torch
from parts import Data, distributed, find_device, fit, write_arrays
from torch.distributed import get_backend


def main(folder: str, name: str, out: str, documents: str, *cases: str) -> None:
    data = Data.read(Path(folder), name)
    for case in cases:
        model = fit(case, data, int(documents), 64, batch_tokens=8192).model
        write_arrays(Path(out) / f"{case}.safetensors", model.tensors(), "")
    device = find_device(name)
    with distributed.group(device), patch.object(distributed, "size", lambda: 2):  # else nothing would be sent
        print(get_backend())
        layer = torch.nn.Linear(3, 2).to(device)
        layer(torch.ones(4, 3, device=device)).sum().backward()
        before = [weight.grad.clone() for weight in layer.parameters()]
        loss = distributed.sum_gradients(layer, torch.tensor(0.5, device=device))
        scores = torch.rand(5, 2).numpy()
        same = all(torch.equal(a, b.grad) for a, b in zip(before, layer.parameters(), strict=True))
        print("summed" if same and loss == 0.5 and (distributed.sum_scores(scores) == scores).all() else "changed")


if __name__ == "__main__":
    main(*sys.argv[1:])
