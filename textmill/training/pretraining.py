"""Pretraining of a network, as a language model on texts without labels (Dai & Le 2015).

A Transformer predicts masked words (Devlin et al. 2019). The first layer of a recurrent network predicts the next word
in each direction (Howard & Ruder 2018; Peters et al. 2018). The result does not depend on the layers above, so it is
kept outside DVC's outputs and used again after a change of, say, dropout or pooling.
"""

import hashlib
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from textmill.console import say
from textmill.errors import DataError
from textmill.files import digest
from textmill.networks.config import NetworkConfig
from textmill.networks.embedding import Input
from textmill.networks.layers import LockedDropout, Network
from textmill.text.ragged import Ragged
from textmill.training import distributed, memory
from textmill.training.batching import Loader, batches
from textmill.training.devices import autocast_for
from textmill.training.epochs import Epochs
from textmill.training.language import Negatives, WordScores, masked_words, masks, next_words, vectors_of
from textmill.training.optimizing import learning_rate
from textmill.training.settings import TrainConfig
from textmill.training.task import Task
from textmill.training.updates import Updates

Masked = tuple[np.ndarray, np.ndarray] | None

# Network keys that do not affect pretraining, and train keys that do.
UNRELATED_KEYS = {"bigrams", "pooling", "dropout", "locked", "head"}
TRAIN_KEYS = {"batch_tokens", "optimizer", "weight_decay", "schedule", "warmup", "clip", "precision"}


def pretrain(network: Network, config: NetworkConfig, settings: TrainConfig, task: Task) -> dict[str, Any]:
    """Pretrains the body of `network` in place on the task's corpus.

    Returns epochs, loss (nats), documents, tokens and seconds.

    config: the network's config, with `pretrain`; other settings are those of training (TRAIN_KEYS), without dropout.
    Windows are consecutive parts of the joined texts, as in RoBERTa (Liu et al. 2019, FULL-SENTENCES), so a window may
    contain the end of one text and the beginning of the next. All randomness in an epoch comes from (seed, epoch).
    The task's cache keeps one body for each seed, and the checkpoints of unfinished ones.
    Raises DivergedError as soon as the loss is not finite, DataError if the corpus is shorter than a window.
    """
    plan, corpus, seed, embed = config.pretrain, task.corpus, task.seed, network.embed
    assert plan is not None
    assert corpus is not None
    assert isinstance(embed, Input)
    words = embed.weight
    if len(corpus.ids) < plan.window:
        raise DataError(f"pretrain.window: {plan.window}, but all texts together have {len(corpus.ids)} ids; lower it")
    settings = settings.model_copy(update={"epochs": plan.epochs, "lr": plan.lr, "ema": None})
    counts = np.bincount(corpus.ids, minlength=len(words))
    negatives = Negatives(counts, plan.negatives)
    torch.manual_seed(seed)
    output = WordScores(network.width, words.shape[1], counts).to(words.device)
    updates = Updates(_trained(network, output), settings)
    if words.requires_grad:
        updates.tuner.register_step_post_hook(lambda *_: embed.bound())
    place = task.cache / f"{seed}-{_key(network, config, settings, corpus, task.code)[:16]}" if task.cache else None
    epochs: Epochs[dict[str, float]] = Epochs("pretraining epoch", plan.epochs, updates, place)
    network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout | LockedDropout):
            module.eval()
    while len(epochs.history) < plan.epochs:
        rng = np.random.default_rng([seed, epochs.number])
        docs = windows(corpus, plan.window, rng)
        loader = Loader(docs, plan.window, "head", words.device)  # windows are not longer, so none is truncated
        learn = learning(network, output, loader, settings)
        parts = batches(docs.lengths, settings.batch_tokens, None, rng)
        given = ((part, *negatives.draw(rng), _masks(network, len(part), plan.window, rng)) for part in parts)
        with epochs.saved_when_interrupted():
            for done, (part, *drawn) in epochs.remaining(given, len(parts)):
                epochs.update(partial(learn, part, *drawn), learning_rate(settings, done, 0), len(part))
            row = {"loss": epochs.within.loss / len(docs), "seconds": epochs.seconds}
            say(
                f"pretraining epoch {epochs.number}/{plan.epochs}: loss {row['loss']:.4f} "
                f"({row['seconds']:.1f} s, {len(docs.ids) / row['seconds']:,.0f} ids/s)"
            )
            if epochs.number == plan.epochs:
                updates.tuner.state.clear()  # no longer needed; the file is a third of the size
            epochs.end(row)
    if place and distributed.rank() == 0:
        for old in set(place.parent.glob(f"{seed}-*")) - {place}:
            shutil.rmtree(old)
        for old in sorted(place.glob("*.safetensors"))[:-1]:
            old.unlink()
    return {
        "epochs": plan.epochs,
        "loss": round(epochs.history[-1]["loss"], 6),
        "documents": len(corpus),
        "tokens": len(corpus.ids),
        "seconds": sum(row["seconds"] for row in epochs.history),
    }


def learning(network: Network, output: WordScores, loader: Loader, settings: TrainConfig) -> Callable[..., Tensor]:
    """Returns a function that adds the gradients of a batch's mean loss to `network` and `output` and returns it.

    The function takes the batch's row numbers (B,), the drawn words (K,), their probabilities (K,), and the positions
    to mask with the ids to put there, both int64 (B, M), or None to predict next words. It computes this rank's share.
    It raises ResourceError if memory runs out.
    """

    def learn(batch: np.ndarray, drawn: np.ndarray, probability: np.ndarray, masked: Masked) -> Tensor:
        rows = distributed.share(batch)
        if not len(rows):
            return torch.zeros((), device=loader.device)
        ids, _ = loader.batch(rows)
        with memory.enough(ids.device, ids):
            with autocast_for(loader.device, settings.precision):
                if masked:
                    states, targets = masked_words(network, ids, *(there(distributed.share(part)) for part in masked))
                else:
                    states, targets = next_words(network, ids)
                loss = output(states, targets, vectors_of(network), there(drawn), there(probability))
                loss = loss * len(rows) / len(batch)
            loss.backward()
        return loss.detach()

    def there(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(loader.device)

    return learn


def _masks(network: Network, rows: int, steps: int, rng: np.random.Generator) -> Masked:
    return masks(rows, steps, len(vectors_of(network)), rng) if network.OBJECTIVE == "masked" else None


def windows(corpus: Ragged, window: int, rng: np.random.Generator) -> Ragged:
    """Returns all complete windows of the joined texts, starting from a random id."""
    first = int(rng.integers(min(window, len(corpus.ids) - window + 1)))
    count = (len(corpus.ids) - first) // window
    return Ragged(corpus.ids[first : first + count * window], np.arange(count + 1) * window)


def _trained(network: Network, output: nn.Module) -> nn.ParameterDict:
    """Returns the weights to train: the network's body, except frozen weights, and those of the output layer."""
    own = {name: weight for name, weight in network.named_parameters() if name.startswith(network.BODY)}
    own |= {f"guess.{name}": weight for name, weight in output.named_parameters()}
    return nn.ParameterDict({name.replace(".", "/"): weight for name, weight in own.items() if weight.requires_grad})


def _key(network: Network, config: NetworkConfig, settings: TrainConfig, corpus: Ragged, code: str) -> str:
    """Returns a digest of all that a pretrained body depends on; initial weights cover word vectors and the seed."""
    own = {name: value for name, value in config.model_dump().items() if name not in UNRELATED_KEYS}
    taken = {name: value for name, value in settings.model_dump().items() if name in TRAIN_KEYS}
    first = [tensor for name, tensor in network.state_dict().items() if name.startswith(network.BODY)]
    arrays = [corpus.ids, *(np.ascontiguousarray(tensor.cpu().numpy()) for tensor in first)]
    where = [first[0].device.type, torch.get_num_threads(), distributed.size()]
    return digest([own, taken, where, [hashlib.sha256(array.data).hexdigest() for array in arrays], code])
