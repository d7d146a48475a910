"""The training loop: one, for every neural model, on a CPU or a GPU."""

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from textmill.console import progress, say
from textmill.encoding import Encoded
from textmill.errors import DivergedError
from textmill.models import checkpoint, distributed, memory
from textmill.models.batching import Loader, batches
from textmill.models.devices import rounding
from textmill.models.layers import Network
from textmill.models.optimizing import probabilities, rate
from textmill.models.settings import TrainConfig
from textmill.models.updates import Updates
from textmill.models.validation import GOODNESS, validate
from textmill.processes import unbroken
from textmill.ragged import Ragged

History = list[dict[str, float]]

OFTEN = 300  # seconds that a kill may cost


@dataclass(frozen=True)
class Within:
    """How far an epoch is: its updates so far, the sum of their documents' losses, the last rate, seconds."""

    steps: int = 0
    loss: float = 0.0
    lr: float = 0.0
    seconds: float = 0.0


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
    run resumed from `folder` and one never stopped are the same. It is kept there after every epoch, and inside of one
    OFTEN and when it is interrupted; not so under torchrun, where every rank does this with its share of each batch and
    draws of its own, and rank 0 keeps the epochs.
    Raises DivergedError as soon as the loss is not finite, and ResourceError where a GPU's memory ends.
    """
    device = next(network.parameters()).device
    loader = Loader(data.docs, settings.max_len, settings.cut, device)
    updates = Updates(network, loader, data.labels, settings)
    kept = network if updates.average is None else updates.average.module  # what is validated and kept
    history: History = []
    best: dict[str, Tensor] = {}
    within = Within()
    if folder and (found := checkpoint.load(folder, network, updates.average, updates.tuner)):
        facts, best = found
        history, within = facts["history"], Within(**facts["within"])
        say(f"going on after epoch {len(history)}" + (f" and {within.steps} steps" if within.steps else ""))
    distributed.agree(len(history))

    def keep() -> None:
        if folder and distributed.rank() == 0:
            facts = {"epoch": len(history) + (within.steps > 0), "step": within.steps}
            facts |= {"history": history, "within": asdict(within)}
            checkpoint.save(folder, facts, network, updates.average, best, updates.tuner)

    while len(history) < settings.epochs and not _stalled(history, settings):
        epoch, started = len(history) + 1, time.monotonic() - within.seconds
        rng = np.random.default_rng([seed, epoch])
        draws = int(rng.integers(2**63)) + distributed.rank()  # each rank draws dropout of its own
        if not within.steps:
            torch.manual_seed(draws)
        network.train()
        parts = batches(loader.steps, settings.batch_tokens, settings.batch_documents, rng)
        groups = [parts[at : at + settings.accumulate] for at in range(0, len(parts), settings.accumulate)]
        stale = sum(best_epoch(history[:n], settings.monitor) < n for n in range(1, epoch))
        kept_at = time.monotonic()
        try:
            for step, group in enumerate(progress(groups, f"epoch {epoch}", len(groups))):
                if step < within.steps:
                    continue
                with unbroken():
                    lr = rate(settings, (epoch - 1 + (step + 0.5) / len(groups)) / settings.epochs, stale)
                    loss = within.loss + updates.step(group, lr, f"epoch {epoch}, step {step + 1}")
                    within = Within(step + 1, loss, lr, time.monotonic() - started)
                if distributed.size() == 1 and time.monotonic() - kept_at > OFTEN:
                    keep()
                    kept_at = time.monotonic()
            scores = validate(predict(kept, validation.docs, settings), validation.labels)
        except KeyboardInterrupt:
            if distributed.size() == 1:
                keep()
            raise
        if not math.isfinite(scores["log_loss"]):
            raise DivergedError(f"epoch {epoch}: the weights are no numbers any more; lower lr, or set clip")
        row = {
            "epoch": epoch,
            "train_loss": within.loss / len(data.docs),
            "validation_loss": scores["log_loss"],
            "validation_accuracy": scores["accuracy"],
            "validation_f1": scores["f1_macro"],
            "learning_rate": within.lr,
            "seconds": time.monotonic() - started,
        }
        history.append(row)
        if best_epoch(history, settings.monitor) == epoch:
            best = {name: tensor.detach().clone() for name, tensor in kept.state_dict().items()}
        say(
            f"epoch {epoch}/{settings.epochs}: loss {row['train_loss']:.4f}, validation loss {scores['log_loss']:.4f}, "
            f"accuracy {scores['accuracy']:.4f} ({row['seconds']:.1f} s)"
        )
        within = Within()
        keep()
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


def _stalled(history: History, settings: TrainConfig) -> bool:
    if settings.patience is None or not history:
        return False
    return len(history) - best_epoch(history, settings.monitor) >= settings.patience
