"""The training loop: one, for every neural model, on a CPU or a GPU."""

import math
import os
import time
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from textmill.console import progress, say
from textmill.encoding import Encoded
from textmill.errors import DivergedError, ParamsError
from textmill.models import checkpoint, distributed, gradients, memory
from textmill.models.batching import Loader, batches
from textmill.models.layers import Network
from textmill.models.optimizing import loss_function, moving_average, optimizer, probabilities, rate
from textmill.models.settings import TrainConfig
from textmill.models.validation import GOODNESS, validate
from textmill.ragged import Ragged

History = list[dict[str, float]]

# By bfloat16 on a CPU, 1.1x to 1.8x measured; GRU and RNN, which have no fused kernel, 0.85x to 1.2x.
GAINING = {"lstm", "transformer", "pretrained"}


def train(
    network: Network,
    data: Encoded,
    validation: Encoded,
    settings: TrainConfig,
    seed: int,
    folder: Path | None,
) -> tuple[History, int]:
    """Fit `network` in place and leave it at its best epoch on validation; the history and that epoch's number.

    `settings.precision` is one of `find_precision`. Everything random in an epoch comes from (seed, epoch), so that a
    run resumed from `folder` and one never stopped are the same. Under torchrun every rank does this with its share of
    each batch; rank 0 keeps the checkpoints.
    Raises DivergedError as soon as the loss is not finite, and ResourceError where a GPU's memory ends.
    """
    device = next(network.parameters()).device
    autocast = rounding(device, settings.precision)
    measure = loss_function(settings, data.labels, int(data.labels.max()) + 1)
    tuner = optimizer(network, settings)
    average = None if settings.ema is None else moving_average(network, settings.ema)
    kept = network if average is None else average.module  # what is validated and kept
    descend = gradients.plain
    if settings.adversarial is not None:
        descend = partial(gradients.adversarial, length=settings.adversarial)
    loader = Loader(data.docs, settings.max_len, settings.cut, device)
    targets = torch.tensor(data.labels, device=device)
    history: History = []
    best: dict[str, Tensor] = {}
    if folder and (found := checkpoint.load(folder, network, average, tuner)):
        history, best = found[0]["history"], found[1]
        say(f"going on after epoch {len(history)}")
    distributed.agree(len(history))
    while len(history) < settings.epochs and not _stalled(history, settings):
        epoch, started = len(history) + 1, time.monotonic()
        rng = np.random.default_rng([seed, epoch])
        torch.manual_seed(int(rng.integers(2**63)) + distributed.rank())  # each rank draws dropout of its own
        network.train()
        parts = batches(loader.steps, settings.batch_tokens, settings.batch_documents, rng)
        groups = [parts[at : at + settings.accumulate] for at in range(0, len(parts), settings.accumulate)]
        stale = sum(best_epoch(history[:n], settings.monitor) < n for n in range(1, epoch))
        total, lr = 0.0, 0.0
        for step, group in enumerate(progress(groups, f"epoch {epoch}", len(groups))):
            lr = rate(settings, (epoch - 1 + (step + 0.5) / len(groups)) / settings.epochs, stale)
            for weights in tuner.param_groups:
                weights["lr"] = lr * weights["scale"]
            tuner.zero_grad()
            loss, whole = torch.zeros((), device=device), targets[np.concatenate(group)]
            for batch in group:
                if len(rows := distributed.share(batch)):
                    ids, lengths = loader.batch(rows)
                    part = partial(measure, target=targets[rows], batch=whole)
                    with memory.enough(ids):
                        loss += descend(network, ids, lengths, part, autocast)
            loss = distributed.total(network, loss)
            if not math.isfinite(value := loss.item()):
                raise DivergedError(f"epoch {epoch}, step {step + 1}: the loss is {value}; lower lr, or set clip")
            if settings.clip:
                nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
            tuner.step()
            if average is not None:
                average.update_parameters(network)
            total += value * len(whole)
        scores = validate(predict(kept, validation.docs, settings), validation.labels)
        if not math.isfinite(scores["log_loss"]):
            raise DivergedError(f"epoch {epoch}: the weights are no numbers any more; lower lr, or set clip")
        row = {
            "epoch": epoch,
            "train_loss": total / len(data.docs),
            "validation_loss": scores["log_loss"],
            "validation_accuracy": scores["accuracy"],
            "validation_f1": scores["f1_macro"],
            "learning_rate": lr,
            "seconds": time.monotonic() - started,
        }
        history.append(row)
        if best_epoch(history, settings.monitor) == epoch:
            best = {name: tensor.detach().clone() for name, tensor in kept.state_dict().items()}
        say(
            f"epoch {epoch}/{settings.epochs}: loss {row['train_loss']:.4f}, validation loss {scores['log_loss']:.4f}, "
            f"accuracy {scores['accuracy']:.4f} ({row['seconds']:.1f} s)"
        )
        if folder and distributed.rank() == 0:
            checkpoint.save(folder, {"epoch": epoch, "history": history}, network, average, best, tuner)
    network.load_state_dict(best)
    return history, best_epoch(history, settings.monitor)


def predict(network: Network, docs: Ragged, settings: TrainConfig, precision: str = "float32") -> np.ndarray:
    """Class probabilities of documents: float32 (N, C), in their order. Ranks share the batches."""
    device = next(network.parameters()).device
    loader = Loader(docs, settings.max_len, settings.cut, device)
    out = np.zeros((len(docs), max(2, network.classify.out_features)), np.float32)
    network.eval()
    with torch.inference_mode(), rounding(device, precision):
        for rows in batches(loader.steps, settings.batch_tokens)[distributed.rank() :: distributed.size()]:
            ids, lengths = loader.batch(rows)
            with memory.enough(ids):
                out[rows] = probabilities(network(ids, lengths)).cpu().numpy()
    return distributed.gathered(out)


def best_epoch(history: History, monitor: str) -> int:
    """Number of the first epoch that none beats."""
    return history.index(max(history, key=GOODNESS[monitor])) + 1


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


def find_precision(name: str, device: torch.device, family: str) -> str:
    """What `auto` means here: bfloat16 where the device computes in it and the family gains, float32 otherwise."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    able = getattr(torch.cpu, "get_capabilities", dict)()  # newer than the oldest torch that will do
    return "bfloat16" if family in GAINING and (able.get("avx512_bf16") or able.get("amx_bf16")) else "float32"


def rounding(device: torch.device, precision: str) -> AbstractContextManager:
    """Where products are computed in `precision`."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, torch.bfloat16)


def _stalled(history: History, settings: TrainConfig) -> bool:
    if settings.patience is None or not history:
        return False
    return len(history) - best_epoch(history, settings.monitor) >= settings.patience
