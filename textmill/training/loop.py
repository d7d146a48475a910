"""The training loop of all neural models, with early stopping, on a CPU or a GPU."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from textmill.console import say
from textmill.errors import DivergedError
from textmill.networks.layers import Network
from textmill.records.fit import Learning
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training import backward, distributed, memory
from textmill.training.batching import Loader, batches
from textmill.training.devices import autocast_for
from textmill.training.epochs import Epochs
from textmill.training.optimizing import learning_rate, loss_function, probabilities, share_learned
from textmill.training.pace import batches_by_update, largest, with_enough_updates
from textmill.training.settings import Reading, TrainConfig
from textmill.training.task import EpochRow
from textmill.training.updates import Updates
from textmill.training.validation import GOODNESS, epoch_scores

LINES = 20  # most lines printed about epochs


def train(
    network: Network,
    data: Encoded,
    validation: Encoded,
    settings: TrainConfig,
    seed: int,
    folder: Path | None,
) -> tuple[list[EpochRow], int, Learning]:
    """Trains `network` in place and leaves it at its best epoch on validation.

    Returns the history, the best epoch's number, and a summary. `settings.precision` comes from `find_precision`. All
    randomness in an epoch comes from (seed, epoch), so a run resumed from `folder` gives the same result as one that
    was never stopped. Under torchrun, every rank calls this, with its share of each batch and its own random draws.
    Raises DivergedError as soon as the loss is not finite, ResourceError if memory runs out.
    """
    device = next(network.parameters()).device
    loader = Loader(data.docs, settings.max_len, settings.cut, device)
    settings = with_enough_updates(settings, loader.steps)
    learn = learning(network, loader, data.labels, settings)
    updates = Updates(network, settings)
    rows, longest = largest(loader.steps, settings)
    memory.check_batch(network, updates.tuner, max(1, rows // distributed.size()), longest)
    kept = network if updates.average is None else cast(Network, updates.average.module)  # is validated and saved
    place = folder and folder / f"{device.type}-{distributed.size()}"  # random draws depend on both
    epochs: Epochs[EpochRow] = Epochs("epoch", settings.epochs, updates, place)
    while len(epochs.history) < settings.epochs and not _stalled(epochs.history, settings):
        rng = np.random.default_rng([seed, epochs.number])
        draws = int(rng.integers(2**63)) + distributed.rank()  # each rank has its own dropout
        if not epochs.within.steps:
            torch.manual_seed(draws)
        network.train()
        steps = batches_by_update(loader.steps, settings, rng)
        stale = sum(best_epoch(epochs.history[:n], settings.monitor) < n for n in range(1, epochs.number))
        with epochs.saved_when_interrupted():
            for done, group in epochs.remaining(steps, len(steps)):
                epochs.update(partial(learn, group), learning_rate(settings, done, stale), sum(map(len, group)))
            scores = epoch_scores(predict(kept, validation.docs, settings), validation.labels)
            if not math.isfinite(scores["log_loss"]):
                raise DivergedError(f"epoch {epochs.number}: the weights are no longer finite; lower lr, or set clip")
            row: EpochRow = {
                "epoch": epochs.number,
                "train_loss": epochs.within.loss / len(data.docs),
                "validation_loss": scores["log_loss"],
                "validation_accuracy": scores["accuracy"],
                "validation_f1": scores["f1_macro"],
                "learning_rate": epochs.within.lr,
                "updates": len(steps),
                "seconds": epochs.seconds,
            }
            if epochs.number % math.ceil(settings.epochs / LINES) == 0:
                say(
                    f"epoch {row['epoch']}/{settings.epochs}: loss {row['train_loss']:.4f}, validation loss "
                    f"{scores['log_loss']:.4f}, accuracy {scores['accuracy']:.4f} ({row['seconds']:.1f} s)"
                )
            if best_epoch([*epochs.history, row], settings.monitor) == epochs.number:
                epochs.best = {name: tensor.detach().clone() for name, tensor in kept.state_dict().items()}
            epochs.end(row)
    network.load_state_dict(epochs.best)
    best = best_epoch(epochs.history, settings.monitor)
    return epochs.history, best, _summary(epochs.history, best, settings, data.labels)


def learning(
    network: Network, loader: Loader, labels: np.ndarray, settings: TrainConfig
) -> Callable[[Sequence[np.ndarray]], Tensor]:
    """Returns a function that adds the gradients of documents' mean loss to `network` and returns that loss.

    labels: int (N,), of the loader's documents. The function takes the batches of one update, as row numbers, and
    computes this rank's share of each. It raises ResourceError if memory runs out.
    """
    targets = torch.tensor(labels, device=loader.device)
    measure = loss_function(settings, labels, int(labels.max()) + 1)
    autocast = autocast_for(loader.device, settings.precision)
    descend = backward.plain
    if settings.adversarial is not None:
        descend = partial(backward.adversarial, length=settings.adversarial)

    def learn(group: Sequence[np.ndarray]) -> Tensor:
        loss, documents = torch.zeros((), device=loader.device), sum(map(len, group))
        for batch in group:
            if len(rows := distributed.share(batch)):
                ids, lengths = loader.batch(rows)
                part = partial(measure, target=targets[rows], documents=documents)
                with memory.enough(ids.device, ids):
                    loss += descend(network, ids, lengths, part, autocast)
        return loss

    return learn


def predict(network: Network, docs: Ragged, settings: Reading, precision: str = "float32") -> np.ndarray:
    """Returns the documents' class probabilities, float32 (N, C). Ranks share the batches."""
    device = next(network.parameters()).device
    loader = Loader(docs, settings.max_len, settings.cut, device)
    out = np.zeros((len(docs), max(2, network.classify.out_features)), np.float32)
    network.eval()
    with torch.inference_mode(), autocast_for(device, precision):
        for rows in batches(loader.steps, settings.batch_tokens)[distributed.rank() :: distributed.size()]:
            ids, lengths = loader.batch(rows)
            with memory.enough(ids.device, ids):
                out[rows] = probabilities(network(ids, lengths)).cpu().numpy()
    return distributed.sum_scores(out)


def best_epoch(history: list[EpochRow], monitor: str) -> int:
    """Returns the number of the best epoch, the first among equals."""
    return history.index(max(history, key=GOODNESS[monitor])) + 1


def _summary(history: list[EpochRow], best: int, settings: TrainConfig, labels: np.ndarray) -> Learning:
    updates = sum(row["updates"] or 0 for row in history)
    kept, last = (share_learned(row["train_loss"] or 0.0, settings, labels) for row in (history[best - 1], history[-1]))
    return Learning(
        epochs=settings.epochs,
        updates=updates,
        batch_documents=round(len(history) * len(labels) / (updates * settings.accumulate), 1),
        learned=round(last, 4),
        kept=round(kept, 4),
    )


def _stalled(history: list[EpochRow], settings: TrainConfig) -> bool:
    if settings.patience is None or not history:
        return False
    return len(history) - best_epoch(history, settings.monitor) >= settings.patience
